"""Those that owe somebody something: carriers, archive, erasure. They never decide whom to call, nor log a contact."""
