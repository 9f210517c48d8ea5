"""A ward's auditor asks five questions of an office that has a day and its night behind it, and each is answered by a
page: who handled what on a day; whether a number's contact was erased, when and how; a certificate for a month; who is
designated; whether anything was altered.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from hub.edge.access import SESSION_COOKIE
from hub.ledger.asked import Asks
from hub.ledger.erasures import Handled
from hub.ledger.journal import Author
from hub.ledger.tables import OPERATIONS
from hub.store.connection import connect
from hub.wire import messages as wire
from hub.wire.roles import Role
from tests.doors import name_of, real_ms
from tests.journeys.accessible import assert_accessible
from tests.journeys.looking import sees, text
from tests.journeys.test_explained import new_id
from tests.journeys.ward import CERTIFICATES, Ward, ask, ward_running
from tests.model.desks import small_office
from tests.workers import ward as workers_ward
from tests.workers.draining import run_with
from tests.workers.erasing import Night
from tests.workers.postbox import postbox
from tests.workers.test_asked import asked_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, ViewportSize

OFFICE = small_office("ward")
LAPTOP: "ViewportSize" = {"width": 1366, "height": 768}
PHONE: "ViewportSize" = {"width": 320, "height": 640}


@dataclass
class Audit:
    """`page`: the auditor's browser, signed in. `stopped`: erased on request by day; `kept`: on the day after."""

    ward: Ward
    night: Night
    page: "Page"
    day: str
    kept: Handled
    stopped: Handled


@pytest.fixture
async def audit(tmp_path: Path, browser: "Browser") -> AsyncIterator[Audit]:
    async with ward_running(tmp_path, OFFICE) as ward, a_day_and_its_night(ward, tmp_path) as night:
        context = await browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo", viewport=LAPTOP)
        base, session = ward.inside, ward.doors.session(Role.AUDITOR)
        await context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": base, "httpOnly": True}])
        page, complaints = await context.new_page(), list[str]()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        kept, stopped = night.handled()
        yield Audit(ward, night, page, night.office.day, kept, stopped)
        await context.close()
        assert complaints == []


@asynccontextmanager
async def a_day_and_its_night(ward: Ward, folder: Path) -> AsyncIterator[Night]:
    """Two numbers with an address each; the first is called and told by mail, the second asks the office to erase."""
    client = connect(ward.store.url)
    office = workers_ward.Ward(ward.store.url, client, OFFICE.key, folder / "keys")
    await office.open()
    night = Night(office, ward.store, folder)
    night.eraser = night.another_eraser(may_restart=False)  # the hub is looking on
    try:
        first, second = await office.take(), await office.take()
        await office.wish(first, "first@example.test")
        await office.wish(second, "second@example.test")
        async with ward.socket("/ws/desk") as desk:
            await ask(desk, wire.Next(new_id(), "2", None, [CERTIFICATES]))
        with postbox() as box:
            await run_with(office, box)
            assert len(box.letters) == 4, "each registered, the next one near, the first called"
        asks = Asks(night.ledger)
        asks.ask("A102", Author("cli:sato", "erase-1"), real_ms())
        await asked_of(night, asks, now_ms=real_ms()).turn()
        await night.archiver.turn()
        await night.turn()
        await night.come()
        await night.turn()
        yield night
    finally:
        night.ledger.close()
        await client.aclose()


async def test_who_handled_what_on_a_day(audit: Audit) -> None:
    page = audit.page
    await page.goto(f"{audit.ward.inside}/audit")
    await page.get_by_label("日", exact=True).fill(audit.day)
    await page.get_by_label("何を").select_option("TicketCalled")
    await page.get_by_role("button", name="絞り込む").click()
    await sees(page, "tbody", "呼び出し", f"{name_of(Role.COUNTER)} さん", "A101", "2番窓口")
    await page.get_by_label("何を").select_option("ErasureAsked")
    await page.get_by_role("button", name="絞り込む").click()
    await sees(page, "tbody", "連絡先の即時消去の依頼", "コマンド（sato）", "A102")
    await assert_accessible(page)


