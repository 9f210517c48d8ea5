"""The rules of the reception desk. Pure: nothing here knows Redis, a socket, a clock or chance."""
