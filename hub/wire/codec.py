"""Messages to bytes and back. Text becomes a typed message once, here; what is not one is a `NotAMessage`."""

from typing import Any

import msgspec

from hub.wire.messages import DeskRequest, HubFrame, KioskRequest, WallRequest

_encoder = msgspec.json.Encoder()
_frames: "msgspec.json.Decoder[HubFrame]" = msgspec.json.Decoder(HubFrame)
_desk: "msgspec.json.Decoder[DeskRequest]" = msgspec.json.Decoder(DeskRequest)
_kiosk: "msgspec.json.Decoder[KioskRequest]" = msgspec.json.Decoder(KioskRequest)
_wall: "msgspec.json.Decoder[WallRequest]" = msgspec.json.Decoder(WallRequest)


class NotAMessage(Exception):
    """The text is no message of ours. `request_id` is the id it carried, where one could be read."""

    def __init__(self, why: str, request_id: str | None = None) -> None:
        super().__init__(why)
        self.request_id = request_id


def encode(message: HubFrame | DeskRequest | KioskRequest | WallRequest) -> bytes:
    """One message as UTF-8 JSON."""
    return _encoder.encode(message)


def read_frame(text: str | bytes) -> HubFrame | None:
    """A frame from the hub; None for a type that this screen does not know yet (it ignores it)."""
    try:
        return _frames.decode(text)
    except msgspec.ValidationError:
        if _is_unknown_type(text):
            return None
        raise NotAMessage("a frame of a known type with fields that do not fit") from None
    except msgspec.DecodeError as error:
        raise NotAMessage(str(error)) from None


def read_desk_request(text: str | bytes) -> DeskRequest:
    request: DeskRequest = _read(_desk, text)
    return request


def read_kiosk_request(text: str | bytes) -> KioskRequest:
    request: KioskRequest = _read(_kiosk, text)
    return request


def read_wall_request(text: str | bytes) -> WallRequest:
    request: WallRequest = _read(_wall, text)
    return request


def _read(decoder: "msgspec.json.Decoder[Any]", text: str | bytes) -> Any:
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise NotAMessage(str(error), _id_of(text)) from None


def _loose(text: str | bytes) -> dict[str, Any]:
    try:
        loose = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return {}
    return loose if isinstance(loose, dict) else {}


def _id_of(text: str | bytes) -> str | None:
    found = _loose(text).get("id")
    return found if isinstance(found, str) and len(found) <= 64 else None


def _is_unknown_type(text: str | bytes) -> bool:
    kind = _loose(text).get("type")
    return isinstance(kind, str) and kind not in KNOWN_TYPES


KNOWN_TYPES = frozenset(kind.__struct_config__.tag for kind in HubFrame.__args__)
