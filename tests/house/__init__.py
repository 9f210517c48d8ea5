"""Documents that can be wrong, as documents that can fail. Quick: no server, no browser."""
