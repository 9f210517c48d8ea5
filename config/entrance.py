"""Staff's way in, put together from values: who signs in, what each role sees and changes, and the pages of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute

from hub.desk.lane import Office
from hub.edge.access import Access
from hub.edge.administration import Administration
from hub.edge.guards import Guard
from hub.edge.hashing import Hashing
from hub.edge.staff import Staff
from hub.ledger.devices import Devices
from hub.ledger.log import Log
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.wire.roles import Act
from web.pages import ForDesk
from web.staff import StaffPages

# (account, password, what its button says): offered at the door of a practice office, never elsewhere.
PracticePeople = Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Entrance:
    """`routes` of the inside listener, and what lets in to the page of a counter."""

    routes: list[BaseRoute]
    for_desk: ForDesk
    hashing: Hashing

    def close(self) -> None:
        self.hashing.close()


def entrance_of(
    office: Office,
    ledger: Ledger,
    people: People,
    devices: Devices,
    access: Access,
    guard: Guard,
    *,
    now_ms: Callable[[], int],
    is_secure: bool = False,
    practice_people: PracticePeople = (),
) -> Entrance:
    """`is_secure`: staff comes by https, so the session's cookie goes by nothing else. `now_ms` is real time."""
    pages = StaffPages(office, practice_people)
    hashing = Hashing()
    staff = Staff(people, access, hashing, pages, guard, is_secure=is_secure)
    administration = Administration(staff, people, devices, Log(ledger), pages, now_ms=now_ms)
    return Entrance([*staff.routes(), *administration.routes()], lambda page: staff.page(Act.OPEN_DESK, page), hashing)
