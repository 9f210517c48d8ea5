"""What somebody tried and might not, noted for the log of operations: who, which act, in which role. Blocking."""

from collections.abc import Callable

from hub.ledger.connection import transaction
from hub.ledger.journal import Author, note
from hub.ledger.operations import Ledger
from hub.wire.roles import Act, Role


class RefusedActs:
    """`now_ms`: real ms."""

    def __init__(self, ledger: Ledger, now_ms: Callable[[], int]) -> None:
        self._ledger, self._now_ms = ledger, now_ms

    def note(self, by: Author, role: Role, act: Act) -> None:
        """Raises LedgerUnusable."""
        told = {"act": str(act), "role": str(role)}
        with transaction(self._ledger.engine, writes=True) as connection:
            note(connection, self._ledger.office, "ActRefused", self._now_ms(), by, told)
