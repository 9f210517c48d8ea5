"""What somebody took out of the ledger to keep: who, when, and which part. What cannot be noted is not given."""

from hub.ledger.connection import transaction
from hub.ledger.journal import Author, note
from hub.ledger.operations import Ledger

TAKEN = "RecordsTaken"
WHOLE, CERTIFICATE, REPORT = "ledger", "certificate", "report"


def note_taken(ledger: Ledger, what: str, by: Author, at: int, *, first_day: str = "", last_day: str = "") -> None:
    """Before it leaves; `at` in real ms. The days: business days that a paper is about. Raises LedgerUnusable."""
    told = {"what": what, "first_day": first_day, "last_day": last_day}
    with transaction(ledger.engine, writes=True) as connection:
        note(connection, ledger.office, TAKEN, at, by, told)
