"""Those that owe somebody something: carriers, archive, erasure. They never decide who is called, and never log a contact."""
