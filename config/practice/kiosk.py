"""How numbers are taken in a practice office: each customer takes one at the moment of arriving.

Most at the ticket machines, who has priority where that is given. Who leaves a contact keeps the number's secret, as a
telephone does that has read the QR; who came over the web and leaves one has taken the number there.
"""

from collections.abc import Sequence
from itertools import cycle

from msgspec import UNSET

from config.practice.asking import Asker, new_id
from config.practice.contacts import WEB, Residents, new_secret
from config.practice.floor import Floor, Visit
from config.practice.slips import Slips
from config.practice.staff import InformationDesk, Start
from hub.desk.ticket import State
from hub.wire.codes import digest_of
from hub.wire.messages import AnswerBody, CheckIn, Issue

DESK = "desk"  # the source of a number that staff hands out


async def arrivals(
    machines: Sequence[Asker],
    information: InformationDesk,
    residents: Residents | None,
    slips: Slips,
    floor: Floor,
    start: Start,
) -> None:
    """Everybody's arrival in order; ends with the last. Numbers under way are `start`ed beside it, and what is done
    with them later by the residents themselves.

    `residents` None: nobody leaves an address.
    """
    machine = cycle(machines)
    for visit in floor.visits:
        await floor.clock.until(visit.customer.arrived_at)
        asker = information.asker if _place(visit, floor) == DESK else next(machine)
        floor.take()
        start(_take(visit, asker, information, residents, slips, floor, start))


async def _take(
    visit: Visit,
    asker: Asker,
    information: InformationDesk,
    residents: Residents | None,
    slips: Slips,
    floor: Floor,
    start: Start,
) -> None:
    customer, given = visit.customer, floor.priority_of(visit.customer)
    priority = given.priority if given else UNSET
    if residents is None or not residents.wants(customer):
        secret = new_secret()
        issue = Issue(id=new_id(), lane=customer.lane, secret=digest_of(secret), priority=priority)
        floor.took(visit, await asker.ask(issue))
        if visit.arrival is not None:
            information.expect_cancel(visit)
            if slips.wants():
                start(slips.act(visit, secret))
        return
    secret = new_secret()
    if customer.source == WEB and given is None:  # at home nobody sees who has priority
        body = await residents.take(customer.lane, secret)
    else:
        issue = Issue(id=new_id(), lane=customer.lane, secret=digest_of(secret), priority=priority)
        body = await asker.ask(issue)
    floor.took(visit, body)
    if visit.arrival is not None:
        if isinstance(body, AnswerBody) and body.state == State.EXPECTED:
            await information.asker.ask(CheckIn(id=new_id(), number=body.number or ""))
        information.expect_cancel(visit)
        await residents.register(visit, secret)


def _place(visit: Visit, floor: Floor) -> str:
    """Where the number is taken: at a machine or at the desk."""
    given = floor.priority_of(visit.customer)
    source = visit.customer.source
    return source if given is None or source in given.given_by else given.given_by[0]
