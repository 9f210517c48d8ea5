"""Who comes in, with which password, and for how long: a session by cookie, and guessing that keeps nobody else out."""

import re

import pytest

from hub.edge.access import SESSION_COOKIE
from hub.edge.staff import SIGN_INS, STRANGERS, home_of
from hub.ledger.operations import Ledger
from hub.wire.roles import PEOPLE, Role
from tests.edge.door import FORMS, OWN, PAGES, PASSWORD, Door, door, ledger, sign_in

__all__ = ["door", "ledger"]


# ------------------------------------------------------------------------------------------------------ the session


def test_a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(ledger: Ledger) -> None:
    for is_secure in (False, True):
        door = Door(ledger, is_secure=is_secure)
        name = f"sato{is_secure:d}"
        door.add(name, Role.OPERATOR)
        with door.visitors:
            told = sign_in(door.browser(), name).headers["set-cookie"]
        first, *flags = told.split("; ")
        assert re.fullmatch(rf"{SESSION_COOKIE}=[A-Za-z0-9_-]{{43}}", first)
        assert {flag.lower() for flag in flags} == {
            "httponly", "samesite=strict", "path=/", *(["secure"] if is_secure else []),
        }  # fmt: skip


def test_a_sign_in_always_gives_a_new_token_and_ends_the_one_that_was_brought(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    first = browser.cookies[SESSION_COOKIE]
    assert sign_in(browser, "x-operator").status_code == 303
    assert browser.cookies[SESSION_COOKIE] != first
    old = door.browser()
    old.cookies.set(SESSION_COOKIE, first)
    assert old.get("/admin").status_code == 303

    planted = door.browser()
    planted.cookies.set(SESSION_COOKIE, "A" * 43)
    answer = sign_in(planted, "x-operator")
    assert "A" * 43 not in answer.headers["set-cookie"]
    thief = door.browser()
    thief.cookies.set(SESSION_COOKIE, "A" * 43)
    assert thief.get("/admin").status_code == 303


def test_a_sign_out_ends_the_session_and_takes_the_cookie(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    token = browser.cookies[SESSION_COOKIE]
    answer = browser.post("/sign-out", data={}, headers={**OWN, "content-type": "application/x-www-form-urlencoded"})
    assert answer.headers["location"] == "/sign-in?done=out"
    assert SESSION_COOKIE not in browser.cookies
    assert "サインアウトしました" in browser.get("/sign-in?done=out").text
    browser.cookies.set(SESSION_COOKIE, token)
    assert browser.get("/admin").status_code == 303
    assert door.log()[0] == "SignedOut"


def test_who_is_signed_in_does_not_sign_in_again(door: Door) -> None:
    for role in PEOPLE:
        answer = door.signed_in(role).get("/sign-in")
        assert (answer.status_code, answer.headers["location"]) == (303, home_of(role))


def test_a_desk_that_is_used_stays_and_one_that_is_not_is_out(door: Door) -> None:
    browser = door.signed_in(Role.COUNTER)
    for _ in range(3):
        door.time.ms += 29 * 60_000
        assert browser.post("/session/here", headers=OWN).status_code == 204
    door.time.ms += 31 * 60_000
    assert browser.post("/session/here", headers=OWN).status_code == 401
    assert browser.get("/desk").status_code == 303


# ----------------------------------------------------------------------------------------------------- the password


def test_a_given_password_opens_nothing_but_its_own_change(door: Door) -> None:
    given = door.add("mori", Role.OPERATOR, must_change=True)
    browser = door.browser()
    assert sign_in(browser, "mori", given, "/audit").headers["location"] == "/password"
    for path in PAGES:
        assert browser.get(path).headers["location"] == "/password"
    for path, (_, fields) in FORMS.items():
        assert browser.post(path, data=fields, headers=OWN).headers["location"] == "/password"
    assert [person.name for person in door.people.list()] == ["mori"]
    assert "はじめの一回だけ" in browser.get("/password").text

    before = browser.cookies[SESSION_COOKIE]
    told = {"old": given, "new": PASSWORD, "again": PASSWORD}
    assert browser.post("/password", data=told, headers=OWN).status_code == 303
    assert browser.cookies[SESSION_COOKIE] != before
    assert browser.get("/admin").status_code == 200


def test_a_given_password_lets_one_sign_out(door: Door) -> None:
    given = door.add("mori", Role.OPERATOR, must_change=True)
    browser = door.browser()
    sign_in(browser, "mori", given)
    answer = browser.post("/sign-out", data={"x": ""}, headers=OWN)
    assert answer.headers["location"] == "/sign-in?done=out"


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (
            {"old": "wrong wrong wrong", "new": "a long new sentence", "again": "a long new sentence"},
            "いまのパスワード",
        ),
        ({"old": PASSWORD, "new": "a long new sentence", "again": "another long line"}, "2 回とも同じ"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "12 文字以上"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "パスワード"),
    ],
)
def test_a_password_that_is_refused_is_said_why_and_never_shown(door: Door, told: dict[str, str], says: str) -> None:
    browser = door.signed_in(Role.COUNTER)
    answer = browser.post("/password", data=told, headers=OWN)
    assert answer.status_code in (400, 403)
    assert says in re.findall(r'role="alert">(.*?)<', answer.text)[0]
    assert not any(secret in answer.text for secret in told.values())


