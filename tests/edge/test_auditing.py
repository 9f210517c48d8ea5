"""An auditor's questions: what became of a ticket's contact, a certificate for a month, was anything altered."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.desk.facts import ContactGiven, ContactUsed, DayOpened, Fact, TicketIssued
from hub.desk.refusals import LedgerAway, MonthNotOver
from hub.ledger import verifying
from hub.ledger.erasures import Erasures
from hub.ledger.log import Log
from hub.ledger.operations import Ledger, Stream
from hub.ledger.tables import OPERATIONS
from hub.wire.roles import Role
from tests.edge.door import NOW_MS, OWN, Door, door

__all__ = ["door"]

DAY = "2026-11-24"
SUBSCRIPTION = "5" * 32


def used(told: dict[str, Any], trigger: str, outcome: str, times: int) -> Fact:
    about: dict[str, Any] = {"trigger": trigger, "outcome": outcome, "times": times}
    return ContactUsed(**told, arrival=1, carrier="email", subscription=SUBSCRIPTION, **about)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A number, its contact, and the night after."""
    book = Ledger(f"sqlite:///{tmp_path}/ledger.db", "ward")
    book.prepare()
    told: dict[str, Any] = {"at": NOW_MS, "who": "web", "request": "r"}
    facts: list[Fact] = [
        DayOpened(**told, day=DAY),
        TicketIssued(**told, arrival=1, number="A101", lane="certificates", rank=1, source="kiosk"),
        ContactGiven(**told, arrival=1, carrier="email", subscription=SUBSCRIPTION, ahead=3, purpose="1/3f2a"),
        used(told, "registered", "accepted", 1),
        used(told, "now", "pending", 1),
        used(told, "now", "uncertain", 2),
    ]
    stream = [(f"{NOW_MS + place}-0", fact) for place, fact in enumerate(facts)]
    book.append(DAY, Stream(), stream, accounted=len(stream), removed=0)
    yield book
    book.close()


def erase(ledger: Ledger) -> None:
    erasures, night = Erasures(ledger), NOW_MS + 54_600_000
    erasures.key_destroyed(DAY, "0123456789abcdef", night)
    erasures.gone(erasures.open(), "key+unlink", night)
    erasures.verified(night, "rewrite+restart+scan", 1, 9, night + 2000)
    ledger.chain_journal()


def test_a_ticket_says_whether_its_contact_was_erased_when_and_how(door: Door, ledger: Ledger) -> None:
    auditor = door.signed_in(Role.AUDITOR)
    before = auditor.get(f"/audit/contacts?day={DAY}").text
    assert "A101" in before
    assert "未消去 1 件" in before
    for words in ("登録の確認", "お呼び出し", "送信済み", "未送信（再送待ち）", "送信結果不明"):
        assert words in before, "each time that it was used"
    erase(ledger)
    after = auditor.get(f"/audit/contacts?day={DAY}").text
    for words in (
        "未消去 0 件",
        "電子メールアドレス",
        "0:10:00",
        "0:10:02",
        "利用終了の翌日",
        "0123456789abcdef",
        SUBSCRIPTION,
    ):
        assert words in after, words
    assert "この日に登録された連絡先はありません" in auditor.get("/audit/contacts?day=2026-11-23").text
    assert auditor.get("/audit/contacts?day=yesterday").status_code == 400


def test_a_practice_office_whose_days_run_ahead_is_shown_its_last_day(door: Door, ledger: Ledger) -> None:
    ahead, since = "2026-12-24", NOW_MS + 30 * 86_400_000
    told: dict[str, Any] = {"at": since, "who": "web", "request": "r"}
    given = ContactGiven(**told, arrival=1, carrier="line", subscription="7" * 32, ahead=3, purpose="1/3f2a")
    stream: list[tuple[str, Fact]] = [(f"{since}-0", DayOpened(**told, day=ahead)), (f"{since}-1", given)]
    ledger.append(ahead, Stream(), stream, accounted=2, removed=0)
    page = door.signed_in(Role.AUDITOR).get("/audit/contacts").text
    assert "7" * 32 in page
    assert f'value="{ahead}" max="{ahead}"' in page


def test_whether_anything_was_altered_is_one_press(door: Door, ledger: Ledger) -> None:
    auditor = door.signed_in(Role.AUDITOR)
    assert "台帳に誤りはありません" in auditor.post("/audit/contacts/verify", data={"press": "1"}, headers=OWN).text
    with ledger.engine.begin() as connection:
        connection.execute(sa.update(OPERATIONS).where(OPERATIONS.c.seq == 2).values(who="staff:x"))
    assert "台帳に誤りがあります" in auditor.post("/audit/contacts/verify", data={"press": "1"}, headers=OWN).text


