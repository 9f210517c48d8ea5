"""Gone the next day: thirty nights with every misfortune, each layer left out once, and how late a thousand of many."""

import asyncio
import contextlib
import json
import logging
import statistics
import time
from typing import Any

from config import logs
from config.embedded import EmbeddedValkey
from config.processes import Workshop
from hub.store import library
from hub.store.connection import connect
from hub.store.erasing import Erasing
from hub.store.keys import Keys
from tests.bench.nights import Nights, is_there, story
from tests.model.desks import small_office
from tests.workers.erasing import (
    Night,
    WithoutKeys,
    WithoutLooking,
    WithoutRestart,
    WithoutRewriting,
    WithoutUnlinking,
    night,
    what_is_left,
)
from workers.erase import Eraser, NotClean

NIGHTS, QUICK_NIGHTS = 30, 15
KEPT, DUE, OVER_S = 99_000, 1000, 20.0
EXPIRY_WATCHED_S = 60.0
LAYERS: dict[str, type[Eraser]] = {
    "key": WithoutKeys,
    "unlink": WithoutUnlinking,
    "rewrite": WithoutRewriting,
    "restart": WithoutRestart,
    "scan": WithoutLooking,
}


def run(quick: bool) -> bool:
    """Print the table and the JSON line; True if every count that must be zero is zero, and each layer is missed."""
    if not is_there():
        print("libfaketime is not installed (as root: apt-get install libfaketime)")
        return False
    logs.set_up(level=logging.ERROR)
    return asyncio.run(_run(quick))


async def _run(quick: bool) -> bool:
    async with story(QUICK_NIGHTS if quick else NIGHTS) as seen:
        pass
    caught = {name: await _is_missed(kind) for name, kind in LAYERS.items()}
    is_sound = not await _is_missed(Eraser)
    lag, by_expiry = await _lags()
    rows = [
        ("nights with outages / clocks that were set / backups restored", _of(seen)),
        ("contacts", f"{seen.contacts}"),
        ("  erased before their hour / by the expiry of a clock a day ahead", f"{seen.early} / {seen.early_by_net}"),
        ("  in the store an hour after theirs, while no eraser came", f"{seen.beyond_net}"),
        ("  readable after 00:30, or after the first turn / not verified", f"{seen.late} / {seen.unverified}"),
        ("  taken or handed out while an erasure was overdue", f"{seen.taken_while_overdue}"),
        ("canaries and sealed contacts in files, logs and memory", f"{seen.canary_hits}"),
        ("layers whose absence is seen", f"{sum(caught.values())} of 5"),
        (f"1,000 due among {KEPT + DUE:,}: lag p99 / max", f"{lag[0]:.2f} s / {lag[1]:.2f} s"),
        (f"  by expiry alone: still there after {EXPIRY_WATCHED_S:.0f} s", f"{by_expiry} of {DUE}"),
    ]
    for name, figure in rows:
        print(f"{name:<68} {figure:>20}")
    figures = {
        "part": "erase",
        "quick": quick,
        "days": seen.days,
        "contacts": seen.contacts,
        "early": seen.early,
        "early_by_net": seen.early_by_net,
        "beyond_net": seen.beyond_net,
        "late": seen.late,
        "unverified": seen.unverified,
        "taken_while_overdue": seen.taken_while_overdue,
        "canary_hits": seen.canary_hits,
        "residue_by_day": seen.residue_by_day,
        "outages": seen.outages,
        "clock_steps": seen.steps,
        "restores": seen.restores,
        "lag_p99_s": round(lag[0], 3),
        "lag_max_s": round(lag[1], 3),
        "left_by_expiry": by_expiry,
        "layers_caught": sum(caught.values()),
    }
    print(json.dumps(figures))
    counts = (seen.early, seen.early_by_net, seen.beyond_net, seen.late, seen.unverified)
    return not any((*counts, seen.taken_while_overdue, seen.canary_hits)) and all(caught.values()) and is_sound


