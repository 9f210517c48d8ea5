"""LINE: agreeing on the page, the code in the chat, and what LINE tells us of its users. Nothing is ever asked of LINE.

What somebody writes there is read for one thing, a code of ours; any other text is answered the same, logged nowhere
and kept nowhere. A user id is sealed in the breath in which it arrives, and only if the page had the consent before.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.desk.notices import Carrier, Ending
from hub.desk.refusals import NotUnderstood, OtherBody, Refusal, StoreAway, TryAgain, WorldDiffers
from hub.desk.requests import Stamp
from hub.edge.asked import Asked
from hub.edge.guards import Guard
from hub.edge.reception import WHO, Reception, kept_id
from hub.edge.tries import Tries
from hub.edge.wishes import Counted, Wished, Wishes
from hub.store.links import Agreed, Links
from hub.store.sealing import Language
from hub.wire import codes
from hub.wire.tickets import LinkCode, NotifyByLine, NotifyByLineForm

_log = structlog.get_logger("hub.edge.line")

WEBHOOK_BYTES = 256 * 1024  # several events at a time, a text of 5,000 letters in one; refused, all of them were lost
EVENTS = 100  # in one of them
WRONG_CODES = 5  # a user in ten minutes: forty bits stay out of reach
WHILE = 600.0
USER = re.compile(r"U[0-9a-f]{32}", re.ASCII)
EVENT = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
ANSWER_TOKEN = re.compile(r"[!-~]{1,256}", re.ASCII)


class Source(msgspec.Struct, rename="camel"):
    type: str = ""
    user_id: str = ""


class Written(msgspec.Struct):
    type: str = ""
    text: str = ""


class Event(msgspec.Struct, rename="camel"):
    """What is read of an event; there is more in it, and none of our business."""

    type: str
    webhook_event_id: str
    mode: str = "active"
    timestamp: int = 0  # when it happened (ms, LINE's clock); the order in which they come says nothing
    source: Source = msgspec.field(default_factory=Source)
    message: Written = msgspec.field(default_factory=Written)
    reply_token: str = ""


class Webhook(msgspec.Struct):
    events: list[Event]


class LineLinks:
    """`secret`: the channel's, which LINE signs with; `account`: its basic id. `on_written` wakes whoever answers."""

    def __init__(
        self,
        reception: Reception,
        wishes: Wishes,
        links: Links,
        secret: str,
        account: str,
        on_written: Callable[[], None],
    ) -> None:
        self._reception, self._wishes, self._links = reception, wishes, links
        self._secret, self._account, self._on_written = secret.encode(), account, on_written
        self._wrong = Counted(Tries(WRONG_CODES, WHILE, reception.monotonic))
        self.counted = [self._wrong]

    def routes(self, guard: Guard) -> list[Route]:
        """`POST /t/line`: agree."""
        return self._reception.routes({"/t/line": self._agree}, guard)

    def webhook_routes(self) -> list[Route]:
        """`POST /line/webhook`: LINE alone, by its signature. On the public listener only."""
        return [Route("/line/webhook", self._webhook, methods=["POST"])]

    async def _agree(self, asked: Asked) -> Response:
        wanted, reception = asked.as_wish(NotifyByLine, NotifyByLineForm), self._reception
        day, arrival, secret = await reception.owned(wanted)
        try:
            self._wishes.admit(Carrier.LINE, wanted.purpose, consents=wanted.consent)
            agreed = Agreed(day, arrival, wanted.ahead, wanted.minutes, wanted.purpose, Language(wanted.language))
            code = codes.link_code_of(f"{wanted.id} {day} {arrival}")
            with self._wishes.counted(day, arrival):
                is_new = await self._links.keep(codes.digest_of(code), agreed)
                if not is_new and await self._links.find(codes.digest_of(code)) != agreed:
                    raise OtherBody
        except Refusal as refusal:
            return await reception.refuse_on_page(asked, refusal, day, arrival, secret)
        shown = codes.shown_code(code)
        url = f"https://line.me/R/oaMessage/{self._account.replace('@', '%40')}/?{shown}"
        told = await reception.told(day, arrival, secret)
        return reception.show(asked, msgspec.structs.replace(told, link=LinkCode(shown, self._account, url)))

    async def _webhook(self, request: Request) -> Response:
        body, is_long = b"", False
        async for chunk in request.stream():  # to its end: who is cut off in the middle hears no answer
            is_long = is_long or len(body) + len(chunk) > WEBHOOK_BYTES
            body = b"" if is_long else body + chunk
        if is_long:
            return Response(status_code=413)
        if not self._is_signed(body, request.headers.getlist("x-line-signature")):
            return Response(status_code=401)
        try:
            events = msgspec.json.decode(body, type=Webhook).events[:EVENTS]
        except (msgspec.DecodeError, RecursionError):
            return Response(status_code=400)
        status = 200
        for event in events:  # each, whatever became of the others: LINE may tell them no second time
            try:
                await self._hear(event)
            except StoreAway:
                return Response(status_code=503)  # nothing can be heard now
            except TryAgain:
                status = 503  # LINE tells it again, and what was heard already is nothing new
            except Exception as error:
                # No traceback: it could quote what was written.
                _log.error("webhook failed", error=type(error).__name__)
                status = 500
        return Response(status_code=status)

    def _is_signed(self, body: bytes, signatures: list[str]) -> bool:
        own = b64encode(hmac.new(self._secret, body, hashlib.sha256).digest())
        return len(signatures) == 1 and hmac.compare_digest(own, signatures[0].encode("utf-8", "replace"))

    async def _hear(self, event: Event) -> None:
        user, name = event.source.user_id, event.webhook_event_id
        is_ours = event.mode == "active" and event.source.type == "user"
        if not is_ours or not USER.fullmatch(user) or not EVENT.fullmatch(name):
            return
        if await self._links.has_heard(name):
            return
        match event.type:
            case "message":
                code = codes.read_code(event.message.text) if event.message.type == "text" else None
                if code is None or not await self._bind(user, code, event.timestamp):
                    await self._answer(event)
            case "follow":
                await self._answer(event)
            case "unfollow":
                await self._links.leave(self._owner(user), event.timestamp)
                await self._erase(user, Ending.BLOCK)
            case _:
                pass  # unsend: nothing is kept that could be taken back
        await self._links.hear(name)

    async def _bind(self, user: str, code: str, wrote_at: int) -> bool:
        """Whether this code was good; told to nobody but by the first notice."""
        if not self._wrong.take(user) or await self._has_left(user, wrote_at):
            return False
        digest, day = codes.digest_of(code), self._reception.day()
        agreed = await self._links.find(digest)
        purpose = self._wishes.purposes.get(Carrier.LINE)
        if agreed is None or agreed.day != day or purpose is None or agreed.purpose != purpose.mark:
            return False
        wished = Wished(
            Carrier.LINE,
            user,
            agreed.ahead,
            agreed.minutes,
            agreed.purpose,
            language=agreed.language,
            owner=self._owner(user),
        )
        try:
            # Under an id that is made from the code: whoever sends it a second time is refused by the desk.
            stamp = Stamp(day, WHO, kept_id("/line/webhook", code))
            await self._wishes.keep_once(stamp, code, agreed.ticket, wished)
        except (WorldDiffers, NotUnderstood):
            return False
        self._wrong.give_back(user)
        await self._links.drop(digest)
        if await self._has_left(user, wrote_at):  # while it was kept: that was heard when there was nothing to erase
            await self._erase(user, Ending.BLOCK)
        return True

    async def _has_left(self, user: str, wrote_at: int) -> bool:
        """Whether he has blocked the account after he wrote this, though we heard of that first."""
        left_at = await self._links.left_at(self._owner(user))
        return left_at is not None and wrote_at <= left_at

    async def _erase(self, user: str, ending: Ending) -> None:
        day = self._reception.day()
        for stop in await self._reception.desk.stops_of(day, self._owner(user)):
            await self._reception.erase(day, replace(stop, ending=ending))

    async def _answer(self, event: Event) -> None:
        if ANSWER_TOKEN.fullmatch(event.reply_token):
            await self._links.want_answer(event.reply_token)
            self._on_written()

    def _owner(self, user: str) -> str:
        """What is kept of a user id beside its seal: with the channel's secret it is found again, without it never."""
        return hmac.new(self._secret, f"owner {user}".encode(), "sha256").hexdigest()
