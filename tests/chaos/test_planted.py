"""A thousand addresses through an office in which everything goes wrong: afterwards none of them can be read anywhere.

The provider echoes addresses in its refusals, cuts lines before and after the final dot; the worker is killed again and
again; a seal is damaged, and strangers plant jobs. Then every key of the store and every file that the office wrote is
searched, plainly and in base64.
"""

import asyncio
import base64
import secrets
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import redis

from config.embedded import EmbeddedValkey
from config.practice.inbox import Conduct, Inbox, receiving
from hub.desk.facts import ContactGiven, from_fields
from hub.desk.notices import NoticeState, Trigger, notice_id
from hub.store.keys import Keys
from tests.chaos.office import OfficeOfProcesses
from tests.eventually import eventually

RESIDENTS = 1_000
AT_ONCE = 8
KILLS = 6
DAMAGED = 20  # seals
CANARY = "canary-"
IN_FLIGHT = {NoticeState.SENDING}  # of a killed worker; its lease outlives this story

CONDUCTS = [
    *[Conduct.REFUSE, Conduct.DEFER, Conduct.CUT_BEFORE_DOT, Conduct.CUT_AFTER_DOT],
    *[Conduct.TAKE] * 6,
]


def address_of(resident: int) -> str:
    return f"{CANARY}{resident:04d}-{secrets.token_hex(4)}@docomo.ne.jp"


