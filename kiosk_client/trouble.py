"""What a ticket machine cannot do just now, in the log: one line when it begins, and one when it is over.

A line is an event of our own; of an exception the log tells the types and places. Its words, like a path or a frame,
may hold a number, a code, a secret, a token or a telephone number: none of them ever stands in an event.
"""

import structlog

_log = structlog.get_logger("kiosk_client.trouble")


class Trouble:
    """With one thing: the printer, the hub, the disk. `over`: what is told when there is none any more."""

    def __init__(self, over: str) -> None:
        self._over = over
        self._told = ""

    def begin(self, event: str, error: Exception | None = None) -> None:
        """Told once, however often it is tried; another event of the same thing is news."""
        if event != self._told:
            self._told = event
            _log.error(event, exc_info=error)

    def end(self) -> None:
        if self._told:
            self._told = ""
            _log.info(self._over)
