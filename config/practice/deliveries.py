"""What LINE and the telephone carrier of practice took, in one row, for whoever judges a day; and somebody who writes.

Mails have a row of their own (`inbox`). Everything stays in memory, the last KEPT of it.
"""

import secrets
from collections import deque
from dataclasses import asdict, dataclass
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from config.practice.line_stand_in import LineStandIn, Spoken
from config.practice.phone_stand_in import Told
from hub.desk.notices import Carrier

KEPT = 3000  # messages; a peak day of practice has some 800
SAID_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Delivered:
    """`id`: its place in the row; `name`: what the carrier knows it by, '' where it knows nothing of that kind."""

    id: int
    carrier: Carrier
    to: str
    text: str
    name: str
    received_at: datetime


class Deliveries:
    """`name` is another after each start, as an inbox's."""

    def __init__(self) -> None:
        self.name = secrets.token_hex(8)
        self.received = 0
        self._kept: deque[Delivered] = deque(maxlen=KEPT)

    def said(self, spoken: Spoken) -> None:
        """By LINE; of what the ward's account says, only notices have a retry key."""
        if spoken.key:
            self._put(Carrier.LINE, spoken.user, spoken.text, spoken.key, spoken.at)

    def told(self, told: Told) -> None:
        self._put(Carrier.PHONE, told.to, told.text, "", told.at)

    def after(self, id: int) -> list[Delivered]:
        """The oldest first."""
        return [one for one in self._kept if one.id > id]

    def _put(self, carrier: Carrier, to: str, text: str, name: str, at: datetime) -> None:
        self.received += 1
        self._kept.append(Delivered(self.received, carrier, to, text, name, at))


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody writes to the ward's account in LINE."""

    user: str
    text: str


def delivery_routes(deliveries: Deliveries, line: LineStandIn) -> list[BaseRoute]:
    """`/told.json?after=INBOX-N`, and `/line.json`, which answers what the ward's webhook did."""

    async def told(request: Request) -> Response:
        name, _, after = request.query_params.get("after", "").partition("-")
        found = deliveries.after(int(after) if after.isdecimal() and name == deliveries.name else 0)
        rows = [asdict(one) | {"received_at": one.received_at.isoformat()} for one in found]
        return JSONResponse({"inbox": deliveries.name, "received": deliveries.received, "told": rows})

    async def write(request: Request) -> Response:
        try:
            said = msgspec.json.decode(await request.body(), type=Said)
        except (msgspec.DecodeError, UnicodeError):
            return Response(status_code=400)
        return JSONResponse({"status": await line.write(said.user, said.text)})

    return [
        Route("/told.json", told, methods=["GET"]),
        Route("/line.json", write, methods=["POST"], max_body_size=SAID_BYTES),
    ]
