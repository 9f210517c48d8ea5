"""Pages as the server draws them and as a browser lives with them. The hub is a script here; no server is started."""
