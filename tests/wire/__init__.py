"""Stories about what hub and screens say to each other."""
