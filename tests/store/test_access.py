"""The table of who may do what in the store: commands are tried by each part on each family of keys."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

from config.embedded import EmbeddedValkey
from config.given_store import given_server
from config.store_users import StoreUsers
from hub.desk.lane import Office
from hub.desk.notices import Carrier, Ending, NoticeState
from hub.desk.requests import Issue, Next, Stamp, Stop, Wish
from hub.store import library
from hub.store.access import COMMANDS, MAY, Family, Part
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.days import Days
from hub.store.erasing import Erasing, Told
from hub.store.keys import Keys
from hub.store.lanes import Lanes, SealedContact
from hub.store.outbox import Outbox
from tests.model.desks import CERTIFICATES, KEY, small_office

OFFICE = "ward"
EXAMPLES = {
    Family.OF_THE_DAY: "{ward}:2026-11-24:ticket:1",
    Family.CONTACT: "{ward}:contact:0123456789abcdef",
    Family.JOBS: "rq:queue:junban-ward-email",
}
# What nobody is given, or one part alone; the rest of the server's commands take keys and follow the table.
ALONE = {
    "shutdown": {Part.KEEPER},
    "bgsave": {Part.KEEPER},
    "bgrewriteaof": {Part.KEEPER},
    "scan": {Part.KEEPER},
    "config|get": {Part.KEEPER, Part.AUDITOR},
    "function|load": {Part.HUB},
    "function|list": {Part.HUB},
}
NEVER = [
    "flushall", "flushdb", "keys", "monitor", "debug", "config|set", "config|rewrite", "acl|setuser", "acl|deluser",
    "acl|save", "acl|load", "function|delete", "function|flush", "function|restore", "function|kill", "function|dump",
    "script|flush", "save", "replicaof", "slaveof", "sync", "psync", "migrate", "restore", "swapdb", "client|kill",
    "client|list", "slowlog|get", "latency|latest", "module|load", "randomkey", "dbsize", "failover", "sort", "role",
    "object|help", "cluster|info", "pfdebug", "pfselftest",
]  # fmt: skip


@pytest.fixture(scope="module", params=["valkey", "redis7"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    binary: Path | None = request.getfixturevalue("redis7_binary") if request.param == "redis7" else None
    with EmbeddedValkey(tmp_path_factory.mktemp("access"), binary=binary) as started:
        yield started


@pytest.fixture(scope="module")
def asker(server: EmbeddedValkey) -> Iterator[redis.Redis]:
    """Somebody who may do everything, and asks what the parts may."""
    with closing(given_server(server.url)) as client:
        StoreUsers(OFFICE).make(client)
        yield client


def may(client: redis.Redis, part: Part, *words: str) -> bool:
    ask: Any = client.execute_command
    return bool(ask("ACL", "DRYRUN", part, *words) == "OK")


def example(family: Family) -> str:
    return EXAMPLES.get(family, family.pattern(OFFICE))


# One word for each way in which a command can touch a key; each stands for its like below.
READS = {
    "GET": [], "HGETALL": [], "ZRANGE": ["0", "-1"], "XRANGE": ["-", "+"], "LRANGE": ["0", "-1"], "SMEMBERS": [],
    "GETRANGE": ["0", "1"], "DUMP": [], "ZSCORE": ["m"], "HGET": ["f"], "MGET": [], "BITCOUNT": [],
}  # fmt: skip
WRITES = {
    "SET": ["v"], "HSET": ["f", "v"], "ZADD": ["1", "m"], "XADD": ["*", "f", "v"], "RPUSH": ["v"], "SADD": ["v"],
    "UNLINK": [], "DEL": [], "EXPIRE": ["9"], "APPEND": ["v"], "PERSIST": [], "ZREM": ["m"], "HDEL": ["f"],
}  # fmt: skip
BOTHS = {"GETDEL": [], "GETEX": ["PERSIST"], "GETSET": ["v"], "LPOP": [], "ZPOPMIN": []}


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("part", Part)
def test_a_part_reads_and_writes_what_its_cell_says(asker: redis.Redis, part: Part, family: Family) -> None:
    cell, key = MAY[part].get(family, ""), example(family)
    writes_at_all = "+@write" in COMMANDS[part]
    assert {name: may(asker, part, name, key, *rest) for name, rest in READS.items()} == dict.fromkeys(
        READS, "R" in cell
    )
    assert {name: may(asker, part, name, key, *rest) for name, rest in WRITES.items()} == dict.fromkeys(
        WRITES, "W" in cell and writes_at_all
    )
    assert {name: may(asker, part, name, key, *rest) for name, rest in BOTHS.items()} == dict.fromkeys(
        BOTHS, cell == "RW"
    )
    for other in (f"COPY {key} rq:elsewhere", f"RENAME {key} rq:elsewhere"):
        assert may(asker, part, *other.split()) == (cell == "RW" and Family.JOBS in MAY[part]) or "R" in cell


@pytest.mark.parametrize("part", Part)
def test_keys_of_another_office_and_of_nobody_are_nobodys(asker: redis.Redis, part: Part) -> None:
    for key in ("{other}:contact:x", "{other}:day", "contact:x", "{ward}:else", "anything", "{ward}"):
        assert not may(asker, part, "GET", key)
        assert not may(asker, part, "SET", key, "v")
        assert not may(asker, part, "FCALL", "desk_stop_v1", "1", key) or key.startswith("{ward}:")


@pytest.mark.parametrize("part", Part)
def test_every_command_of_the_server_that_takes_no_key_is_told_by_the_table(asker: redis.Redis, part: Part) -> None:
    for command, parts in ALONE.items():
        assert may(asker, part, *command.split("|"), *_filler(command)) == (part in parts), command
    there = {name.lower() for name in asker.command()}  # one server has what the other lacks
    for command in NEVER:
        words = [*command.split("|"), *_filler(command)]
        if command.partition("|")[0] in there:
            assert not may(asker, part, *words), command


def _filler(command: str) -> list[str]:
    takes = {"config|get": ["save"], "function|load": ["x"], "scan": ["0"], "config|set": ["save", ""], "debug": ["x"]}
    takes |= {"keys": ["*"], "acl|setuser": ["x"], "acl|deluser": ["x"], "function|delete": ["x"], "swapdb": ["0", "1"]}
    takes |= {"function|restore": ["x"], "replicaof": ["no", "one"], "slaveof": ["no", "one"], "sort": ["rq:x"]}
    takes |= {"migrate": ["h", "1", "rq:x", "0", "9"], "restore": ["rq:x", "0", "x"], "client|kill": ["x"]}
    takes |= {"psync": ["x", "0"], "module|load": ["x"], "pfdebug": ["getreg", "rq:x"]}
    return takes.get(command, [])


def test_no_family_of_the_key_book_is_forgotten() -> None:
    """Every key that `Keys` can make is of one family, and of one alone."""
    import fnmatch
    import inspect

    from tests.house.documents import SPEAKING

    for name, method in inspect.getmembers(Keys, inspect.isfunction):
        if name.startswith("_"):
            continue
        wanted = list(inspect.signature(method).parameters)[1:]
        given = SPEAKING | {"day": "2026-11-24"}
        key = str(method(Keys(OFFICE), *(given[word] for word in wanted)))
        families = [family for family in Family if fnmatch.fnmatchcase(key, family.pattern(OFFICE))]
        assert len(families) == 1, key


@pytest.fixture
async def parts(server: EmbeddedValkey, asker: redis.Redis) -> AsyncIterator[dict[Part, Any]]:
    """A client for each part, on an office of its own."""
    office = f"o{secrets.token_hex(4)}"
    users = StoreUsers(office)
    users.make(asker)
    clients: dict[Part, Any] = {part: connect(users.url(server, part)) for part in Part}
    yield {**clients, "office": small_office(office)}  # type: ignore[dict-item]
    for client in clients.values():
        await client.aclose()


async def test_each_part_does_its_work_with_its_own_rights(parts: dict[Any, Any]) -> None:
    office: Office = parts["office"]
    hub, worker, keeper = parts[Part.HUB], parts[Part.WORKER], parts[Part.KEEPER]
    await library.install(hub)
    lanes = Lanes(hub, office)
    day = await lanes.open_day()

    def stamp() -> Stamp:
        return Stamp(day, "test", secrets.token_urlsafe(16))

    of_keeper, erasing = Contacts(keeper, office), Erasing(keeper, office)
    await of_keeper.publish(await of_keeper.today(), KEY)
    await lanes.do(stamp(), Issue(CERTIFICATES, "kiosk"))
    await lanes.do(stamp(), Wish(1, Carrier.EMAIL, 3, "1", "one"), SealedContact(f"{KEY.id}:sealed", "0" * 64))
    await lanes.do(stamp(), Next("2", None))
    assert (await Contacts(hub, office).public_key()) == KEY

    outbox, of_worker = Outbox(worker, office), Contacts(worker, office)
    tenure = await outbox.take_over(Carrier.EMAIL, day)
    claimed = await outbox.claim(day, Carrier.EMAIL, tenure)
    assert claimed
    await outbox.look(day, Carrier.EMAIL, claimed)
    assert await of_worker.sealed("one") == f"{KEY.id}:sealed"
    await outbox.mark(day, Carrier.EMAIL, tenure, claimed[0].notice)
    await of_worker.erase(day, "one", 1, Carrier.EMAIL, Ending.REFUSED)
    await outbox.settle(day, Carrier.EMAIL, tenure, claimed[0].notice, NoticeState.REFUSED)

    days = Days(keeper, office)
    assert (await days.list()).open_day == day
    assert await days.look(day, "") is not None
    await days.tell(0, 0, "")
    await Days(hub, office).lag()
    await erasing.plant("planted", f"{KEY.id}:sealed", await erasing.now_ms() - 1000)
    assert await erasing.kept(["planted", "one"]) == {"planted"}
    assert await erasing.unlisted() == []
    assert await erasing.erase(await erasing.due(await erasing.now_ms()), await erasing.now_ms()) == 1
    await erasing.rewrite()
    await erasing.forget(await erasing.traces(1 << 52))
    await erasing.tell(Told())
    assert (await Erasing(hub, office).told()).is_told
    await lanes.do(stamp(), Wish(1, Carrier.EMAIL, 3, "1", "two"), SealedContact(f"{KEY.id}:sealed", "1" * 64))
    await lanes.do(stamp(), Stop(1, Carrier.EMAIL, Ending.RESIDENT))
    with pytest.raises(redis.ResponseError, match=r"(?i)no permissions"):
        await hub.get(Keys(office.key).contact("two"))


async def test_behind_a_closed_door_nobody_comes_in_without_a_user(tmp_path: Path) -> None:
    users = StoreUsers("ward")
    with EmbeddedValkey(tmp_path / "store") as server:
        with closing(given_server(server.url)) as client:
            users.let_in(client)
        with closing(given_server(server.url)) as client, pytest.raises(redis.RedisError):
            client.ping()
        with closing(given_server(users.url(server, Part.HUB))) as client:
            assert client.ping()
        assert server.answers(), "it says no, and lives"
