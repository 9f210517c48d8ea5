"""What hub, screens and kiosk say to each other. Pure: no socket, no clock, and no word of the desk's inner types."""
