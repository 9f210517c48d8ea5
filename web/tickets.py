"""A resident's own ticket as a page, `/t`: drawn here for plain forms, kept true by `static/ticket.js` elsewhere.

Whose ticket it is never stands in the address: `#SECRET` stays in the browser, number and code come by POST.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub.desk.lane import Office, Purpose
from hub.desk.notices import Carrier, Ending, NoticeState, Trigger
from hub.desk.refusals import UnknownLane
from hub.desk.ticket import State
from hub.wire.messages import RefusalBody
from hub.wire.tickets import LinkCode, Notice, Told
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
ENDED = {
    Ending.RESIDENT: "stopped",
    Ending.BLOCK: "stopped",
    Ending.REPLACED: "stopped",
    Ending.REFUSED: "failed",
    Ending.BOUNCE: "failed",
    Ending.OFFICE: "stopped",
}
GOING = ("expected", "waiting")  # somebody may still come nearer
AHEAD = (1, 2, 3, 5, 10, 20)  # people
USUAL_AHEAD = 3
SOON_AHEAD = 3  # people, each a few minutes: whoever waits elsewhere should be on the way by now
MINUTES = (0, 5, 10, 15, 20, 30)  # of walking

ABOUT = {
    Trigger.REGISTERED: "登録の確認",
    Trigger.NEAR: "順番が近づいたお知らせ",
    Trigger.NOW: "お呼び出しのお知らせ",
    Trigger.MISSED: "お呼び済みのお知らせ",
    Trigger.READY: "交付の準備ができたお知らせ",
    Trigger.JUMP: "順番が早まったお知らせ",
    Trigger.DELAYED: "遅れのお知らせ",
}
STATE = {
    NoticeState.PENDING: "お送りしています",
    NoticeState.CLAIMED: "お送りしています",
    NoticeState.SENDING: "お送りしています",
    NoticeState.ACCEPTED: "お送りしました",
    NoticeState.UNCERTAIN: "届いていない場合があります",
    NoticeState.REFUSED: "届きませんでした",
    NoticeState.LAPSED: "お送りしませんでした",
}


@dataclass(frozen=True, slots=True)
class CarrierWords:
    """How the page speaks of a carrier. `purpose`: None where it is not offered."""

    key: str
    prefix: str  # of the ids on the page
    path: str
    by: str
    contact: str
    confirmation: str
    failed: str
    anew: str
    consent: str
    button: str
    purpose: Purpose | None = None


CARRIERS = (
    CarrierWords(
        "line",
        "line",
        "/t/line",
        "LINE",
        "LINEのユーザーID",
        "LINEで確認のお知らせ",
        "LINEではお知らせできませんでした。",
        "LINEで区役所のアカウントをブロックしていないか確かめて、登録し直してください。",
        "上の説明とLINEの利用目的を読み、LINEのユーザーIDを預けることに同意します。",
        "コードを表示する",
    ),
    CarrierWords(
        "email",
        "notice",
        "/t/notice",
        "メール",
        "アドレス",
        "確認のメール",
        "メールは届きませんでした。",
        "アドレスを確かめて、入れ直してください。",
        "上の説明を読み、アドレスを預けることに同意します。",
        "登録する",
    ),
    CarrierWords(
        "phone",
        "phone",
        "/t/phone",
        "電話",
        "電話番号",
        "電話に確認のお知らせ",
        "電話ではお知らせできませんでした。",
        "電話番号を確かめて、入れ直してください。",
        "上の説明を読み、電話番号を預けることに同意します。",
        "登録する",
    ),
)


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
    minutes: int
    is_kept: bool
    sent: tuple["SentView", ...] = ()


@dataclass(frozen=True, slots=True)
class SentView:
    """One notice: when it came to stand as it does (office time), and how."""

    time: str
    words: str


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
    notices: Mapping[str, NoticeView] = field(default_factory=dict)
    link: LinkCode | None = None
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
        purposes = {"line": office.line_purpose, "email": office.purpose, "phone": office.phone_purpose}
        self._carriers = [
            replace(words, purpose=purposes[words.key] if words.key in offers else None) for words in CARRIERS
        ]

    def routes(self) -> list[BaseRoute]:
        async def blank(request: Request) -> Response:
            return self._page()

        async def own(request: Request) -> Response:
            """Where every message of LINE leads: the same for everybody, at any time, whoever looks."""
            return rendered("own.html")

        return [Route("/t", blank, name="ticket"), Route("/n", own, name="own")]

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
        wished = view.notices if view else {}
        carriers = [words for words in self._carriers if words.purpose or words.key in wished]
        return rendered(
            "ticket.html",
            status,
            office=self._office,
            board=Board.of(whole) if whole else None,
            view=view,
            news=news,
            refusal=refusal,
            number=number,
            carriers=carriers,
            going=GOING,
            aheads=AHEAD,
            usual_ahead=USUAL_AHEAD,
            soon_ahead=SOON_AHEAD,
            id=new_id(),
            minutes=MINUTES,
            later_id=new_id(),
            notice_ids=[(new_id(), new_id()) for _ in carriers],
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
            {notice.carrier: _notice_view(notice, is_going=shown in GOING) for notice in told.notices},
            None if told.link is UNSET else told.link,
            passed,
        )


def _notice_view(notice: Notice, *, is_going: bool) -> NoticeView:
    sent = tuple(
        SentView(moment(sent.at).minutes, f"{ABOUT[Trigger(sent.about)]}: {STATE[NoticeState(sent.state)]}")
        for sent in notice.sent
    )
    shown = notice_shown(notice, is_going=is_going)
    return NoticeView(shown, notice.ahead, notice.minutes, not notice.ended, sent)
