"""What staff reads: every role, kind and act in Japanese, moments as people say them, and nothing that runs inline."""

import re
from typing import TYPE_CHECKING

import pytest

from hub.ledger.kept import KEPT, NOTED, OWN
from hub.ledger.log import Logged, LogPage
from hub.wire.roles import PEOPLE, Act, Role, may
from tests.eventually import eventually
from tests.web.site import AT, OFFICE, Handler, Site, snapshot
from web.log import ACTS, FIELDS, KINDS, LEFT_OUT, line_of, shown_who
from web.staff import DUTIES, StaffPages
from web.times import ago, moment, today
from web.viewers import ROLES

if TYPE_CHECKING:
    from playwright.async_api import Page

PAGES = StaffPages(OFFICE)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def test_every_kind_field_act_and_role_has_its_words() -> None:
    kinds = {**KEPT, **NOTED, **OWN}
    assert set(KINDS) == set(kinds)
    assert {field for fields in kinds.values() for field in fields} <= set(FIELDS) | LEFT_OUT
    assert set(ACTS) == set(Act)
    assert set(ROLES) == set(Role)
    assert set(DUTIES) == set(PEOPLE)


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (0, "たったいま"),
        (MINUTE - 1, "たったいま"),
        (3 * MINUTE, "3 分前"),
        (HOUR - 1, "59 分前"),
        (5 * HOUR, "5 時間前"),
        (DAY - 1, "23 時間前"),
        (2 * DAY, "2 日前"),
        (-MINUTE, "たったいま"),
    ],
)
def test_how_long_ago(passed: int, told: str) -> None:
    assert ago(AT - passed, AT) == told


def test_a_device_that_never_came_is_not_from_1970() -> None:
    assert ago(0, AT) == "まだありません"


def test_moments_are_those_of_tokyo() -> None:
    assert moment(AT).full == "2026年11月24日（火） 9:00:00"
    assert today(AT - 9 * HOUR - 1000) == "2026-11-23"


def test_an_entry_is_told_in_the_offices_words() -> None:
    entry = Logged(
        7, "TicketTransferred", AT, "staff:suzuki", "r", {"arrival": 4, "number": "A104", "lane": "moves", "rank": 3}
    )
    line = line_of(entry, {"staff:suzuki": "鈴木 一郎（窓口担当）"}, {"lane": {"moves": "住民異動"}})
    assert (line.what, line.who) == ("転送", "鈴木 一郎（窓口担当）")
    assert line.about == (("番号", "A104"), ("業務", "住民異動"))
    refused = Logged(None, "ActRefused", AT, "device:wall-3k9f2a", "", {"act": "see people", "role": "counter"})
    told = line_of(refused, {}, {})
    assert (told.who, told.about) == ("機器 wall-3k9f2a", (("操作", "取扱者を見る"), ("役割", "窓口担当")))
    days = {"what": "certificate", "first_day": "2026-11-01", "last_day": "2026-11-30"}
    taken = line_of(Logged(8, "RecordsTaken", AT, "cli:sato", "r", days), {}, {})
    assert (taken.what, taken.who) == ("記録の書き出し", "コマンド（sato）")
    assert taken.about == (("対象", "個人情報消去証明書"), ("最初の日", "2026-11-01"), ("最後の日", "2026-11-30"))


def test_what_has_no_words_yet_is_shown_as_it_is() -> None:
    line = line_of(Logged(1, "NewerKind", AT, "robot", "", {"colour": "red"}), {}, {})
    assert (line.what, line.who, line.about) == ("NewerKind", "robot", (("colour", "red"),))
    assert shown_who("staff:gone", {}) == "gone"


def test_a_page_of_staff_has_the_headers_and_nothing_inline() -> None:
    viewer = Handler(role=Role.OPERATOR, name="<b>佐藤</b>")
    log = LogPage((Logged(1, "SignedIn", AT, "staff:<b>", "<b>", {"name": "<b>"}),), None, 0)
    for answer in (
        PAGES.sign_in(then='"><b>', is_first=True, name="<b>", refusal="<b>"),
        PAGES.password(viewer),
        PAGES.refused(viewer, "<b>", 403),
        PAGES.refused(None, "<b>", 403),
        PAGES.admin(viewer),
        PAGES.people(viewer, [], now_ms=AT, given=("<b>", "<b>"), typed={"name": "<b>"}),
        PAGES.devices(viewer, [], [], now_ms=AT, typed={"code": "<b>"}),
        PAGES.audit(viewer, log, [], {"day": "<b>", "who": "<b>"}),
    ):
        page = bytes(answer.body).decode()
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=|javascript:|<b>(?!佐藤|\d)<", page)
        assert "<b>佐藤</b>" not in page


@pytest.mark.parametrize("role", PEOPLE)
def test_the_administration_offers_what_the_role_may_see(role: Role) -> None:
    page = bytes(PAGES.admin(Handler(role=role)).body).decode()
    ways = {"/admin/people": Act.SEE_PEOPLE, "/admin/devices": Act.SEE_DEVICES, "/audit": Act.SEE_OPERATIONS}
    for path, act in ways.items():
        assert (f'href="{path}"' in page) == may(role, act)


def test_only_who_may_change_is_offered_to() -> None:
    for role in (Role.MANAGER, Role.OPERATOR, Role.AUDITOR):
        people = bytes(PAGES.people(Handler(role=role), [], now_ms=AT).body).decode()
        assert ("/admin/people/add" in people) == may(role, Act.CHANGE_PEOPLE)
        devices = bytes(PAGES.devices(Handler(role=role), [], [], now_ms=AT).body).decode()
        assert ("/admin/devices/let-in" in devices) == may(role, Act.CHANGE_DEVICES)


def test_in_practice_one_press_signs_in() -> None:
    pages = StaffPages(OFFICE, [("renshu-1", "open sesame please", "窓口担当（練習）")])
    page = bytes(pages.sign_in(then="/desk?counter=2", is_first=True).body).decode()
    form = page.partition("練習用の利用者")[2]
    assert 'name="name" value="renshu-1"' in form
    assert 'name="next" value="/desk?counter=2"' in form
    assert "junban user add" not in page, "there are accounts to take"


async def test_a_desk_says_that_somebody_is_there_and_warns_before_the_end(page: "Page") -> None:
    await page.clock.install(time=AT / 1000)
    site = Site(page, snapshot(topic="desk"))
    said: list[str] = []
    page.on("request", lambda request: said.append(request.method) if "/session/here" in request.url else None)
    await site.open("/desk?counter=1")
    await page.keyboard.press("x")
    assert said == [], "opening the page has said so"
    await page.clock.run_for(61_000)
    await page.keyboard.press("x")
    await page.keyboard.press("x")
    await page.mouse.move(50, 50)
    await eventually(lambda: said == ["POST"])
    assert await page.locator("#leaving").is_hidden()
    await page.clock.run_for(29 * MINUTE)
    await page.wait_for_selector("#leaving:not([hidden])")
    assert "まもなく自動でサインアウトします" in await page.inner_text("#leaving")
    await page.keyboard.press("x")
    await eventually(lambda: said == ["POST", "POST"])
    await page.wait_for_selector("#leaving", state="hidden")


async def test_a_desk_whose_session_is_over_goes_to_the_door_and_knows_the_way_back(page: "Page") -> None:
    site = Site(page, snapshot(topic="desk"))
    await site.open("/desk?counter=1&keys=off")
    await site.hub.close(4401)
    await page.wait_for_url("**/sign-in?done=out&next=%2Fdesk%3Fcounter%3D1%26keys%3Doff")
