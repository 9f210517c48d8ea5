"""What a machine and the hub say to each other before there is a socket: JSON over HTTP, on the inside listener."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from hub.wire.messages import Key

Version = Annotated[str, Meta(pattern="^[A-Za-z0-9._+-]{0,32}\\Z")]


class Ask(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /device/ask`: let me in. `place`: a wall's screen, a desk's counter, a kiosk's own key."""

    role: Literal["wall", "kiosk", "desk"]
    place: Key
    version: Version = ""


class Asked(Struct, frozen=True):
    """Told once: `token` to keep, `code` to show until `until` (epoch milliseconds, real time)."""

    token: str
    code: str
    until: int


class Standing(Struct, frozen=True, omit_defaults=True):
    """`POST /device/state`: `waiting` until a moment, `in` at a place, or `unknown`: ask anew."""

    state: Literal["waiting", "in", "unknown"]
    until: int = 0
    place: str = ""


class Turned(Struct, frozen=True):
    """`POST /device/turn`: the token from now on, null while the present one is younger than a day."""

    token: str | None
