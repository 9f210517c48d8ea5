"""Pages for residents, walls, staff, administrators and auditors. They show what the hub tells, and hold no rule."""
