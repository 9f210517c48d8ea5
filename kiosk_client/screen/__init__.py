"""The touch page of a ticket machine, served to its own browser on loopback."""
