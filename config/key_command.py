"""What `junban key rotate` does: the keys of contacts are wrapped anew, and the log of operations says who did it."""

from config.ledger import LedgerSettings
from config.now import now_ms
from hub.desk.lane import Office
from hub.ledger.connection import transaction
from hub.ledger.journal import Author, note
from workers.keys import KeyHost

REWRAPPED = "KeysRewrapped"


def rotate(keys: KeyHost, former: bytes, settings: LedgerSettings, office: Office, by: Author) -> int:
    """Gives how many keys. Raises LedgerUnusable, and nothing of them has changed; KeysUnusable."""
    ledger = settings.open_existing(office.key)
    try:
        with transaction(ledger.engine, writes=True) as connection:  # first: what cannot be noted is not done
            count = keys.rotate(former)
            note(connection, office.key, REWRAPPED, now_ms(), by, {"keys": str(count)})
            return count
    finally:
        ledger.close()
