"""The way in, put together from values: who signs in, what each role sees and changes, which screens are let in."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.hub_ledger import HubLedger
from config.now import now_ms
from hub.desk.lane import Office
from hub.edge.administration import Administration
from hub.edge.auditing import Auditing
from hub.edge.devices import Gate
from hub.edge.explanations import Explanations
from hub.edge.guards import Guard
from hub.edge.hashing import Hashing
from hub.edge.staff import Staff
from hub.fanout.relay import Relay
from hub.ledger.log import Log
from hub.ledger.past_days import PastDays
from hub.wire.roles import Act, Role
from web.auditing import AuditPages
from web.enrolment import EnrolmentPages
from web.fairness import FairnessPages
from web.pages import CounterOf, ForDesk, ForWall, screen_of
from web.staff import StaffPages

# (account, password, what its button says): offered at the door of a practice office, never elsewhere.
PracticePeople = Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Entrance:
    """`routes` of the inside listener, and what lets in to the pages of a counter, of managers and of a wall."""

    routes: list[BaseRoute]
    for_desk: ForDesk
    for_manager: ForDesk
    for_wall: ForWall
    counter_of: CounterOf
    hashing: Hashing

    def close(self) -> None:
        self.hashing.close()


def entrance_of(
    office: Office,
    book: HubLedger,
    guard: Guard,
    relay: Relay,
    *,
    is_secure: bool = False,
    practice_people: PracticePeople = (),
    is_practice: bool = False,
) -> Entrance:
    """`is_secure`: staff comes by https, so its cookies go by nothing else. `is_practice`: every screen is let in as it
    comes.
    """
    pages = StaffPages(office, practice_people)
    hashing = Hashing()
    staff = Staff(book.people, book.access, hashing, pages, guard, is_secure=is_secure)
    administration = Administration(staff, book.people, book.devices, Log(book.ledger), pages, now_ms=now_ms)
    explanations = Explanations(staff, relay, PastDays(book.ledger), FairnessPages(office))
    auditing = Auditing(staff, book.ledger, book.people, AuditPages(office), now_ms=now_ms)
    screens = EnrolmentPages(office)
    gate = Gate(book.devices, screens, guard, version=version("junban"), is_secure=is_secure, lets_all_in=is_practice)

    async def desk_machine(request: Request) -> Response:
        return screens.desk(_counter(request))

    def _counter(request: Request) -> str:
        asked = request.query_params.get("counter", "")
        if all(counter.key != asked for counter in office.counters):
            raise HTTPException(404)
        return asked

    async def counter_of(request: Request) -> str | None:
        return await gate.place(request, Role.DESK)

    return Entrance(
        [
            *staff.routes(),
            *administration.routes(),
            *explanations.routes(),
            *auditing.routes(),
            *gate.routes(),
            Route("/desk-device", gate.page(Role.DESK, _counter, desk_machine), name="desk-device"),
        ],
        lambda page: staff.page(Act.OPEN_DESK, page),
        lambda page: staff.page(Act.SEE_OVERVIEW, page),
        lambda page: gate.page(Role.WALL, screen_of, page),
        counter_of,
        hashing,
    )
