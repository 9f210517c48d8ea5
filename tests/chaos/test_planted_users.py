"""A thousand LINE users and telephones through carriers that echo them in every answer: afterwards none can be read.

The like of `test_planted`, for the carriers that speak HTTP; the workers run in this process, with every log of every
library open.
"""

import hashlib
import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from config.embedded import EmbeddedValkey
from config.practice.conduct import Conduct
from config.practice.line_stand_in import LineStandIn
from config.practice.phone_stand_in import PhoneStandIn
from hub.desk.notices import Carrier
from hub.desk.requests import Wish
from hub.store.lanes import Lanes, SealedContact
from hub.store.sealing import Contact, seal
from tests.chaos.test_planted import places
from tests.model.desks import small_office
from tests.workers.draining import NOW, nobody
from tests.workers.stand_ins import serving
from tests.workers.ward import Ward, ward
from workers.carriers.line import LineCarrier
from workers.carriers.phone import PhoneCarrier
from workers.carriers.sending import Sender
from workers.carriers.server import LineServer, PhoneServer
from workers.drain import Drain

CONTACTS, SENDS = 1_000, 5_000
LINE_CANARY, PHONE_CANARY = "Ucafe5eed", "+819055555"  # so long that no digest shows it by chance
CONDUCTS = [
    *[Conduct.AWAY] * 14,
    *[Conduct.BUSY] * 5,
    *[Conduct.REFUSE, Conduct.TAKE_SILENTLY, Conduct.TAKE_AND_FAIL, Conduct.TAKE],
]


class Mood:
    """Another one at each try, and the same in each run."""

    def __init__(self) -> None:
        self.tries = 0
        self.seen: set[str] = set()

    def __call__(self, to: str) -> Conduct:
        self.tries += 1
        self.seen.add(to)
        return CONDUCTS[hashlib.sha256(f"{to} {self.tries}".encode()).digest()[0] % len(CONDUCTS)]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """What every library says of itself."""
    path = tmp_path / "everything.log"
    handler, root = logging.FileHandler(path), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield path
    root.setLevel(level)
    root.removeHandler(handler)
    handler.close()


@pytest.fixture
async def office(valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path) -> AsyncIterator[Ward]:
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as opened:
        opened.office = small_office(office_name, last=100 + CONTACTS)
        opened.lanes = Lanes(opened.client, opened.office)
        yield opened


async def _wish(office: Ward, carrier: Carrier, to: str) -> None:
    subscription, token = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    sealed = seal(Contact(to, token), await office.contacts.public_key(), subscription)
    wish = Wish(await office.take(), carrier, 20, "2026-11-1", subscription)
    kept = SealedContact(sealed, hashlib.sha256(token.encode()).hexdigest())
    await office.lanes.do(office.stamp(), wish, kept)


@pytest.mark.timeout(1200)
async def test_no_user_and_no_telephone_can_be_read_anywhere(
    office: Ward, valkey_server: EmbeddedValkey, log: Path, tmp_path: Path
) -> None:
    for number in range(CONTACTS // 2):
        await _wish(office, Carrier.LINE, f"{LINE_CANARY}{number:024x}")
        await _wish(office, Carrier.PHONE, f"{PHONE_CANARY}{number:03d}")
    mood = Mood()
    line, phone = (
        LineStandIn("token-of-line", "secret", policy=mood),
        PhoneStandIn("practice", "token", mood, tells=False),
    )
    with capture_logs() as lines:
        async with serving([*line.routes(), *phone.routes()]) as url:
            senders: dict[Carrier, Sender] = {
                Carrier.LINE: LineCarrier(LineServer(url, "token-of-line"), "ward"),
                Carrier.PHONE: PhoneCarrier(PhoneServer(url, "practice", "token", "+815000000000")),
            }
            while len(line.requests) + len(phone.requests) < SENDS and await _work_off(office, senders):
                pass
            for sender in senders.values():
                await sender.close()
    assert len(line.requests) + len(phone.requests) >= SENDS, "mostly hostile answers, so that much is sent again"
    assert len(mood.seen) == CONTACTS, "each was told to a carrier, which told it back"
    (tmp_path / "structured.log").write_text(repr(lines))
    client = redis.Redis.from_url(valkey_server.url)
    assert list(places(client, tmp_path, LINE_CANARY, PHONE_CANARY, PHONE_CANARY.replace("+81", "0"))) == []
    assert log.stat().st_size > 0


async def _work_off(office: Ward, senders: dict[Carrier, Sender]) -> int:
    """One run of each worker, and nobody waits for a pause; gives how many are still under way."""
    client: Any = office.client
    left = 0
    for carrier, sender in senders.items():
        await Drain(
            carrier,
            office.office,
            office.outbox,
            office.contacts,
            office.keys,
            [sender],
            public_url="https://junban.example.jp",
            now=lambda: NOW,
            on_due=nobody,
            longest_s=600.0,
        ).run()
        key = office.names.due(office.day, carrier)
        under_way = await client.zrange(key, 0, -1)
        left += len(under_way)
        for notice in under_way:
            await client.zadd(key, {notice: 0.0}, xx=True)
    return left
