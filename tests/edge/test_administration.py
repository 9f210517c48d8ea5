"""What operators and managers do on their pages: people, devices and the log, each done thing with its sentence."""

import re

from hub.edge.administration import WRONG_CODES
from hub.wire.roles import Role
from tests.edge.door import DAY, OWN, ROLE, Door, door, ledger, sign_in
from web.staff import NEWS

__all__ = ["door", "ledger"]


def test_a_one_time_password_is_shown_once_and_works_once(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    answer = browser.post("/admin/people/add", data={"name": "suzuki", **ROLE}, headers=OWN)
    assert answer.headers["cache-control"] == "no-store"
    given = re.findall(r'class="secret"><code>(.+?)</code>', answer.text)[0]
    assert given not in browser.get("/admin/people").text
    assert given not in browser.get("/audit").text
    assert sign_in(door.browser(), "suzuki", given).headers["location"] == "/password"


def test_what_was_typed_comes_back_with_the_refusal(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    typed = {"name": "x-operator", "shown": "佐藤 <次郎>", "role": "auditor", "designated": DAY, "trained": ""}
    answer = browser.post("/admin/people/add", data=typed, headers=OWN)
    assert answer.status_code == 409
    assert "別の利用者名を付けてください" in answer.text
    assert 'value="佐藤 &lt;次郎&gt;"' in answer.text
    assert re.search(r'value="auditor" required checked', answer.text)


def test_a_refused_change_stays_with_its_person(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    fields = {"name": "x-operator", **ROLE}
    answer = browser.post("/admin/people/change", data=fields, headers=OWN)
    assert answer.status_code == 409
    assert "先に別の運用担当者を登録" in answer.text
    assert 'value="別の名前"' in answer.text
    assert browser.post("/admin/people/end", data={"name": "../x"}, headers=OWN).status_code == 409
    assert browser.get("/admin/people?name=nobody").status_code == 409


def test_every_done_thing_has_its_sentence(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    door.add("victim", Role.COUNTER)
    for path, what in (("end", "ended"), ("restore", "restored"), ("sign-out", "signed-out"), ("unlock", "unlocked")):
        answer = browser.post(f"/admin/people/{path}", data={"name": "victim"}, headers=OWN)
        assert answer.headers["location"] == f"/admin/people?done={what}"
        assert NEWS[what] in browser.get(answer.headers["location"]).text


def test_codes_of_devices_cannot_be_guessed(door: Door) -> None:
    browser = door.signed_in(Role.MANAGER)
    code = door.asking().code
    for _ in range(WRONG_CODES):
        answer = browser.post("/admin/devices/let-in", data={"code": "0000-0000", "place": ""}, headers=OWN)
        assert answer.status_code == 409
        assert 'value="0000-0000"' in answer.text
    right = {"code": code, "place": "lobby"}
    assert browser.post("/admin/devices/let-in", data=right, headers=OWN).status_code == 503
    other = door.signed_in(Role.OPERATOR)
    assert other.post("/admin/devices/let-in", data=right, headers=OWN).status_code == 303
    assert [device.place for device in door.devices.list()] == ["lobby"]


def test_the_log_is_read_by_day_person_and_kind(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    door.signed_in(Role.COUNTER)
    whole = browser.get("/audit").text
    assert whole.count("記録中") >= 2
    assert "x-operator さん（運用担当者）" in whole
    own = browser.get("/audit", params={"who": "staff:x-counter", "type": "SignedIn"}).text
    table = own.partition("<tbody>")[2]
    assert "x-counter さん" in table
    assert "x-operator" not in table
    assert "この条件に合う記録はありません" in browser.get("/audit?day=2020-01-01").text
    for wrong in ("day=yesterday", "day=20261124", "day=2026-W48-2", "who=<b>", "type=%27", "before=-1", "before=abc"):
        assert browser.get(f"/audit?{wrong}").status_code == 400
