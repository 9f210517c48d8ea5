"""Stories about the place where the network ends."""
