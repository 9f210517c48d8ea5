"""Stories about the pure rules."""
