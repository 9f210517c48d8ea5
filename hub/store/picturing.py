"""A day as the sorted sets and hashes of the store tell it: to compare with what the facts tell. It moves nothing."""

from typing import Any

from redis.asyncio import Redis

from hub.desk.lane import Office
from hub.desk.picture import Picture
from hub.desk.ticket import State, Ticket
from hub.store.calling import US
from hub.store.keys import STANDING, Keys


async def picture_of(client: Redis, office: Office, day: str) -> Picture:
    """All of it read in one transaction."""
    keys = Keys(office.key)
    lanes = [lane.key for lane in office.lanes]
    last = int(await client.hget(keys.tally(day), "arrival") or 0)
    async with client.pipeline(transaction=True) as opened:
        pipe: Any = opened
        pipe.hgetall(keys.tally(day))
        pipe.hgetall(keys.reserved(day))
        pipe.hgetall(keys.walls(day))
        for key in (
            *(keys.standing(day, state) for state in STANDING),
            *(keys.waiting(day, lane) for lane in lanes),
        ):
            pipe.zrange(key, 0, -1, withscores=True)
        for arrival in range(1, last + 1):
            pipe.hgetall(keys.ticket(day, arrival))
        tally, reserved, walls, *rest = await pipe.execute()
    sets, tickets = rest[: len(STANDING) + len(lanes)], rest[len(STANDING) + len(lanes) :]
    ranks = {int(arrival): int(rank) for ranked in sets for arrival, rank in ranked}
    picture = Picture(day)
    for arrival, told in enumerate(tickets, start=1):
        picture.place(_ticket(arrival, told, ranks, reserved.get(str(arrival), "")))
    picture.last_arrival = int(tally.get("arrival", 0))
    for name, told in tally.items():
        match name.split(":"):
            case ["issued", lane]:
                picture.issued[lane] = int(told)
            case ["since", lane]:
                picture.since[lane] = int(told)
            case ["turn", counter, lane]:
                picture.turns.setdefault(counter, {})[lane] = int(told)
            case ["paused", lane] if told:
                picture.paused[lane] = told
            case ["closing", lane]:
                picture.closing.add(lane)
            case ["lanes", counter]:
                picture.assigned[counter] = tuple(told.split())
            case ["announcement"]:
                until, _, text = told.partition(US)
                picture.announcement = text, int(until)
            case _:
                pass  # the last arrival, and each counter's latest turn
    picture.walls = sorted(walls, key=lambda wall: (int(walls[wall]), wall))
    return picture


def _ticket(arrival: int, fields: dict[str, str], ranks: dict[int, int], for_counter: str) -> Ticket:
    return Ticket(
        arrival=arrival,
        number=fields["number"],
        lane=fields["lane"],
        rank=ranks[arrival] if arrival in ranks else int(fields["rank"]),
        state=State(fields["state"]),
        source=fields["source"],
        issued_at=int(fields["issued_at"]),
        counter=fields.get("counter"),
        calls=int(fields["calls"]),
        called_at=_number(fields.get("called_at")),
        is_priority=fields.get("priority") == "1",
        called_from=State(fields["called_from"]) if "called_from" in fields else None,
        for_counter=for_counter,
        pushed=int(fields.get("pushed", 0)),
        until=_number(fields.get("until")),
        shown=tuple(fields.get("shown", "").split()),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text else None
