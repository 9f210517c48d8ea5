"""The whole ticket machine: touch → request on disk → answer → slip. Paper comes only after the hub's answer.

A crash before the answer leaves the request on disk: the same is asked again, and the hub gives the same ticket. A
crash after it prints the slip again at worst; never is there a slip without a ticket, or a ticket that nobody prints.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from hub.wire.codes import SECRET_BYTES, code_of, digest_of, secret_text
from hub.wire.giving import Giving, giving
from hub.wire.messages import CheckInByCode, Issue, LaneState, PurposeText, RefusalBody
from kiosk_client.badge import Badge
from kiosk_client.kiosk import SHOWN_SECONDS, Dialled, Event, Kiosk, NotNow, State, Ticket
from kiosk_client.link import Link
from kiosk_client.printer import PrinterFailed
from kiosk_client.printing import Printing
from kiosk_client.slip import Slip
from kiosk_client.spool import OpenRequest, Spool
from kiosk_client.telephone import Telephone
from kiosk_client.trouble import Trouble

CANNOT_KEEP = "発券機に不具合があります。恐れ入りますが、職員にお声がけください。"


@dataclass(frozen=True, slots=True)
class View:
    """What the touch page draws. `is_fresh` False: the counts may be old, and no number can be taken now. `at`: office
    time (epoch milliseconds) by which lanes are open or closed.

    `counters`: names of those that serve the lane of the ticket shown. `checks_in`: numbers from home are checked in.
    `device_code`: what staff types to let this machine in; '' once it is. `purpose`: what telephone numbers are kept
    for; None where whoever took this number cannot leave one.
    """

    version: int
    kiosk: Kiosk
    is_fresh: bool
    at: int
    office: str
    lanes: list[LaneState]
    counters: list[str]
    checks_in: bool
    device_code: str
    purpose: PurposeText | None


class Machine:
    def __init__(
        self,
        address: str,
        badge: Badge,
        spool: Spool,
        printing: Printing,
        public_url: str,
        chance: Callable[[], float],
    ) -> None:
        """`address`: ws://HOST:PORT/ws/kiosk of the hub; `public_url`: where residents find `/t`."""
        self._badge = badge
        self._badge.changed = self._news
        self._link = Link(address, badge, chance, self._news)
        self._spool = spool
        self._disk = Trouble("requests are kept again")
        self._printing = printing
        self._public_url = public_url
        self._kiosk = Kiosk()
        self._version = 1
        self._changed = asyncio.Event()
        self._work: asyncio.TaskGroup
        self._slip: Slip | None = None
        self._telephone = Telephone(self._link)
        self._purpose: PurposeText | None = None

    @property
    def view(self) -> View:
        screen, kiosk = self._link.screen, self._kiosk
        counters = [counter.name for counter in screen.counters if kiosk.lane in counter.lanes]
        lanes = [lane for lane in screen.lanes.values() if lane.offered]
        return View(
            version=self._version,
            kiosk=kiosk,
            is_fresh=self._link.is_fresh,
            at=self._link.now_ms,
            office=screen.office,
            lanes=lanes,
            counters=counters,
            checks_in=screen.checks_in,
            device_code=self._badge.code,
            purpose=self._purpose,
        )

    async def news(self, seen: int, within_s: float) -> View:
        """The view as soon as it is another than `seen`, or after `within_s`."""
        try:
            async with asyncio.timeout(within_s):
                while self._version == seen:
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self.view

    async def run(self) -> NoReturn:
        """Until cancelled; first what was left open by the run before."""
        async with asyncio.TaskGroup() as self._work:
            self._work.create_task(self._link.run())
            left = self._spool.read()
            if left is not None:
                self._move(Event.CHOSEN, lane=left.lane)
                self._work.create_task(self._resume(left))
        raise AssertionError("the link never ends by itself")

    def choose(self, lane: str) -> None:
        """Somebody touched a lane. Raises NotNow. Where the request cannot be kept, nothing is asked."""
        known = self._link.screen.lanes.get(lane)
        if not self._link.is_fresh or known is None or not known.offered:
            raise NotNow("no number can be taken at the moment")
        if giving(known, self._link.now_ms) is not Giving.OPEN:
            raise NotNow("the lane gives no numbers just now")
        asked = self._kiosk.after(Event.CHOSEN, lane=lane)
        request = OpenRequest(
            id=secrets.token_urlsafe(16),
            lane=lane,
            secret=secret_text(secrets.token_bytes(SECRET_BYTES)),
            day=self._link.screen.day,
        )
        try:
            self._spool.keep(request)
        except OSError as error:
            self._disk.begin("request not kept", error)
            self._kiosk = asked
            self._move(Event.REFUSED, sentence=CANNOT_KEEP)
            return
        self._kiosk = asked
        self._news()
        self._work.create_task(self._serve(request))

    def come_from_home(self) -> None:
        """Somebody has a number and wants to type it. Raises NotNow."""
        if not self._link.is_fresh or not self._link.screen.checks_in:
            raise NotNow("nobody can be checked in at the moment")
        self._move(Event.FROM_HOME)

    def keep_typing(self) -> None:
        """Raises NotNow."""
        self._move(Event.TOUCHED)

    def check_in(self, number: str, code: str) -> None:
        """Number and code were typed. Raises NotNow."""
        if not self._link.is_fresh:
            raise NotNow("nobody can be checked in at the moment")
        request = CheckInByCode(id=secrets.token_urlsafe(16), number=number, code=code)
        self._move(Event.TYPED)
        self._work.create_task(self._check_in(request))

    def print_again(self) -> None:
        """Raises NotNow."""
        self._move(Event.PRINT_AGAIN)
        if self._slip is not None:
            self._work.create_task(self._print(self._slip))

    def wish_by_phone(self) -> None:
        """Whoever took the number wishes to be told by telephone. Raises NotNow."""
        if self._purpose is None or not self._link.is_fresh:
            raise NotNow("no telephone number can be left at the moment")
        self._move(Event.BY_PHONE)

    def agree(self) -> None:
        """Raises NotNow."""
        self._move(Event.AGREED)

    def dial(self, telephone: str) -> None:
        """Raises NotNow."""
        self._move(Event.TYPED)
        self._work.create_task(self._read_back(telephone))

    def dial_again(self) -> None:
        """Raises NotNow."""
        self._move(Event.DIAL_AGAIN)

    def confirm(self, by: str, language: str) -> None:
        """It is the right number. Raises NotNow."""
        self._move(Event.CONFIRMED)
        self._work.create_task(self._leave_number(by, language))

    def leave(self) -> None:
        """Back to the lanes. Raises NotNow."""
        was = self._kiosk.state
        self._move(Event.LEFT)
        self._slip = self._purpose = None
        if was is State.UNPRINTED:
            self._clear()  # the screen has told number and code

    async def _resume(self, left: OpenRequest) -> None:
        while not self._link.is_fresh:
            await self._changed.wait()
        if left.day == self._link.screen.day:
            await self._serve(left)
        else:  # yesterday's: nobody waits for it, and asking again would make a new ticket
            self._clear()
            self._kiosk = Kiosk()
            self._news()

    async def _serve(self, request: OpenRequest) -> None:
        digest = digest_of(request.secret)
        body = await self._link.insist(Issue(id=request.id, lane=request.lane, secret=digest))
        if isinstance(body, RefusalBody):
            self._clear()
            self._move(Event.REFUSED, sentence=body.sentence)
            return
        screen = self._link.screen
        lane = screen.lanes.get(request.lane)
        ticket = Ticket(body.number or "", body.ahead, code_of(digest))
        self._slip = slip = Slip(
            office=screen.office,
            lane=lane.name if lane else "",
            number=ticket.number,
            ahead=ticket.ahead,
            at_ms=self._link.now_ms,
            secret=request.secret,
            code=ticket.code,
            public_url=self._public_url,
        )
        self._move(Event.ANSWERED, ticket=ticket)
        self._work.create_task(self._offer(slip))
        await self._print(slip)

    async def _check_in(self, request: CheckInByCode) -> None:
        """Nothing is kept for a power cut: whoever typed stands there and types again."""
        body = await self._link.ask(request)
        if isinstance(body, RefusalBody):
            why = body.details.get("state", body.code) if body.code == "WrongMove" else body.code
            self._move(Event.REFUSED, sentence=body.sentence, why=why)
        else:
            self._move(Event.ANSWERED, lane=body.lane, ticket=Ticket(body.number or "", body.ahead))

    async def _offer(self, slip: Slip) -> None:
        """Whoever took this number may leave a telephone number, where the office tells anybody by telephone."""
        purpose = await self._telephone.purpose()
        if self._slip is slip:
            self._purpose = purpose
            self._news()

    async def _read_back(self, telephone: str) -> None:
        body = await self._telephone.read_back(telephone)
        if isinstance(body, RefusalBody):
            self._move(Event.REFUSED, sentence=body.sentence, why=body.code)
        else:
            self._move(Event.ANSWERED, dialled=Dialled(body.to or "", tuple(body.ways or ())))

    async def _leave_number(self, by: str, language: str) -> None:
        slip, purpose, dialled = self._slip, self._purpose, self._kiosk.dialled
        if slip is None or purpose is None or dialled is None:
            raise AssertionError("nothing leads to this screen without them")
        body = await self._telephone.leave(slip.secret, dialled.telephone, by=by, language=language, purpose=purpose)
        if isinstance(body, RefusalBody):
            self._move(Event.REFUSED, sentence=body.sentence, why=body.code)
        else:
            self._move(Event.ANSWERED)

    async def _print(self, slip: Slip) -> None:
        try:
            await self._printing.print(slip)
        except PrinterFailed:
            self._move(Event.PRINTER_FAILED)
        else:
            self._clear()
            self._move(Event.PRINTED)

    def _clear(self) -> None:
        try:
            self._spool.clear()
        except OSError as error:  # a disk that takes nothing any more: the next touch is refused for it
            self._disk.begin("request not cleared", error)
        else:
            self._disk.end()

    def _move(
        self,
        event: Event,
        *,
        lane: str | None = None,
        ticket: Ticket | None = None,
        sentence: str | None = None,
        why: str | None = None,
        dialled: Dialled | None = None,
    ) -> None:
        self._kiosk = self._kiosk.after(event, lane=lane, ticket=ticket, sentence=sentence, why=why, dialled=dialled)
        self._news()
        shown = SHOWN_SECONDS.get(self._kiosk.state)
        if shown is not None:
            asyncio.get_running_loop().call_later(shown, self._leave_if_still, self._kiosk)

    def _leave_if_still(self, kiosk: Kiosk) -> None:
        if self._kiosk is kiosk:
            self.leave()

    def _news(self) -> None:
        self._version += 1
        self._changed.set()
        self._changed = asyncio.Event()
