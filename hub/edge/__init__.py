"""Where the network ends: what comes in is parsed once, guarded, asked of the desk, answered. No rule lives here."""
