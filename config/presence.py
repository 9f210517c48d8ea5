"""That a process of ours began its work and ended it in order, as the log of operations tells it. Who is killed leaves
no end, and the next beginning says so.

It notes in a thread of its own: a ledger that is away, or not made yet, holds up nobody who starts, and for a moment
only who ends.
"""

import contextlib
import threading
from collections.abc import Iterator

from config.now import now_ms
from hub.ledger.connection import LedgerUnusable, transaction
from hub.ledger.journal import Author, note
from hub.ledger.operations import Ledger

STARTED, STOPPED = "ProcessStarted", "ProcessStopped"
OFFICE, HUB, KEEPER = "office", "hub", "keeper"  # `junban up` with all its children; a worker has no ledger to reach
AGAIN_S = 1.0
ENDING_S = 2.0  # less than any supervisor waits for who was asked to end


@contextlib.contextmanager
def noted(ledger: Ledger, process: str, by: Author) -> Iterator[None]:
    """The process works for the time of the block. Closes `ledger`, which is nobody else's."""
    presence = Presence(ledger, process, by)
    presence.begin()
    try:
        yield
    finally:
        presence.end()


class Presence:
    def __init__(self, ledger: Ledger, process: str, by: Author) -> None:
        self._ledger, self._process, self._by = ledger, process, by
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._attend, args=(now_ms(),), name="presence", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._is_over.set()
        self._thread.join(ENDING_S)

    def _attend(self, began_at: int) -> None:
        try:
            while not (is_noted := self._note(STARTED, began_at)) and not self._is_over.wait(AGAIN_S):
                pass
            self._is_over.wait()
            ended_at = now_ms()
            if is_noted or self._note(STARTED, began_at):
                self._note(STOPPED, ended_at)
        finally:
            self._ledger.close()

    def _note(self, kind: str, at: int) -> bool:
        if not self._ledger.is_there:  # opening it would make one
            return False
        try:
            with transaction(self._ledger.engine, writes=True) as connection:
                note(connection, self._ledger.office, kind, at, self._by, {"process": self._process})
        except LedgerUnusable:  # whose ledger it is says so by itself
            return False
        return True
