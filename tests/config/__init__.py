"""Stories about starting, stopping and holding the parts together."""
