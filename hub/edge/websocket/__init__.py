"""RFC 6455 as this hub speaks it: the one room that knows what a frame looks like on the line."""
