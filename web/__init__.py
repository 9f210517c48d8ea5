"""Pages for residents, walls, staff, administrators and auditors. They show what the hub tells; they never hold a rule."""
