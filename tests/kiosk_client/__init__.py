"""The ticket machine: what its slip says, what its screen shows, and that no slip lies."""
