"""Stories about the live queue that only a real store can tell."""