def _of(seen: Nights) -> str:
    return f"{seen.days} / {seen.outages} / {seen.steps} / {seen.restores}"


async def _is_missed(kind: type[Eraser]) -> bool:
    """Whether an erasure with this eraser leaves something that is seen from outside."""
    with Workshop() as folder:
        async with night(folder / "night") as at_night:
            return await _left(at_night, kind)


async def _left(at_night: Night, kind: type[Eraser]) -> bool:
    subscription = await at_night.give()
    sealed = await at_night.office.contacts.sealed(subscription)
    assert sealed is not None
    if kind is WithoutLooking:  # what only a look can find: a contact in clear, in a log
        await at_night.keeper.turn()
        canary = at_night.office.keys.canary(await at_night.office.contacts.today())
        (at_night.logs / "hub.log").write_text(f"canary-{canary}@canary.invalid\n")
    at_night.eraser = at_night.another_eraser(kind)
    await at_night.come()
    with contextlib.suppress(NotClean):
        await at_night.turn()
    if kind is WithoutLooking:
        return bool(at_night.noted("ErasureVerified"))  # verified, with a leak in the log
    return bool(await what_is_left(at_night, sealed, subscription))


async def _lags() -> tuple[tuple[float, float], int]:
    with Workshop() as folder, EmbeddedValkey(folder / "store") as server:
        lag = await _with_eraser(server)
    with Workshop() as folder, EmbeddedValkey(folder / "store") as server:
        return lag, await _by_expiry(server)


async def _filled(server: EmbeddedValkey, office: str, *, expires: bool) -> tuple[Any, float]:
    """The client, and the first due moment in s. Without `expires` the expiry is the net, as in earnest."""
    client: Any = connect(server.url, answer_seconds=60.0)
    await library.install(client)
    names = Keys(office)
    blob = "0123456789abcdef:" + "A" * 580
    tomorrow = time.time() + 86_400
    for start in range(DUE, KEPT + DUE, 5000):
        await _put(client, names, blob, dict.fromkeys(range(start, start + 5000), tomorrow), expires=expires)
    began = time.time() + 5.0  # only now: filling takes its time
    await _put(client, names, blob, {n: began + OVER_S * n / DUE for n in range(DUE)}, expires=expires)
    return client, began


async def _put(client: Any, names: Keys, blob: str, dues: dict[int, float], *, expires: bool) -> None:
    """Contacts with their due moments; with `expires` nothing but an expiry at that moment."""
    pipe = client.pipeline(transaction=False)
    for n, due in dues.items():
        pipe.set(names.contact(f"s{n:030d}"), blob, pxat=int((due + (0 if expires else 3600)) * 1000))
        if not expires:
            pipe.zadd(names.erasures(), {f"s{n:030d}": int(due * 1000)})
    await pipe.execute()


async def _with_eraser(server: EmbeddedValkey) -> tuple[float, float]:
    """The eraser's second layer, a turn a second as the keeper does; p99 and max of how late each was gone."""
    client, began = await _filled(server, "lag", expires=False)
    store, lags = Erasing(client, small_office("lag")), []
    dues = {f"s{n:030d}": began + OVER_S * n / DUE for n in range(DUE)}
    while dues:
        until = await store.now_ms()
        while due := await store.due(until):
            await store.erase(due, until)
            gone_at = await store.now_ms() / 1000
            lags += [gone_at - dues.pop(one) for one in due]
        await asyncio.sleep(1.0)
    await client.aclose()
    return statistics.quantiles(lags, n=100)[98], max(lags)


async def _by_expiry(server: EmbeddedValkey) -> int:
    """How many of the thousand are still in memory a minute after the last of them has expired; nobody touches them."""
    client, began = await _filled(server, "expiry", expires=True)
    await client.config_set("hz", 10)  # the server's own default
    before = await client.dbsize()
    await asyncio.sleep(max(0.0, began + OVER_S + EXPIRY_WATCHED_S - time.time()))
    gone = before - await client.dbsize()
    await client.aclose()
    return DUE - int(gone)
