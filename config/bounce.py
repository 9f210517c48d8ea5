"""What `junban bounce` does: a mail came back, and its envelope says which. The mail itself names the address: it is
read to its end, for whether it is a report of failure (RFC 3464), and thrown away.

Whoever is on leave, whose mail only takes its time, or who writes there by hand is not erased.
"""

import asyncio
import re
from email import message_from_bytes
from typing import BinaryIO

from hub.desk.lane import Office
from hub.desk.notices import Carrier, Ending, NoticeState
from hub.desk.refusals import NotClaimed
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.outbox import Outbox
from hub.wire.codes import digest_of

WORD = r"([A-Za-z0-9_-]{22})"
CHUNK_BYTES = 65_536
READ_BYTES = 262_144  # a report says first what it reports; behind it stands the mail that came back


def token_in(recipient: str, bounces: str) -> str | None:
    """The word of ours in an address that a mail came back to."""
    shape = WORD.join(re.escape(part) for part in bounces.split("{}"))
    found = re.fullmatch(shape, recipient.strip().strip("<>"), re.ASCII)
    return found[1] if found else None


def is_failure(mail: bytes) -> bool:
    """Whether a mail server says by it that it has given up: not that it goes on trying, nor what somebody wrote."""
    report = message_from_bytes(mail)
    kind = str(report.get_param("report-type", "")).lower()
    if report.get_content_type() != "multipart/report" or kind != "delivery-status":
        return False
    statuses = [part for part in report.walk() if part.get_content_type() == "message/delivery-status"]
    blocks = [block for status in statuses for block in status.walk()]
    return any(str(block.get("Action", "")).strip().lower() == "failed" for block in blocks)


def run(office: Office, recipient: str, bounces: str, mail: BinaryIO, *, redis_url: str) -> bool:
    """Whether one of ours failed by it. Raises a Refusal where the store is away: the mail server tries again."""
    head = mail.read(READ_BYTES)
    while mail.read(CHUNK_BYTES):
        pass
    token = token_in(recipient, bounces)
    if token is None or not is_failure(head):
        return False
    return asyncio.run(_learn(office, digest_of(token), redis_url))


async def _learn(office: Office, callback: str, redis_url: str) -> bool:
    """Erase the address that nothing reaches, and let the next carrier tell what it was about."""
    client = connect(redis_url)
    try:
        outbox = Outbox(client, office)
        day = await outbox.day()
        stop = await outbox.stop_behind(day, callback)
        if stop is None:
            return False
        contacts = Contacts(client, office)
        await contacts.erase(day, stop.subscription, stop.ticket, Carrier.EMAIL, Ending.BOUNCE)
        try:
            await outbox.learn(day, Carrier.EMAIL, callback, NoticeState.REFUSED)
        except NotClaimed:
            return True  # the worker has not heard the server's yes yet, or it came back twice
        return True
    finally:
        await client.aclose()
