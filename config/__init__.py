"""Reads the environment once, checks it, and puts the parts together. No rule of the reception desk lives here."""