def test_changing_the_password_ends_the_other_sessions(door: Door) -> None:
    here, there = door.signed_in(Role.COUNTER), door.signed_in(Role.COUNTER)
    told = {"old": PASSWORD, "new": "a long new sentence", "again": "a long new sentence"}
    assert here.post("/password", data=told, headers=OWN).status_code == 303
    assert here.get("/desk").status_code == 200
    assert there.get("/desk").status_code == 303


# -------------------------------------------------------------------------------------------------------- signing in


def test_a_wrong_sign_in_does_not_say_what_was_wrong(door: Door) -> None:
    door.add("sato", Role.OPERATOR)
    answers = [sign_in(door.browser(), name, "no such password") for name in ("sato", "nobody")]
    texts = {re.sub("sato|nobody", "NAME", answer.text) for answer in answers}
    assert len(texts) == 1
    assert "no such password" not in texts.pop()
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_a_name_may_be_typed_wide_or_with_capitals(door: Door) -> None:
    door.add("sato", Role.OPERATOR)
    for typed in ("Sato", "ｓａｔｏ", " sato "):
        assert sign_in(door.browser(), typed).status_code == 303


def test_what_cannot_be_seen_is_not_shown_again(door: Door) -> None:
    door.add("sato", Role.OPERATOR)
    assert "\u202e" not in sign_in(door.browser(), "\u202esato", "no").text


def test_a_locked_account_says_so(door: Door) -> None:
    door.add("sato", Role.OPERATOR)
    for _ in range(5):
        sign_in(door.browser(), "sato", "no such password")
    answer = sign_in(door.browser(), "sato")
    assert answer.status_code == 503
    assert "15 分ほど待つか" in answer.text


def test_who_guesses_keeps_nobody_else_out(door: Door) -> None:
    """At one account, at many that there are not, and both at once: all within a minute."""
    for name in ("sato", "ito"):
        door.add(name, Role.OPERATOR)
    thief = door.browser()
    answers = [sign_in(thief, "sato", f"guess number {count}") for count in range(SIGN_INS + 20)]
    assert [answer.status_code for answer in answers[:5]] == [403] * 5
    assert {answer.status_code for answer in answers[5:]} == {503}
    assert "混み合っています" in answers[-1].text
    strangers = {sign_in(thief, f"nobody-{count}", "no").status_code for count in range(STRANGERS + 20)}
    assert strangers == {403}, "no answer says which of the two was wrong"
    assert sign_in(door.browser(), "ito").status_code == 303
    door.time.ms += 60_000
    assert sign_in(door.browser(), "sato").status_code == 303, "the first lock-out is a minute"


def test_an_account_is_let_in_so_often_a_minute(door: Door) -> None:
    door.add("sato", Role.COUNTER)
    assert {sign_in(door.browser(), "sato").status_code for _ in range(SIGN_INS)} == {303}
    assert "混み合っています" in sign_in(door.browser(), "sato").text
    door.time.ms += 60_000
    assert sign_in(door.browser(), "sato").status_code == 303


def test_without_any_account_the_page_says_how_to_make_the_first(door: Door) -> None:
    assert "junban user add" in door.browser().get("/sign-in").text
    door.add("sato", Role.OPERATOR)
    assert "junban user add" not in door.browser().get("/sign-in").text


def test_a_body_without_end_or_of_another_kind_is_refused(door: Door) -> None:
    browser = door.browser()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for body, headers in (
        (b"name=" + b"a" * 20_000, kind),
        (b"name=a&name=b", kind),
        (b"name=%ff", kind),
        (b"&".join(b"a%d=1" % i for i in range(20)), kind),
        (b'{"name":"a"}', {"content-type": "application/json"}),
        (b"name=a", {"content-type": "text/plain"}),
    ):
        assert browser.post("/sign-in", content=body, headers={**OWN, **headers}).status_code == 400
