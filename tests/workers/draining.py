"""A worker's run over what is due in an office by mail: with a real mail server, or with a carrier that records."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from config.embedded import EmbeddedValkey
from hub.desk.notices import Carrier, Trigger
from hub.store.sealing import Contact
from tests.workers.postbox import Postbox, postbox
from tests.workers.ward import EMAIL, Ward, ward
from workers.carriers.email import EmailCarrier
from workers.carriers.sending import Fate, Message, Outcome, Sender
from workers.drain import Drain
from workers.keys import KeyHost

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=9)))
TO = "canary-7@example.test"
REGISTERED, NEAR = Trigger.REGISTERED, Trigger.NEAR


@pytest.fixture
async def office(valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path) -> AsyncIterator[Ward]:
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as opened:
        yield opened


@pytest.fixture
def box() -> Iterator[Postbox]:
    with postbox() as opened:
        yield opened


def drain_of(office: Ward, *senders: Sender, keys: KeyHost | None = None, **named: Any) -> Drain:
    return Drain(
        EMAIL,
        office.office,
        office.outbox,
        office.contacts,
        keys or office.keys,
        senders,
        public_url="https://junban.example.jp",
        now=lambda: NOW,
        **{"on_due": nobody, **named},
    )


async def nobody(carrier: Carrier) -> None:
    """Whoever a notice is passed on to looks by himself here."""


async def run_with(office: Ward, box: Postbox, *, connections: int = 1) -> None:
    """One fresh worker, one run."""
    senders = [EmailCarrier(box.server, "junban@city.example.jp", office.office.name) for _ in range(connections)]
    try:
        await drain_of(office, *senders).run()
    finally:
        for sender in senders:
            await sender.close()


@dataclass
class Recorder:
    """A carrier that says what it is told to say, and keeps what it was given."""

    outcome: Outcome = field(default_factory=lambda: Outcome(Fate.ACCEPTED, "250"))
    sent: list[tuple[str, Message]] = field(default_factory=list)
    first: Callable[[], object] = lambda: None
    knows_again: bool = False

    async def send(self, contact: Contact, message: Message) -> Outcome:
        self.sent.append((contact.to, message))
        answer = self.first()
        if asyncio.iscoroutine(answer):
            await answer
        return self.outcome

    async def close(self) -> None:
        pass
