"""What residents ask of a hub, put together from values: numbers, their pages, and word by each carrier on offer."""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.routing import BaseRoute

from config.hub_store import HubStore
from hub.desk.lane import Office
from hub.desk.notices import Carrier
from hub.edge.commands import Dial
from hub.edge.dialled import Dialled
from hub.edge.guards import Guard
from hub.edge.line import LineLinks
from hub.edge.notices import Notices
from hub.edge.reception import Reception
from hub.edge.residents import Residents
from hub.edge.telephones import Telephones
from hub.edge.wishes import Counted, Wishes
from hub.fanout.relay import Relay
from hub.store.contacts import Contacts
from hub.store.links import Links
from hub.store.outbox import Outbox
from web import pages
from web.tickets import ResidentPages


@dataclass(frozen=True, slots=True)
class LineChannel:
    """The ward's account in LINE, as far as a hub knows it: it can check what LINE tells, and send nothing."""

    secret: str
    account: str

    def __repr__(self) -> str:
        return f"LineChannel({self.account})"


@dataclass(frozen=True, slots=True)
class ForResidents:
    """`pages` are the same on both listeners; `heard` is what carriers tell, on the public one alone. `dial` answers a
    ticket machine about telephone numbers.
    """

    reception: Reception
    dial: Dial
    pages: list[BaseRoute]
    heard: list[BaseRoute]
    asked: list[Residents | Notices | LineLinks | Telephones]
    counted: list[Counted]  # of contacts: it has to be forgotten at midnight

    def routes(self, guard: Guard) -> list[BaseRoute]:
        """Everything that they send, on a listener with this guard."""
        return [route for part in self.asked for route in part.routes(guard)]


def for_residents(
    office: Office,
    relay: Relay,
    store: HubStore,
    offers: Collection[Carrier],
    line: LineChannel | None,
    *,
    is_secure: bool,
    speed: int,
) -> ForResidents:
    """`is_secure`: they come by https, so their cookie goes by nothing else. `speed`: so many times as many come."""
    tickets = ResidentPages(relay.present, office, offers)
    reception = Reception(relay, store.lanes, tickets)
    wishes = Wishes(reception, Contacts(store.client, office), offers, speed=speed)
    on_due = store.waking.on_due
    asked: list[Residents | Notices | LineLinks | Telephones] = [
        Residents(reception, is_secure=is_secure, speed=speed),
        Notices(reception, wishes),
    ]
    heard: list[BaseRoute] = []
    counted: list[Counted] = []
    if line is not None:
        codes = Links(store.client, office)
        links = LineLinks(reception, wishes, codes, line.secret, line.account, lambda: on_due(Carrier.LINE))
        asked.append(links)
        counted += links.counted
        heard += links.webhook_routes()
    telephones = None
    if Carrier.PHONE in offers:
        telephones = Telephones(reception, wishes, Outbox(store.client, office), on_due, speed=speed)
        asked.append(telephones)
        counted += telephones.counted
        heard += telephones.heard_routes()
    return ForResidents(
        reception,
        Dialled(reception, telephones).answer,
        [*pages.public_routes(relay.present, office), *tickets.routes()],
        heard,
        asked,
        counted,
    )
