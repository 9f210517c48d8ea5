"""A resident's own ticket as a page, `/t`: drawn here for plain forms, kept true by `static/ticket.js` elsewhere.

Whose ticket it is never stands in the address: `#SECRET` stays in the browser, number and code come by POST.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub.desk.lane import Office
from hub.desk.refusals import UnknownLane
from hub.desk.ticket import State
from hub.wire.messages import RefusalBody
from hub.wire.tickets import Told
from web.models import Board
from web.pages import TAB_BEAT_SECONDS, Present, new_id, rendered

# What the page calls a state; what staff alone tell apart is one thing to the resident.
SHOWN = {
    State.EXPECTED: "expected",
    State.WAITING: "waiting",
    State.HELD: "waiting",
    State.BACK_OFFICE: "waiting",
    State.CALLED: "called",
    State.SERVING: "called",
    State.ABSENT: "missed",
    State.SERVED: "served",
    State.CANCELLED: "cancelled",
    State.LAPSED: "over",
}


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket in words."""

    number: str
    lane: str
    shown: str
    code: str
    ahead: int | None
    counter: str

    @property
    def code_text(self) -> str:
        return f"{self.code[:4]}-{self.code[4:]}" if self.code else ""


class ResidentPages:
    """Answers to a resident's plain forms, and the page that finds its ticket itself."""

    def __init__(self, present: Present, office: Office) -> None:
        self._present, self._office = present, office

    def routes(self) -> list[BaseRoute]:
        async def blank(request: Request) -> Response:
            return self._page()

        return [Route("/t", blank, name="ticket")]

    def ticket(self, told: Told, news: str = "") -> Response:
        return self._page(view=self._view(told), news=news)

    def refused(self, refusal: RefusalBody, status: int, number: str = "") -> Response:
        return self._page(status, refusal=refusal.sentence, number=number)

    def _page(
        self, status: int = 200, view: TicketView | None = None, news: str = "", refusal: str = "", number: str = ""
    ) -> Response:
        whole = self._present()
        return rendered(
            "ticket.html",
            status,
            office=self._office,
            board=Board.of(whole) if whole else None,
            view=view,
            news=news,
            refusal=refusal,
            number=number,
            id=new_id(),
            beat=TAB_BEAT_SECONDS,
        )

    def _view(self, told: Told) -> TicketView:
        try:
            lane = self._office.lane(told.lane).name
        except UnknownLane:  # the office dropped it during the day
            lane = told.lane
        names = {counter.key: counter.name for counter in self._office.counters}
        counter = names.get(told.counter or "", told.counter or "")
        return TicketView(told.number, lane, SHOWN[State(told.state)], told.code, told.ahead, counter)
