"""What breaks on purpose: bounded, on loopback, and only what a test started."""
