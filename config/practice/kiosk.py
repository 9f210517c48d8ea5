"""The ticket machines of a practice office: each customer takes a number at the moment of arriving."""

from collections.abc import Sequence
from itertools import cycle

from config.practice.asking import Asker, new_id
from config.practice.floor import Floor, Visit
from config.practice.staff import InformationDesk, Start
from hub.wire.messages import Issue

DESK = "desk"  # the source of a number that staff hands out


async def arrivals(machines: Sequence[Asker], information: InformationDesk, floor: Floor, start: Start) -> None:
    """Everybody's arrival in order; ends with the last. Numbers under way are `start`ed beside it."""
    machine = cycle(machines)
    for visit in floor.visits:
        await floor.clock.until(visit.customer.arrived_at)
        asker = information.asker if visit.customer.source == DESK else next(machine)
        floor.take()
        start(_take(visit, asker, information, floor))


async def _take(visit: Visit, asker: Asker, information: InformationDesk, floor: Floor) -> None:
    body = await asker.ask(Issue(id=new_id(), lane=visit.customer.lane))
    floor.took(visit, body)
    if visit.arrival is not None:
        information.expect_cancel(visit)