async def test_was_this_numbers_contact_erased_when_and_how(audit: Audit) -> None:
    page = audit.page
    await page.goto(f"{audit.ward.inside}/audit/contacts")
    await page.get_by_label("利用日").fill(audit.day)
    await page.get_by_role("button", name="表示する").click()
    await sees(page, "main", "2 件。未消去 0 件、確認が済んでいないもの 0 件。")
    kept = page.locator("tbody tr").filter(has_text="A101")
    await sees(page, "tbody tr:has-text('A101')", "登録の確認", "お呼び出し", "送信済み")
    told = await kept.inner_text()
    assert "利用終了の翌日" in told
    assert "0:10:01" in told
    assert "鍵の破棄、データストアでの上書きと削除" in told
    assert audit.kept.key
    assert audit.kept.key in told
    assert audit.kept.subscription in told
    told = await page.locator("tbody tr").filter(has_text="A102").inner_text()
    assert "申出による即時の消去" in told
    assert audit.stopped.subscription in told
    for secret in ("first@example.test", "second@example.test"):
        assert secret not in await page.content()
    await assert_accessible(page)


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE], ids=["laptop", "phone"])
async def test_the_page_of_contacts_fits(audit: Audit, viewport: "ViewportSize") -> None:
    page = audit.page
    await page.set_viewport_size(viewport)
    await page.goto(f"{audit.ward.inside}/audit/contacts?day={audit.day}")
    await sees(page, "main", "A101")
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await assert_accessible(page)


async def test_a_certificate_for_a_month_is_a_file_with_two_presses(audit: Audit, tmp_path: Path) -> None:
    page = audit.page
    await page.goto(f"{audit.ward.inside}/audit/contacts?day={audit.day}")
    over = date.fromisoformat(f"{audit.day[:7]}-01") - timedelta(days=1)
    assert await page.get_by_label("対象の月").input_value() == over.isoformat()[:7]
    await page.get_by_label("発行日").fill(audit.day)
    await page.get_by_label("宛先").fill("区長　様")
    await page.get_by_label("発行者").fill("順番運営株式会社")
    papers, name = [], ""
    for _ in range(2):
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="PDF を保存する").click()
        paper = await downloading.value
        await paper.save_as(tmp_path / "paper.pdf")
        papers.append((tmp_path / "paper.pdf").read_bytes())
        name = paper.suggested_filename
    assert name.startswith("ward-")
    assert name.endswith(".pdf")
    assert papers[0].startswith(b"%PDF-")
    assert papers[0] == papers[1], "the same of the same"


async def test_who_is_designated(audit: Audit) -> None:
    page = audit.page
    await page.goto(f"{audit.ward.inside}/admin/people")
    row = page.locator("tbody tr").filter(has_text=name_of(Role.COUNTER))
    told = await row.inner_text()
    assert "窓口担当" in told
    assert told.count("2026-04-01") == 2, "designated and trained"
    assert await page.get_by_role("button", name="登録").count() == 0, "an auditor only looks"
    await assert_accessible(page)


async def test_was_anything_altered(audit: Audit) -> None:
    page = audit.page
    await page.goto(f"{audit.ward.inside}/audit/contacts")
    await page.get_by_role("button", name="改ざんの有無を検証する").click()
    await sees(page, "#found", "台帳に誤りはありません。", "書き加えたときのまま")
    assert await page.locator("#walked").is_hidden()
    await assert_accessible(page)
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="台帳と検証プログラムを保存する").click()
    assert (await downloading.value).suggested_filename == "ledger.zip"
    with audit.night.ledger.engine.begin() as connection:
        connection.execute(sa.update(OPERATIONS).where(OPERATIONS.c.seq == 3).values(who="staff:somebody"))
    await page.get_by_role("button", name="改ざんの有無を検証する").click()
    await sees(page, "#found", "台帳に誤りがあります。3 番: 記録が書き換えられた")
    assert "refusal" in (await page.locator("#found").get_attribute("class") or "")
    assert await text(page, "#found")
