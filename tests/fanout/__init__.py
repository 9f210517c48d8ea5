"""Stories about those who listen to one process."""
