"""Who listens to this process, and what each of them hears. All of it is memory that a restart may lose."""
