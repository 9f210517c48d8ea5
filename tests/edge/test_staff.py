"""Who may see and change what: the table of roles cell by cell, and our own pages only."""

import pytest

from hub.edge.forms import own_path
from hub.wire.roles import MAY, PEOPLE, Act, Role, may
from tests.edge.door import BY, FORMS, HERE, OWN, PAGES, PASSWORD, ROLE, Door, door, ledger, sign_in
from tests.eventually import eventually

__all__ = ["door", "ledger"]


# ---------------------------------------------------------------------------------------------------------- the table

OVER_HTTP = {*PAGES.values(), *(act for act, _ in FORMS.values()), Act.SEE_FAIRNESS}  # that one: test_explained.py


def test_every_act_of_the_table_is_tried_here_or_belongs_to_a_socket() -> None:
    assert {
        act for act in Act if not act.startswith(("open wall", "open kiosk", "desk ", "wall ", "kiosk "))
    } == OVER_HTTP


@pytest.mark.parametrize("role", PEOPLE)
async def test_a_role_sees_the_pages_of_its_row_and_no_other(door: Door, role: Role) -> None:
    door.add("victim", Role.COUNTER)
    browser = door.signed_in(role)
    seen = {path: browser.get(path).status_code for path in PAGES}
    assert seen == {path: 200 if may(role, act) else 403 for path, act in PAGES.items()}
    refused = len({act for act in PAGES.values() if not may(role, act)})
    await eventually(lambda: door.log().count("ActRefused") == refused)  # once a minute for each act


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("path", FORMS)
async def test_a_role_changes_what_its_row_says_and_nothing_else(door: Door, role: Role, path: str) -> None:
    door.add("victim", Role.COUNTER)
    door.add("gone", Role.COUNTER)
    door.add("keeps", Role.OPERATOR)
    door.people.end("gone", BY)
    browser = door.signed_in(role)
    act, fields = FORMS[path]
    waiting = door.asking()
    device = door.devices.let_in(waiting.code, "lobby", BY)
    marks = {"CODE": door.asking().code, "DEVICE": device.id}
    before, logged = state(door), len(door.log())
    answer = browser.post(path, data={name: marks.get(text, text) for name, text in fields.items()}, headers=OWN)
    if may(role, act):
        assert answer.status_code == (200 if path.endswith(("add", "reset")) else 303), answer.text
        assert len(door.log()) > logged
    else:
        assert answer.status_code == 403
        assert state(door)[:-1] == before[:-1]
        await eventually(lambda: "ActRefused" in door.log())


def state(door: Door) -> tuple[object, ...]:
    return door.people.list(), [one.ended_at for one in door.devices.list()], len(door.log())


@pytest.mark.parametrize("path", PAGES)
def test_who_is_not_signed_in_is_asked_to_and_comes_back(door: Door, path: str) -> None:
    door.add("sato", Role.OPERATOR)
    answer = door.browser().get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=/")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [*FORMS, "/password"])
def test_a_form_without_a_session_changes_nothing(door: Door, path: str) -> None:
    door.add("victim", Role.COUNTER)
    before = door.people.list()
    answer = door.browser().post(path, data={"name": "victim", **ROLE}, headers=OWN)
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")
    assert door.people.list() == before


@pytest.mark.parametrize("path", [*FORMS, "/sign-out"])
def test_the_address_of_a_form_loaded_anew_leads_to_its_page(door: Door, path: str) -> None:
    answer = door.signed_in(Role.OPERATOR).get(path)
    assert answer.status_code == 303
    assert path.startswith(answer.headers["location"]) or answer.headers["location"] == "/sign-in"


def test_the_table_knows_no_other_page() -> None:
    assert set(MAY) == set(Act)


# ------------------------------------------------------------------------------------------- pages of somebody else

FOREIGN = {
    "another host": {"origin": "http://evil.test"},
    "another port": {"origin": "http://127.0.0.1:9999"},
    "null": {"origin": "null"},
    "no origin": {},
    "no origin, told same": {"sec-fetch-site": "same-origin"},
    "cross-site": {"origin": HERE, "sec-fetch-site": "cross-site"},
    "same-site": {"origin": HERE, "sec-fetch-site": "same-site"},
    "typed": {"origin": HERE, "sec-fetch-site": "none"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_a_form_of_another_page_is_refused(door: Door, headers: dict[str, str]) -> None:
    browser = door.signed_in(Role.OPERATOR)
    door.add("victim", Role.COUNTER)
    before = state(door)
    fields = {"name": "victim", "password": PASSWORD, "old": PASSWORD, "new": "x" * 20, "again": "x" * 20, **ROLE}
    for path in [*FORMS, "/sign-in", "/sign-out", "/password", "/session/here"]:
        assert browser.post(path, data=fields, headers=headers).status_code == 403, path
        assert state(door) == before, path
    assert browser.get("/admin").status_code == 200, "still signed in"


def test_an_origin_named_twice_is_refused(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    headers = [("origin", HERE), ("origin", HERE), ("content-type", "application/x-www-form-urlencoded")]
    assert browser.post("/sign-out", content=b"", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "where",
    ["//evil.test", "/\\evil.test", "https://evil.test", "\\\\evil.test", "javascript:alert(1)", "/\t/evil.test",
     " //evil.test", "evil.test", "/a//evil.test", "/%0d%0aSet-Cookie:a", "/\r\nx:y", "/sign-out", "/" + "a" * 300],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_signing_in(door: Door, where: str) -> None:
    door.add("sato", Role.OPERATOR)
    answer = sign_in(door.browser(), "sato", then=where)
    assert answer.headers["location"] == "/admin"
    assert own_path(where) == ""


def test_a_way_of_our_own_is_kept_through_a_wrong_password(door: Door) -> None:
    door.add("sato", Role.COUNTER)
    browser = door.browser()
    assert 'value="/desk?counter=2"' in browser.get("/sign-in?next=/desk%3Fcounter%3D2").text
    wrong = sign_in(browser, "sato", "not this one", "/desk?counter=2")
    assert 'value="/desk?counter=2"' in wrong.text
    assert sign_in(browser, "sato", then="/desk?counter=2").headers["location"] == "/desk?counter=2"


@pytest.mark.parametrize(
    ("role", "where"),
    [(Role.COUNTER, "/desk"), (Role.MANAGER, "/desk"), (Role.OPERATOR, "/admin"), (Role.AUDITOR, "/admin")],
)
def test_who_comes_by_the_desks_address_lands_where_the_role_begins(door: Door, role: Role, where: str) -> None:
    door.add("sato", role)
    browser = door.browser()
    assert sign_in(browser, "sato", then="/desk").headers["location"] == where
    assert browser.get("/sign-in?next=/desk").headers["location"] == where
