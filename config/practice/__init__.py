"""Everything that is only for practice: simulated days, and stand-ins for the world outside."""
