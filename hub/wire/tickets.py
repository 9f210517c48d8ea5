"""What a resident's browser sends about a ticket, and is told, over HTTP. The secret stands in bodies alone."""

from typing import Annotated

from msgspec import Meta, Struct

from hub.wire.messages import Key, RequestId, Secret, Typed

BODY_BYTES = 1024  # three short fields; more is none of our pages

SecretText = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{22}\\Z")]  # as `secret_text` of hub/wire/codes.py makes it


class Take(Struct, forbid_unknown_fields=True, frozen=True):
    """`secret`: SHA-256 of the browser's secret, hexadecimal."""

    id: RequestId
    lane: Key
    secret: Secret


class TakeByForm(Struct, forbid_unknown_fields=True, frozen=True):
    """Without JavaScript: the page brought a secret along, whose code is then all that the resident needs."""

    id: RequestId
    lane: Key
    secret: SecretText


class Find(Struct, forbid_unknown_fields=True, frozen=True):
    """By the secret, or by number and code."""

    secret: SecretText | None = None
    number: Typed = ""
    code: Typed = ""


class Cancel(Struct, forbid_unknown_fields=True, frozen=True):
    id: RequestId
    secret: SecretText | None = None
    number: Typed = ""
    code: Typed = ""


class Told(Struct, frozen=True):
    """A ticket as its resident is told it. `ahead` only while it waits, `counter` only while it is called or missed."""

    day: str
    arrival: int
    number: str
    lane: str
    state: str
    code: str
    ahead: int | None = None
    counter: str | None = None
