"""A resident's own ticket as a page, `/t`: drawn here for plain forms, kept true by `static/ticket.js` elsewhere.

Whose ticket it is never stands in the address: `#SECRET` stays in the browser, number and code come by POST.
"""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub.desk.lane import Office
from hub.desk.notices import Carrier, Ending, NoticeState
from hub.desk.refusals import UnknownLane
from hub.desk.ticket import State
from hub.wire.messages import RefusalBody
from hub.wire.tickets import Notice, Told
from web.models import Board
from web.pages import TAB_BEAT_SECONDS, Present, new_id, rendered
from web.times import moment

# What the page calls a state; what staff alone tell apart is one thing to the resident.
SHOWN = {
    State.EXPECTED: "expected",
    State.WAITING: "waiting",
    State.HELD: "held",
    State.BACK_OFFICE: "review",
    State.CALLED: "called",
    State.SERVING: "called",
    State.ABSENT: "missed",
    State.SERVED: "served",
    State.CANCELLED: "cancelled",
    State.LAPSED: "over",
}


# What the page calls the states of the first message and of the one that counts.
REGISTERED = {
    NoticeState.PENDING: "sending",
    NoticeState.CLAIMED: "sending",
    NoticeState.SENDING: "sending",
    NoticeState.ACCEPTED: "sent",
    NoticeState.UNCERTAIN: "unsure",
    NoticeState.REFUSED: "failed",
    NoticeState.LAPSED: "unsent",
}
NEAR = {
    NoticeState.PENDING: "near-sending",
    NoticeState.CLAIMED: "near-sending",
    NoticeState.SENDING: "near-sending",
    NoticeState.ACCEPTED: "near-sent",
    NoticeState.UNCERTAIN: "near-unsure",
    NoticeState.REFUSED: "near-failed",
    NoticeState.LAPSED: "near-failed",
}
ENDED = {Ending.RESIDENT: "stopped", Ending.REPLACED: "stopped", Ending.REFUSED: "failed"}
GOING = ("expected", "waiting")  # somebody may still come nearer
AHEAD = (1, 2, 3, 5, 10, 20)  # people
USUAL_AHEAD = 3
SOON_AHEAD = 3  # people, each a few minutes: whoever waits elsewhere should be on the way by now


def notice_shown(notice: Notice, *, is_going: bool) -> tuple[str, ...]:
    """Which sentences of the page say where a notice stands; `is_going`: the ticket may still come nearer."""
    first = ENDED[Ending(notice.ended)] if notice.ended else REGISTERED[NoticeState(notice.registered or "pending")]
    if first == "stopped":
        return ("stopped",)
    if first == "failed":
        return ("failed", *(("erased",) if notice.ended else ()), *(("anew",) if is_going else ()))
    if notice.near is None:
        return (first, "later") if is_going else (first,)
    return (first, NEAR[NoticeState(notice.near)])


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice in words: the names of its sentences, and whether there is an address to be erased."""

    shown: tuple[str, ...]
    ahead: int
    is_kept: bool


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket in words."""

    number: str
    lane: str
    shown: str
    code: str
    ahead: int | None
    counter: str
    until: str
    push_backs: int
    places: int
    notice: NoticeView | None = None
    passed: tuple[tuple[str, str], ...] = ()  # number, why

    @property
    def is_soon(self) -> bool:
        return self.ahead is not None and self.ahead <= SOON_AHEAD

    @property
    def code_text(self) -> str:
        return f"{self.code[:4]}-{self.code[4:]}" if self.code else ""


class ResidentPages:
    """Answers to a resident's plain forms, and the page that finds its ticket itself."""

    def __init__(self, present: Present, office: Office, offers: Collection[Carrier] = ()) -> None:
        self._present, self._office = present, office
        self._purpose = office.purpose if Carrier.EMAIL in offers else None

    def routes(self) -> list[BaseRoute]:
        async def blank(request: Request) -> Response:
            return self._page()

        return [Route("/t", blank, name="ticket")]

    def ticket(self, told: Told, news: str = "", refusal: str = "", status: int = 200) -> Response:
        return self._page(status, view=self._view(told), news=news, refusal=refusal)

    def refused(self, refusal: RefusalBody, status: int, number: str = "") -> Response:
        # What turns the direction of writing, or cannot be seen, is not handed back.
        return self._page(status, refusal=refusal.sentence, number=number if number.isprintable() else "")

    def stop(self, *, is_done: bool = False) -> Response:
        """The page behind the link of a message: the same whatever the link."""
        return rendered("stop.html", office=self._office, is_done=is_done, refusal="")

    def stop_refused(self, refusal: RefusalBody, status: int) -> Response:
        return rendered("stop.html", status, office=self._office, is_done=False, refusal=refusal.sentence)

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
            purpose=self._purpose,
            going=GOING,
            aheads=AHEAD,
            usual_ahead=USUAL_AHEAD,
            soon_ahead=SOON_AHEAD,
            id=new_id(),
            later_id=new_id(),
            notice_ids=(new_id(), new_id()),
            beat=TAB_BEAT_SECONDS,
        )

    def _view(self, told: Told) -> TicketView:
        try:
            lane = self._office.lane(told.lane).name
        except UnknownLane:  # the office dropped it during the day
            lane = told.lane
        names = {counter.key: counter.name for counter in self._office.counters}
        counter = names.get(told.counter or "", told.counter or "")
        shown = SHOWN[State(told.state)]
        notices = [
            NoticeView(notice_shown(notice, is_going=shown in GOING), notice.ahead, not notice.ended)
            for notice in told.notices
            if notice.carrier == Carrier.EMAIL
        ]
        passed = tuple((one.number, one.why) for one in told.passed)
        return TicketView(
            told.number,
            lane,
            shown,
            told.code,
            told.ahead,
            counter,
            moment(told.until).minutes if told.until else "",
            told.push_backs,
            told.places,
            notices[0] if notices else None,
            passed,
        )