def test_a_long_walk_says_how_far_it_has_come_and_ends_in_the_same_sentence(
    door: Door, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "STEP", 2)
    auditor = door.signed_in(Role.AUDITOR)
    end = ledger.end()
    assert end is not None

    def steps() -> list[dict[str, Any]]:
        told = auditor.post("/audit/contacts/verify/steps", data={"press": "1"}, headers=OWN)
        assert told.headers["content-type"].startswith("application/x-ndjson")
        assert told.headers["cache-control"] == "no-store"
        return [json.loads(line) for line in told.text.splitlines()]

    *walked, found = steps()
    assert walked == [{"done": seq, "of": end[0]} for seq in range(2, end[0] + 1, 2)]
    assert found["is_whole"] is True
    assert found["sentence"].startswith(f"台帳に誤りはありません。{end[0]} 件の記録は")
    with ledger.engine.begin() as connection:
        connection.execute(sa.update(OPERATIONS).where(OPERATIONS.c.seq == 2).values(who="staff:x"))
    assert "2 番: 記録が書き換えられた" in steps()[-1]["sentence"]
    with ledger.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE operations RENAME TO elsewhere"))
    assert steps()[-1] == {"is_whole": False, "sentence": LedgerAway.sentence}
    clerk = door.signed_in(Role.COUNTER)
    assert clerk.post("/audit/contacts/verify/steps", data={"press": "1"}, headers=OWN).status_code == 403


def test_a_certificate_for_a_month_and_the_ledger_can_be_taken_along(
    door: Door, ledger: Ledger, tmp_path: Path
) -> None:
    erase(ledger)
    door.time.ms = round(datetime.fromisoformat("2026-12-01T09:00:00+09:00").timestamp() * 1000)
    auditor = door.signed_in(Role.AUDITOR)
    asked = "month=2026-11&issued=2026-12-01&issuer=順番運営&addressee=区長　様"
    paper = auditor.get(f"/audit/contacts/certificate?{asked}")
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.headers["cache-control"] == "no-store"
    assert paper.content.startswith(b"%PDF-")
    assert paper.content == auditor.get(f"/audit/contacts/certificate?{asked}").content
    for wrong in ("month=2026-13", "month=x", "issued=", "issuer=", f"addressee={'a' * 81}"):
        name = wrong.partition("=")[0]
        spoiled = "&".join(wrong if part.startswith(f"{name}=") else part for part in asked.split("&"))
        assert auditor.get(f"/audit/contacts/certificate?{spoiled}").status_code == 400, wrong
    early = auditor.get(f"/audit/contacts/certificate?{asked.replace('2026-12-01', '2026-11-29')}")
    assert (early.status_code, MonthNotOver.sentence in early.text) == (400, True)
    for later in ("2026-12", "2027-01"):  # a later day on the paper ends no month
        running = auditor.get(
            f"/audit/contacts/certificate?{asked.replace('2026-11', later).replace('12-01', '12-31')}"
        )
        assert (running.status_code, MonthNotOver.sentence in running.text) == (400, True), later
    assert 'name="month" type="month" value="2026-10"' in auditor.get("/audit/contacts?day=2026-10-24").text
    with zipfile.ZipFile(io.BytesIO(auditor.get("/audit/contacts/ledger.zip").content)) as archive:
        archive.extractall(tmp_path / "out")
    command = [
        sys.executable,
        "-I",
        "-S",
        str(tmp_path / "out" / "verify_export.py"),
        str(tmp_path / "out" / "ledger.jsonl"),
    ]
    assert subprocess.run(command, capture_output=True, text=True).stdout.startswith("whole")
    taken = [entry for entry in Log(ledger).page(kind="RecordsTaken").entries if entry.who == "staff:x-auditor"]
    month = {"what": "certificate", "first_day": "2026-11-01", "last_day": "2026-11-30"}
    assert [entry.fields for entry in reversed(taken)] == [
        month, month, {"what": "ledger", "first_day": "", "last_day": ""}
    ]  # fmt: skip
    assert len({entry.request for entry in taken} - {""}) == 3
    with ledger.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE journal RENAME TO elsewhere"))
    assert auditor.get("/audit/contacts/ledger.zip").status_code == 503, "what cannot be noted is not given"


def test_an_audit_that_is_owed_is_said_on_the_page(door: Door, ledger: Ledger) -> None:
    from hub.ledger.audits import Audits
    from hub.ledger.journal import Author

    auditor = door.signed_in(Role.AUDITOR)
    assert "今年度の監査がまだ記録されていません" in auditor.get("/audit/contacts").text
    Audits(ledger).add("2026-11-20", "on_site", "sound", Author("cli"), NOW_MS, DAY)
    assert "今年度の監査がまだ" not in auditor.get("/audit/contacts").text


def test_a_hub_loads_nothing_that_draws_papers_before_one_is_asked_for() -> None:
    code = "import config.asgi, sys; sys.exit('fpdf' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0
