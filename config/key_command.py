"""What `junban key rotate` does: the keys of contacts are wrapped anew, and the log of operations says who did it."""

import time

from config.ledger import LedgerSettings
from hub.desk.lane import Office
from hub.ledger.connection import LedgerUnusable, transaction
from hub.ledger.journal import Author, note
from workers.keys import KeyHost

REWRAPPED = "KeysRewrapped"


def rotate(keys: KeyHost, former: bytes, settings: LedgerSettings, office: Office, by: Author) -> int:
    """Gives how many keys. Raises LedgerUnusable, and nothing of them has changed; KeysUnusable."""
    ledger = settings.open(office.key)
    try:
        if not ledger.is_there:
            raise LedgerUnusable("台帳がまだありません。--data か JUNBAN_LEDGER_URL を確かめてください。")
        with transaction(ledger.engine, writes=True) as connection:  # first: what cannot be noted is not done
            count = keys.rotate(former)
            note(connection, office.key, REWRAPPED, time.time_ns() // 1_000_000, by, {"keys": str(count)})
            return count
    finally:
        ledger.close()