class Moods:
    """How the provider treats whom: the last digit says it; whoever was put off is taken the second time."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, address: str) -> Conduct:
        mood = CONDUCTS[int(address.removeprefix(CANARY)[:4]) % len(CONDUCTS)]
        was_seen = address in self.seen
        self.seen.add(address)
        return Conduct.TAKE if was_seen and mood is not Conduct.REFUSE else mood


def test_the_search_finds_what_is_planted(valkey_server: EmbeddedValkey, tmp_path: Path) -> None:
    """Otherwise it could not fail."""
    client = redis.Redis.from_url(valkey_server.url)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "plain").write_text(f"550 <{address_of(1)}> no such mailbox")
    for before in range(3):
        (tmp_path / f"encoded-{before}").write_bytes(b"." + base64.b64encode(b"x" * before + address_of(1).encode()))
    (tmp_path / "clean").write_text("550")
    client.hset("planted-hash", "field", address_of(2))
    client.xadd("planted-stream", {"field": address_of(2)})
    assert [place for place in places(client, tmp_path) if place.startswith("file")] == [
        *(f"file encoded-{before}" for before in range(3)),
        "file plain",
    ]
    assert {"key planted-hash", "key planted-stream"} <= set(places(client, tmp_path))
    client.delete("planted-hash", "planted-stream")


@pytest.mark.timeout(900)
async def test_no_address_can_be_read_anywhere(tmp_path: Path) -> None:
    inbox, moods = Inbox(), Moods()
    async with receiving(inbox, policy=moods, echo=True) as smtp_port:
        office = OfficeOfProcesses(tmp_path, smtp_port)
        office.start()
        try:
            day = await _a_day(office)
            client = redis.Redis.from_url(office.store.url)
            assert inbox.received > RESIDENTS // 2, "mails were sent, so addresses were there to be leaked"
            assert len(day.addresses) == RESIDENTS
            assert day.untold(moods.seen) <= day.damaged | day.unsure, "and each was told to the provider"
            assert list(places(client, tmp_path)) == []
        finally:
            office.stop()
        assert list(places(None, tmp_path)) == [], "what was written at the end"


@dataclass
class Day:
    """By arrival: who left which address, whose seal was damaged, and of whom a killed worker told nobody whether it
    had sent the first mail, which nobody may repeat.
    """

    addresses: dict[int, str] = field(default_factory=dict)
    damaged: set[int] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)

    def untold(self, seen: Set[str]) -> set[int]:
        return {arrival for arrival, address in self.addresses.items() if address not in seen}


async def _a_day(office: OfficeOfProcesses) -> Day:
    told, arrivals = Day(), iter(range(RESIDENTS))

    async def residents() -> None:
        for resident in arrivals:
            taken = await office.take_number()
            assert taken is not None
            told.addresses[taken[0]] = address_of(resident)
            assert await office.leave_address(taken[1], told.addresses[taken[0]], ahead=20)
            if resident % (RESIDENTS // KILLS) == RESIDENTS // KILLS - 1:
                office.kill("worker")
                office.start()

    await asyncio.gather(*(residents() for _ in range(AT_ONCE)))
    keys, client = Keys(office.office.key), redis.Redis.from_url(office.store.url, decode_responses=True)
    day = str(client.hget(keys.day(), "day"))
    facts: Any = client.xrange(keys.facts(day))
    contacts = [fact for _, entry in facts if isinstance(fact := from_fields(entry), ContactGiven)]
    damaged = _plant_faults(client, keys)
    told.damaged = {contact.arrival for contact in contacts if keys.contact(contact.subscription) in damaged}
    current: int | None = None
    for _ in range(RESIDENTS):
        answer = await office.press_next(current)
        assert answer is not None
        current = answer.arrival

    def is_quiet() -> bool:
        told: Any = client.hvals(keys.notices(day))
        states = {NoticeState(text.partition("\x1f")[0]) for text in told}
        return not states & (set(NoticeState) - IN_FLIGHT - _ENDS)

    await eventually(is_quiet, within_s=300)
    states: Any = client.hgetall(keys.notices(day))
    for contact in contacts:
        first: str = states[notice_id(contact.subscription, Trigger.REGISTERED)]
        if NoticeState(first.partition("\x1f")[0]) in IN_FLIGHT | {NoticeState.UNCERTAIN}:
            told.unsure.add(contact.arrival)
    return told


_ENDS = {NoticeState.ACCEPTED, NoticeState.UNCERTAIN, NoticeState.REFUSED, NoticeState.LAPSED}


def _plant_faults(client: Any, keys: Keys) -> set[str]:
    """Jobs that are not ours, and seals that do not open; gives the keys of these."""
    damaged = set(islice(client.scan_iter(match=keys.contact("*"), count=1000), DAMAGED))
    for key in damaged:
        client.set(key, secrets.token_hex(300), keepttl=True)
    queue = next(key for key in client.scan_iter(match="rq:queue:*", count=1000)) if client.exists("rq:queues") else ""
    for place in range(3):
        client.hset(
            f"rq:job:planted-{place}", mapping={"data": '["os.system", null, ["true"], {}]', "status": "queued"}
        )
        if queue:
            client.rpush(queue, f"planted-{place}")
    return damaged


def places(client: Any, folder: Path, *canaries: str) -> Iterator[str]:
    """Every key of the store and every file of the office in which a contact can be read that contains one of these."""
    words = [word for canary in canaries or (CANARY,) for word in (canary.encode(), *_in_base64(canary.encode()))]
    if client is not None:
        for key in client.scan_iter(count=1000):
            if any(word in text for word in words for text in (key, *_texts(client, key))):
                yield f"key {key.decode()}"
        log: Any = client.execute_command("SLOWLOG", "GET", "-1")
        if any(word in repr(log).encode() for word in words):
            yield "slow log"
    for path in sorted(folder.rglob("*")):
        if path.is_file() and any(word in path.read_bytes() for word in words):
            yield f"file {path.name}"


def _texts(client: Any, key: bytes) -> Iterator[bytes]:
    match client.type(key):
        case b"string":
            yield client.get(key)
        case b"hash":
            for pair in client.hgetall(key).items():
                yield from pair
        case b"list":
            yield from client.lrange(key, 0, -1)
        case b"set":
            yield from client.smembers(key)
        case b"zset":
            yield from client.zrange(key, 0, -1)
        case b"stream":
            for _, entry in client.xrange(key):
                for pair in entry.items():
                    yield from pair
        case b"none":
            return  # it went meanwhile
        case other:
            raise AssertionError(f"a key of a type that nobody searches: {other!r}")


def _in_base64(word: bytes) -> list[bytes]:
    """As it stands inside encoded text, at each of the three alignments, without the letters its neighbours change."""
    return [
        base64.b64encode(b"\0" * before + word)[(before * 8 + 5) // 6 :][: len(word) * 8 // 6 - 1]
        for before in range(3)
    ]
