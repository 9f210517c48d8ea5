"""Ports that nobody listens on at this moment."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """Different ports on loopback, all free when asked. Somebody else may be quicker: whoever listens says so then."""
    with ExitStack() as held:
        places = [held.enter_context(socket.socket()) for _ in range(count)]
        for place in places:
            place.bind(("127.0.0.1", 0))
        return [place.getsockname()[1] for place in places]
