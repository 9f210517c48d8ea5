"""Everything between the database and a socket. It owes nobody a letter and draws no page."""
