"""Stories about the practice office: its simulated days, and the checks that judge them."""
