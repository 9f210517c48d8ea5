"""Ports that nobody listens on at this moment, and that no outgoing line is given meanwhile."""

import secrets
import socket
from contextlib import ExitStack

LOWEST, HIGHEST = 10_000, 32_000  # Linux gives outgoing lines ports above these


def free_ports(count: int) -> list[int]:
    """Neighbours on loopback, all free when asked. Somebody else may be quicker: whoever listens says so then."""
    while True:
        first = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        ports = list(range(first, first + count))
        with ExitStack() as held:
            try:
                for port in ports:
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return ports
