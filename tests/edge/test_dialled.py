"""A telephone number that is dialled at a ticket machine, over its own socket, at a hub that tells by telephone."""

import asyncio
import secrets
from typing import Any

import msgspec
import pytest
import structlog
from websockets.asyncio.client import ClientConnection

from hub.store.sealing import By
from hub.wire import messages as wire
from hub.wire.codec import encode, read_frame
from hub.wire.codes import SECRET_BYTES, digest_of, secret_text
from tests.edge.hubs import memory_hub, served
from tests.edge.told import PHONE_PURPOSE, Ward, ward
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, OFFICE
from tests.fanout.memory import MemoryStore

__all__ = ["ward"]
pytestmark = pytest.mark.anyio
NUMBER = "09012345678"


def new_id() -> str:
    return secrets.token_urlsafe(16)


async def ask(socket: ClientConnection, request: wire.KioskRequest) -> wire.AnswerBody | wire.RefusalBody:
    await socket.send(encode(request), text=True)
    while True:
        frame: Any = read_frame(await socket.recv(decode=False))
        if isinstance(frame, wire.Reply) and frame.id == request.id:
            body = frame.answer or frame.refusal
            assert isinstance(body, wire.AnswerBody | wire.RefusalBody)
            return body


async def take(socket: ClientConnection) -> str:
    """The secret of a number that was taken here."""
    secret = secret_text(secrets.token_bytes(SECRET_BYTES))
    assert isinstance(await ask(socket, wire.Issue(new_id(), CERTIFICATES, digest_of(secret))), wire.AnswerBody)
    return secret


def wish(secret: str) -> wire.NotifyDialled:
    return wire.NotifyDialled(new_id(), secret, NUMBER, "sms", "ja", 3, PHONE_PURPOSE.mark)


async def test_what_it_is_kept_for_is_told_and_a_number_is_read_back_without_being_kept(ward: Ward) -> None:
    async with ward.hub.open("/ws/kiosk") as socket:
        told = await ask(socket, wire.AskPurpose(new_id()))
        assert isinstance(told, wire.AnswerBody)
        assert told.purpose == wire.PurposeText(PHONE_PURPOSE.version, PHONE_PURPOSE.text, PHONE_PURPOSE.mark)
        for typed, shown, ways in (
            (NUMBER, "090-1234-5678", ["sms", "voice"]),
            ("0312345678", "03-1234-5678", ["voice"]),
        ):
            read = await ask(socket, wire.ReadBack(new_id(), typed))
            assert isinstance(read, wire.AnswerBody)
            assert (read.to, read.ways) == (shown, ways)
        refused = await ask(socket, wire.ReadBack(new_id(), "0120123456"))
        assert isinstance(refused, wire.RefusalBody)
        assert refused.code == "BadTelephone"
    assert await ward.kept() == []


async def test_a_wish_is_kept_once_however_often_it_is_said(ward: Ward) -> None:
    with structlog.testing.capture_logs() as logged:
        async with ward.hub.open("/ws/kiosk") as socket:
            asked = wish(await take(socket))
            for _ in range(3):
                assert isinstance(await ask(socket, asked), wire.AnswerBody)
    (contact,) = await ward.kept()
    assert (contact.to, contact.by) == ("+819012345678", By.SMS)
    assert "12345678" not in str(logged)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret": "A" * 22}, "NotYours"),
        ({"purpose": "another/00000000"}, "PurposeChanged"),
        ({"telephone": "110"}, "BadTelephone"),
    ],
)
async def test_nothing_is_kept_of_what_is_refused(ward: Ward, changes: dict[str, str], code: str) -> None:
    async with ward.hub.open("/ws/kiosk") as socket:
        refused = await ask(socket, msgspec.structs.replace(wish(await take(socket)), **changes))
    assert isinstance(refused, wire.RefusalBody)
    assert refused.code == code
    assert NUMBER not in str(refused)
    assert await ward.kept() == []


async def test_one_telephone_is_not_left_for_everybody(ward: Ward) -> None:
    async with ward.hub.open("/ws/kiosk") as socket:
        answers = [await ask(socket, wish(await take(socket))) for _ in range(4)]
    codes = [answer.code for answer in answers if isinstance(answer, wire.RefusalBody)]
    assert codes == ["TelephoneUsedUp"]


async def test_an_office_without_a_telephone_is_asked_in_vain() -> None:
    store = MemoryStore(OFFICE)
    await store.open_day()
    relay, apps = memory_hub(store)
    tail = asyncio.create_task(relay.run())
    async with served(apps) as hub:
        await eventually(lambda: not relay.is_away)
        async with hub.open("/ws/kiosk") as socket:
            refused = await ask(socket, wire.AskPurpose(new_id()))
    tail.cancel()
    await asyncio.wait([tail])
    assert isinstance(refused, wire.RefusalBody)
    assert refused.code == "NoticesClosed"
