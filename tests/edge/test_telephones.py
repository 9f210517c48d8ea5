"""Telephone numbers: how often one is left, what the carrier tells afterwards, and what staff learn of it."""

from typing import Any

import httpx2
import pytest

from hub.desk.notices import Carrier
from hub.desk.requests import Stamp, TakeBack
from tests.edge.test_residents import Browser, code_in, new_id
from tests.edge.told import Ward, browser, phone_wish, ward
from tests.eventually import eventually

__all__ = ["browser", "ward"]
pytestmark = pytest.mark.anyio


async def test_a_telephone_that_never_rang_is_said_to_be_so(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    ward.phone.tells = False
    answer = await browser.post("/t/phone", **phone_wish(secret, by="voice"))
    assert answer.json()["to"] == "090-1234-5678"
    await ward.send(Carrier.PHONE)
    registered, near = ward.phone.told
    assert registered.is_call
    assert await ward.phone.say(registered, "completed") == 204
    assert await ward.phone.say(near, "no-answer") == 204
    told = (await browser.post("/t/find", secret=secret)).json()["notices"][0]
    assert (told["registered"], told["near"]) == ("accepted", "refused")


async def test_whoever_presses_one_is_forgotten_at_once(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    await browser.post("/t/phone", **phone_wish(secret, by="voice"))
    await ward.send(Carrier.PHONE)
    assert await ward.phone.press(ward.phone.told[0], "2") == 200
    assert len(await ward.kept()) == 1
    assert await ward.phone.press(ward.phone.told[0], "1") == 200
    assert await ward.kept() == []


@pytest.mark.parametrize("path", ["/phone/x", "/phone/" + "A" * 22, "/phone/" + "A" * 22 + "/keys"])
async def test_a_callback_of_nobody_changes_nothing(ward: Ward, browser: Browser, path: str) -> None:
    secret, _ = await browser.take()
    await browser.post("/t/phone", **phone_wish(secret))
    answer = await browser.send(path, MessageStatus="failed", Digits="1")
    assert answer.status_code in (200, 204)
    assert len(await ward.kept()) == 1


@pytest.mark.parametrize("telephone", ["0120-123-456", "110", "taro", "", "+1 202 555 0123"])
async def test_a_number_that_cannot_be_told_is_refused_and_nothing_is_kept(
    ward: Ward, browser: Browser, telephone: str
) -> None:
    secret, _ = await browser.take()
    assert code_in(await browser.post("/t/phone", **phone_wish(secret, telephone=telephone))) == "BadTelephone"
    assert await ward.kept() == []


async def test_one_telephone_is_not_made_to_ring_all_day(ward: Ward, browser: Browser) -> None:
    answers = []
    for lane in ("certificates", "moves"):
        secret, _ = await browser.take(lane)
        answers += [code_in(await browser.post("/t/phone", **phone_wish(secret))) for _ in range(2)]
    assert answers == ["ok", "ok", "ok", "TelephoneUsedUp"]


async def test_a_telephone_that_could_not_be_taken_is_not_counted(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    keys: Any = await ward.client.hgetall(ward.keys.public_keys())
    await ward.client.delete(ward.keys.public_keys())
    answers = [code_in(await browser.post("/t/phone", **phone_wish(secret))) for _ in range(4)]
    assert answers == ["NoticesClosed"] * 4
    await ward.client.hset(ward.keys.public_keys(), mapping=keys)
    assert code_in(await browser.post("/t/phone", **phone_wish(secret))) == "ok"


async def test_the_same_wish_for_a_telephone_is_counted_once_and_answered_the_same(
    ward: Ward, browser: Browser
) -> None:
    secret, _ = await browser.take()
    again = phone_wish(secret)
    assert [code_in(await browser.post("/t/phone", **again)) for _ in range(5)] == ["ok"] * 5
    other, _ = await browser.take("moves")
    assert code_in(await browser.post("/t/phone", **phone_wish(other))) == "ok"


async def test_staff_learns_whether_whoever_is_called_was_told_and_nobody_else_does(
    ward: Ward, browser: Browser
) -> None:
    secret, told = await browser.take()
    path = f"/desk/told/{told['arrival']}"
    staff = httpx2.AsyncClient(base_url=ward.hub.page(""), headers=ward.hub.headers("/ws/desk"), trust_env=False)
    async with staff:
        assert (await staff.get(path)).json() == {"told": "unwished"}
        await browser.post("/t/phone", **phone_wish(secret))
        assert (await staff.get(path)).json() == {"told": "sending"}
        await ward.send(Carrier.PHONE)
        answer = await staff.get(path)
        assert answer.json() == {"told": "told"}
        assert "1234" not in answer.text
        await ward.call()
        await ward.send(Carrier.PHONE)
        assert (await staff.get(path)).json() == {"told": "told"}
        await ward.lanes.do(Stamp(await ward.day(), "desk", new_id()), TakeBack("1", told["arrival"]))
        await browser.post("/t/stop", id="s" * 22, secret=secret, carrier="phone")
        await ward.call()

        async def is_untold() -> bool:
            return bool((await staff.get(path)).json() == {"told": "not_told"})

        await eventually(is_untold)
    async with httpx2.AsyncClient(base_url=ward.hub.page(""), trust_env=False) as stranger:
        assert (await stranger.get(path)).status_code != 200
    assert (await browser.client.get(path)).status_code == 404, "no page of residents"
