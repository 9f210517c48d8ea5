"""Whoever was passed reads why: the resident on his telephone, the clerk by one key, the manager for the whole day."""

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hub.desk.lane import Priority, Reason
from hub.wire import messages as wire
from hub.wire.codes import digest_of
from hub.wire.roles import Role
from tests.journeys.conftest import Open
from tests.journeys.looking import press, sees, text
from tests.journeys.test_a_ticket import PHONE
from tests.journeys.ward import CERTIFICATES, MOVES, Ward, ask, ward_office, ward_running

if TYPE_CHECKING:
    from playwright.async_api import Browser

OFFICE = replace(
    ward_office(),
    reasons=(Reason("health", "体調がすぐれない"),),
    priorities=(Priority("care", "優先", 3, frozenset({"desk"})),),
)


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    async with ward_running(tmp_path, OFFICE) as ward:
        yield ward


def new_id() -> str:
    return secrets.token_urlsafe(16)


async def taken(ward: Ward) -> str:
    """A number from the machine; gives what its slip opens with."""
    secret = new_id()
    async with ward.socket("/ws/kiosk") as kiosk:
        await ask(kiosk, wire.Issue(new_id(), CERTIFICATES, digest_of(secret)))
    return secret


async def test_a_resident_who_was_passed_reads_why(ward: Ward, open_page: Open, browser: "Browser") -> None:
    secret = await taken(ward)
    for lane in (CERTIFICATES, MOVES):
        await ward.issue(lane)
    phone = await open_page(f"{ward.public}/t#{secret}")
    await phone.set_viewport_size(PHONE)
    await sees(phone, "#own", "A101", "次 にお呼びします")
    assert not await phone.locator("#passed-part").is_visible()
    async with ward.socket("/ws/desk") as desk:
        await ask(desk, wire.Next(new_id(), "1", None, [MOVES]))
        await ask(desk, wire.Call(new_id(), "2", 2, None, "health"))
    await sees(phone, "#passed-part", "A102", "事情により、職員が先にお呼びした番号です。")
    await sees(phone, "#passed-part", "B401", "別の手続きの番号です。")
    assert "体調" not in await text(phone, "body"), "why somebody was chosen is nobody's business"
    assert await phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    context = await browser.new_context(java_script_enabled=False, locale="ja-JP")
    plain = await context.new_page()
    await plain.goto(f"{ward.public}/t")
    await plain.fill("#find-number", "A101")
    await plain.fill("#find-code", await text(phone, "#code"))
    await plain.get_by_role("button", name="状況を見る").click()
    await sees(plain, "#passed-part", "A102", "事情により、職員が先にお呼びした番号です。")
    await context.close()


async def test_a_clerk_asks_by_one_key_and_a_manager_reads_the_day(ward: Ward, open_page: Open) -> None:
    for _ in range(3):
        await ward.issue()
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    async with ward.socket("/ws/desk") as socket:
        await ask(socket, wire.Call(new_id(), "2", 3, None, "health"))
    await sees(desk, "#number", "A103")
    await press(desk, "w")
    told = "A101、A102 より先（番号を選んで呼び出し）。理由は「体調がすぐれない」。"
    await sees(desk, "#why-lines", "A103：", "2番窓口で呼び出し", told)
    await desk.keyboard.type("a101")
    await desk.keyboard.press("Enter")
    await sees(desk, "#why-lines", "A101：A103 が先に呼ばれました：番号を選んで呼び出し。")
    await desk.keyboard.type("z9")
    await desk.keyboard.press("Enter")
    await sees(desk, "#why-lines", "この番号は本日の受付にありません。")
    await desk.keyboard.press("Escape")
    await press(desk, "n")  # the keys are the desk's again
    await sees(desk, "#number", "A101")

    manager = await open_page(f"{ward.inside}/sign-in")
    report: dict[str, Any] = {}
    for role, status in ((Role.COUNTER, 403), (Role.OPERATOR, 403), (Role.AUDITOR, 200), (Role.MANAGER, 200)):
        session = {"name": "junban_session", "value": ward.doors.session(role), "url": ward.inside}
        await manager.context.add_cookies([session])  # type: ignore[list-item]  # a plain cookie
        answer = await manager.request.get(f"{ward.inside}/audit/fairness.json")
        assert answer.status == status, role
        report = json.loads(await answer.text()) if answer.ok else {}
    assert (report["calls"], report["unexplained"], report["reasons"]) == (2, 0, {"chosen": 2})
    assert [row["number"] for row in report["passed"]] == ["A101", "A102"]
    await manager.goto(f"{ward.inside}/audit/fairness")
    await sees(manager, "main", "説明できない順番はありません。", "番号を選んで呼び出し", "A103")
    await manager.goto(f"{ward.inside}/audit/fairness?day=2020-01-01")
    await sees(manager, "main", "2020-01-01 の記録はありません。")
