"""The first morning: an operator comes in by a one-time password, lets in a handler, who calls and is sent home."""

import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.asgi import hub_running
from config.embedded import EmbeddedValkey
from config.serving import listen, serving
from hub.ledger.connection import sqlite_url
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.wire.roles import Role
from tests.journeys.accessible import assert_accessible
from tests.journeys.conftest import Open
from tests.journeys.looking import press, sees
from tests.journeys.test_a_ticket import take
from tests.journeys.ward import ward_office

if TYPE_CHECKING:
    from playwright.async_api import Page

DAY = "2026-04-01"
OWN, HERS = "operator chose this one", "counter chose this one"
LAPTOP, PHONE = (1366, 768), (320, 640)


@dataclass
class Morning:
    """An office that has no account yet. `public` and `inside` are base URLs."""

    public: str
    inside: str
    people: People

    def first_operator(self) -> str:
        """As `junban user add` makes the first account; gives the one-time password."""
        return self.people.add("sato", "佐藤 花子", Role.OPERATOR, DAY, DAY, Author("cli"))


@pytest.fixture
async def morning(tmp_path: Path) -> AsyncIterator[Morning]:
    office, url = ward_office(), sqlite_url(tmp_path / "ledger.sqlite")
    ledger = Ledger(url, office.key)
    ledger.prepare()
    with EmbeddedValkey(tmp_path) as store, listen("127.0.0.1", 0) as public, listen("127.0.0.1", 0) as inside:
        running = hub_running(office, redis_url=store.url, ledger_url=url)
        async with running as apps, serving(apps, public, inside):
            yield Morning(
                f"http://127.0.0.1:{public.getsockname()[1]}",
                f"http://127.0.0.1:{inside.getsockname()[1]}",
                People(ledger, now_ms=lambda: time.time_ns() // 1_000_000),
            )
    ledger.close()


async def answered(page: "Page", doing: Awaitable[None]) -> None:
    """Do what leads to another page, and wait for it."""
    async with page.expect_navigation():
        await doing


async def sign_in(page: "Page", name: str, password: str) -> None:
    await page.get_by_label("利用者名").fill(name)
    await page.get_by_label("パスワード").fill(password)
    await answered(page, page.keyboard.press("Enter"))


async def change_password(page: "Page", old: str, new: str) -> None:
    await sees(page, ".must", "はじめの一回だけ")
    await page.get_by_label("いまのパスワード").fill(old)
    await page.get_by_label("新しいパスワード", exact=True).fill(new)
    await page.get_by_label("もう一度").fill(new)
    await answered(page, page.keyboard.press("Enter"))
    await sees(page, ".news", "パスワードを変更しました")


async def given_password(page: "Page") -> str:
    await page.wait_for_selector(".given")
    return await page.inner_text(".secret code")


async def is_well_made(page: "Page") -> None:
    """Nothing against a rule, and nothing beside the edge, on a phone and on a small desk."""
    for width, height in (PHONE, LAPTOP):
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, page.url
        await assert_accessible(page)


async def test_from_the_first_account_to_a_call_and_to_the_end_of_an_account(morning: Morning, open_page: Open) -> None:
    operator = await open_page(f"{morning.inside}/admin")
    await operator.wait_for_url("**/sign-in?next=/admin")
    await sees(operator, ".first", "junban user add")
    await is_well_made(operator)

    given = morning.first_operator()
    await operator.reload()
    await sign_in(operator, "sato", "not the right one")
    await sees(operator, ".refusal", "利用者名かパスワードが違います")
    await is_well_made(operator)
    assert await operator.input_value("#name") == "sato"
    assert await operator.evaluate("document.activeElement.id") == "password"
    await sign_in(operator, "sato", given)
    await operator.wait_for_url("**/password")
    await is_well_made(operator)
    await change_password(operator, given, OWN)

    await operator.goto(f"{morning.inside}/admin/people")
    await operator.click("text=取扱者を登録する")
    await operator.get_by_label("利用者名").fill("suzuki")
    await operator.get_by_label("氏名").fill("鈴木 一郎")
    await operator.get_by_label("窓口担当").check()
    await operator.get_by_label("取扱者の指定日").fill(DAY)
    await operator.get_by_label("研修日").fill(DAY)
    await answered(operator, operator.get_by_role("button", name="登録して").click())
    hers = await given_password(operator)
    await is_well_made(operator)

    desk = await open_page(f"{morning.inside}/desk?counter=2")
    await sign_in(desk, "suzuki", hers)
    await change_password(desk, hers, HERS)
    await answered(desk, desk.click("text=窓口の画面へ進む"))
    await sees(desk, ".viewer", "窓口担当", "鈴木 一郎", "サインアウト")
    await is_well_made(desk)
    await answered(desk, desk.click("text=2番窓口"))
    phone = await open_page(f"{morning.public}/")
    await take(phone)
    await sees(desk, "#coming", "A101")
    await press(desk, "n")
    await sees(desk, "#number", "A101")
    await is_well_made(desk)

    await operator.goto(f"{morning.inside}/admin/people?name=suzuki")
    await is_well_made(operator)
    await operator.click("text=利用を終了する")
    await answered(operator, operator.get_by_role("button", name="はい、利用を終了します").click())
    await sees(operator, ".news", "利用を終了しました")
    await desk.wait_for_url("**/sign-in?done=out&next=**")
    await sign_in(desk, "suzuki", HERS)
    await desk.wait_for_selector(".refusal")

    await operator.goto(f"{morning.inside}/audit")
    await sees(operator, ".log", "取扱者の利用終了", "佐藤 花子（運用担当者）", "パスワードの変更", "記録中")
    await is_well_made(operator)
    for path in ("/admin", "/admin/devices"):
        await operator.goto(f"{morning.inside}{path}")
        await is_well_made(operator)
    await answered(operator, operator.get_by_role("button", name="サインアウト").click())
    await sees(operator, ".news", "サインアウトしました")


async def test_a_wall_is_let_in_by_the_code_that_it_shows_and_put_out_again(morning: Morning, open_page: Open) -> None:
    given = morning.first_operator()
    operator = await open_page(f"{morning.inside}/admin/devices")
    await sign_in(operator, "sato", given)
    await change_password(operator, given, OWN)
    wall = await open_page(f"{morning.inside}/wall/lobby")
    await sees(wall, "h1", "この番号表示モニターは、まだ登録されていません")
    assert await wall.evaluate("document.documentElement.scrollHeight") <= 1080
    code = wall.locator(".code")
    shown = await code.inner_text()
    await code.evaluate("line => { line.textContent = 'WWWW-WWWW'; }")  # the widest that may come
    await is_well_made(wall)
    await code.evaluate("(line, shown) => { line.textContent = shown; }", shown)

    await operator.goto(f"{morning.inside}/admin/devices")
    await sees(operator, ".list", "番号表示モニター", "lobby")
    await operator.get_by_label("登録コード").fill((await wall.inner_text(".code")).lower())
    await answered(operator, operator.get_by_role("button", name="この機器を登録する").click())
    await sees(operator, ".news", "機器を登録しました")
    await wall.wait_for_selector("body.wall")
    await operator.click("text=取り消す")
    await is_well_made(operator)
    await answered(operator, operator.get_by_role("button", name="を取り消します").click())
    await wall.wait_for_selector("body.enrol")
    await sees(wall, "h1", "まだ登録されていません")


async def test_everything_is_done_by_the_keyboard_and_without_scripts(morning: Morning, browser: object) -> None:
    from playwright.async_api import Browser

    assert isinstance(browser, Browser)
    given = morning.first_operator()
    context = await browser.new_context(java_script_enabled=False, locale="ja-JP")
    page = await context.new_page()
    await page.goto(f"{morning.inside}/admin/people")
    await page.locator("#name:focus").wait_for()
    for typed in ("sato", "Tab", given, "Enter"):
        await (page.keyboard.press(typed) if typed in ("Tab", "Enter") else page.keyboard.type(typed))
    await page.wait_for_url("**/password")
    await page.locator("#old:focus").wait_for()
    for typed in (given, "Tab", OWN, "Tab", OWN, "Enter"):
        await (page.keyboard.press(typed) if typed in ("Tab", "Enter") else page.keyboard.type(typed))
    await page.wait_for_url("**/password?done=changed")
    await page.goto(f"{morning.inside}/admin/people?name=sato")
    await page.locator("summary", has_text="すべての端末").focus()
    for key in ("Enter", "Tab", "Enter"):
        await page.keyboard.press(key)
    await page.wait_for_url("**/sign-in?next=/admin/people*")
    await context.close()
