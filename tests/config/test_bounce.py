"""A mail that comes back erases the address that nothing reaches; which it was only its envelope says."""

import asyncio
import io
from pathlib import Path

import pytest

from config.bounce import READ_BYTES, is_failure, run, token_in
from config.embedded import EmbeddedValkey
from hub.desk.notices import Ending, NoticeState, Trigger
from tests.workers.draining import TO, drain_of
from tests.workers.postbox import postbox
from tests.workers.ward import ward
from workers.carriers.email import EmailCarrier

BOUNCES = "junban+{}@city.example.jp"
TOKEN = "A" * 22


@pytest.mark.parametrize(
    ("recipient", "token"),
    [
        (f"junban+{TOKEN}@city.example.jp", TOKEN),
        (f" <junban+{TOKEN}@city.example.jp>\n", TOKEN),
        (f"junban+{TOKEN}@city.example.jp.evil.example", None),
        (f"junban+{TOKEN}x@city.example.jp", None),
        ("junban@city.example.jp", None),
        ("", None),
    ],
)
def test_only_an_address_of_ours_names_a_mail(recipient: str, token: str | None) -> None:
    assert token_in(recipient, BOUNCES) == token


def report(action: str, kind: str = "delivery-status") -> bytes:
    """As a mail server writes it."""
    return (
        f"From: MAILER-DAEMON@mx.example.test\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        f"--b\r\nContent-Type: message/{kind}\r\n\r\nReporting-MTA: dns; mx.example.test\r\n\r\n"
        f"Final-Recipient: rfc822; {TO}\r\nAction: {action}\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: ward\r\n\r\n" + "x\r\n" * READ_BYTES + "--b--\r\n"
    ).encode()


FAILED = report("failed")
ON_LEAVE = f"From: {TO}\r\nSubject: Auto: on leave\r\nAuto-Submitted: auto-replied\r\n\r\nAction: failed\r\n".encode()


@pytest.mark.parametrize(
    ("mail", "is_one"),
    [
        (report("failed"), True),
        (report("Failed"), True),
        (b"From MAILER-DAEMON Tue Nov 24 09:30:00 2026\n" + report("failed"), True),
        (report("delayed"), False),
        (report("delivered"), False),
        (report("failed", "disposition-notification"), False),
        (report("failed")[:200], False),
        (ON_LEAVE, False),
        (b"", False),
        (b"\xff\xfe", False),
    ],
    ids=["failed", "capital", "from a pipe", "delayed", "delivered", "read", "cut off", "on leave", "empty", "no text"],
)
def test_only_a_report_that_a_mail_server_gave_up_counts(mail: bytes, is_one: bool) -> None:
    assert is_failure(mail[:READ_BYTES]) is is_one


async def test_what_comes_back_erases_its_address(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path
) -> None:
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as office:
        ticket = await office.take()
        subscription = await office.wish(ticket, TO)
        with postbox() as box:
            carrier = EmailCarrier(box.server, "junban@city.example.jp", "区役所", bounces=BOUNCES)
            await drain_of(office, carrier).run()
            await carrier.close()
        envelopes = [letter.sender for letter in box.letters]
        assert len(set(envelopes)) == 2, "each mail has a way back of its own"
        assert all(token_in(envelope, BOUNCES) for envelope in envelopes)

        def comes_back(recipient: str, said: bytes = FAILED) -> bool:
            mail = io.BytesIO(said)
            was_ours = run(office.office, recipient, BOUNCES, mail, redis_url=valkey_server.url)
            assert mail.read() == b""
            return was_ours

        assert not await asyncio.to_thread(comes_back, f"junban+{TOKEN}@city.example.jp")
        assert not await asyncio.to_thread(comes_back, envelopes[1], ON_LEAVE)
        assert await office.contacts.sealed(subscription) is not None
        assert await asyncio.to_thread(comes_back, envelopes[1])
        assert await office.contacts.sealed(subscription) is None
        (wished,) = await office.lanes.notices_of(office.day, ticket)
        assert wished.ended is Ending.BOUNCE
        states = await office.states(ticket)
        assert (states[Trigger.REGISTERED], states[Trigger.NEAR]) == (NoticeState.ACCEPTED, NoticeState.REFUSED)
        assert await asyncio.to_thread(comes_back, envelopes[1]), "twice is once"
