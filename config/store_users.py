"""The users of an embedded store, one for each part of the office, with passwords that live as long as its parent.

They are made anew at each start of the server, and then the door without a password is closed: what was not handed a
user cannot come in, although it could reach the socket.
"""

import secrets
from typing import Any
from urllib.parse import quote

import redis

from config.embedded import EmbeddedValkey
from hub.store.access import Part, rules

PASSWORD_BYTES = 24


class StoreUsers:
    """Of one office's own store."""

    def __init__(self, office: str) -> None:
        self._office = office
        self._passwords = {part: secrets.token_hex(PASSWORD_BYTES) for part in Part}

    def __repr__(self) -> str:
        return f"StoreUsers({self._office!r})"

    def let_in(self, client: redis.Redis) -> None:
        """Make the users, and close the door for everybody else. Raises redis.RedisError."""
        self.make(client)
        command: Any = client.execute_command  # redis-py leaves it untyped
        command("ACL", "SETUSER", "default", "off")

    def make(self, client: redis.Redis) -> None:
        """The users alone; who has no user stays as he is. Raises redis.RedisError."""
        command: Any = client.execute_command
        for part, password in self._passwords.items():
            command("ACL", "SETUSER", part, *rules(part, self._office), "on", f">{password}")

    def url(self, server: EmbeddedValkey, part: Part) -> str:
        return f"unix://{part}:{self._passwords[part]}@{quote(str(server.socket_path))}"
