"""What Alembic runs: on the connection that `hub.ledger.connection.migrate` hands in, in its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
