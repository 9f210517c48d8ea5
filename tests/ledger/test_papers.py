"""Papers for the ward: the same bytes twice, what 特記事項 11 and 12 ask, and a verifier that needs nothing of ours."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.author import author
from config.cli import main
from hub.desk.facts import ContactErased, ContactGiven, ContactUsed, DayOpened, Fact
from hub.ledger.audits import Audits, fiscal_year_of
from hub.ledger.certificate import certify
from hub.ledger.connection import sqlite_url
from hub.ledger.erasures import Erasures
from hub.ledger.export import export
from hub.ledger.journal import Author, tokyo_day
from hub.ledger.log import Log
from hub.ledger.operations import Ledger, Stream
from hub.ledger.people import People
from hub.wire.roles import Role
from web.certificate import CARRIERS_KEEP, RESIDUE, certificate_json, certificate_pdf
from web.paper_words import Issue
from web.papers import japanese
from web.report import Handling, report_pdf, ways_of

DAY = "2026-11-24"
NOON = 1_795_489_200_000
NIGHT = 1_795_533_000_000  # 00:10 of the 25th
ISSUE = Issue("2026-12-01", "○○区長　様", "順番運営株式会社", "佐藤 花子", "さくら区役所 戸籍住民課")
OFFICE = """
key = "ward"
name = "さくら区役所"
lanes = [ { key = "certificates", name = "証明", prefix = "A", first = 101, last = 199 } ]
counters = [ { key = "2", name = "2番窓口", lanes = ["certificates"] } ]
"""


def given(n: int, carrier: str = "email") -> Fact:
    told: dict[str, Any] = {"at": NOON + n, "who": "web", "request": f"r{n}"}
    return ContactGiven(
        **told, arrival=n, carrier=carrier, subscription=f"{n:032x}", ahead=3, purpose="2026-11-1/3f2a9c"
    )


def stopped(n: int) -> Fact:
    told: dict[str, Any] = {"at": NOON + 9, "who": "web", "request": "s"}
    return ContactErased(**told, arrival=n, carrier="email", subscription=f"{n:032x}", ending="resident")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Three contacts of a day: one stopped, two erased on the day after and verified; and a fourth is left."""
    book = Ledger(sqlite_url(tmp_path / "ledger.sqlite"), "ward")
    book.prepare()
    facts: list[Fact] = [DayOpened(at=NOON, who="hub", request="", day=DAY), given(1), given(2), given(3, "line")]
    facts.append(stopped(1))
    stream = [(f"{NOON + place}-0", fact) for place, fact in enumerate(facts)]
    book.append(DAY, Stream(), stream, accounted=len(stream), removed=0)
    erasures = Erasures(book)
    erasures.key_destroyed(DAY, "0123456789abcdef", NIGHT)
    assert erasures.gone(erasures.open(), "key+unlink", NIGHT) == 2
    assert erasures.gone(erasures.open(), "key+unlink", NIGHT) == 0
    erasures.verified(NIGHT + 5, "rewrite+restart+scan", 2, 7, NIGHT + 900)
    book.chain_journal()
    return book


def test_a_certificate_is_the_same_bytes_twice_and_another_for_another_day_of_issue(ledger: Ledger) -> None:
    facts = certify(ledger, DAY, DAY)
    first, again = certificate_pdf(facts, ISSUE), certificate_pdf(certify(ledger, DAY, DAY), ISSUE)
    assert first == again
    assert first.startswith(b"%PDF-")
    assert certificate_json(facts, ISSUE) == certificate_json(certify(ledger, DAY, DAY), ISSUE)
    later = Issue("2026-12-02", ISSUE.addressee, ISSUE.issuer, ISSUE.responsible, ISSUE.office_name)
    assert certificate_pdf(facts, later) != first


def test_a_certificate_says_what_was_erased_when_how_and_what_is_left(ledger: Ledger) -> None:
    facts = certify(ledger, DAY, DAY)
    assert facts.counts == (("email", "day_after", 1), ("email", "resident", 1), ("line", "day_after", 1))
    assert (facts.left, facts.unproved, facts.is_whole) == (0, 0, True)
    (key,) = facts.keys
    assert (key.date, key.key, key.contacts) == (DAY, "0123456789abcdef", 3)
    assert (key.destroyed_ms, key.verified_ms) == (NIGHT, NIGHT + 900)
    assert facts.methods == ("key+unlink", "rewrite+restart+scan")
    assert facts.first[0] == 1
    assert "鍵は破棄済み" in RESIDUE


def test_the_json_says_what_the_paper_says_of_methods_medium_residue_and_carriers(ledger: Ledger) -> None:
    words = certificate_json(certify(ledger, DAY, DAY), ISSUE)["words"]
    assert list(words["methods"]) == ["key", "unlink", "rewrite", "restart", "scan"]
    assert (words["residue"], words["carriers_keep"]) == (RESIDUE, CARRIERS_KEEP)


def test_a_period_in_which_everybody_said_stop_tells_how_it_was_erased_and_with_which_key(tmp_path: Path) -> None:
    book = Ledger(sqlite_url(tmp_path / "ledger.sqlite"), "ward")
    book.prepare()
    facts: list[Fact] = [DayOpened(at=NOON, who="hub", request="", day=DAY), given(1), stopped(1)]
    book.append(DAY, Stream(), [(f"{NOON + n}-0", fact) for n, fact in enumerate(facts)], accounted=3, removed=0)
    erasures = Erasures(book)
    (one,) = erasures.handled(DAY, DAY)
    assert (one.ending, one.method, one.key) == ("resident", "unlink", "")
    assert certify(book, DAY, DAY).methods == ("unlink",)
    erasures.key_destroyed(DAY, "0123456789abcdef", NIGHT)
    assert certify(book, DAY, DAY).methods == ("unlink",), "what is not chained yet nobody can verify"
    erasures.verified(NIGHT, "rewrite+scan", 1, 7, NIGHT)
    book.chain_journal()
    (one,) = erasures.handled(DAY, DAY)
    assert (one.ending, one.method, one.key) == ("resident", "key+unlink", "0123456789abcdef")
    assert certify(book, DAY, DAY).methods == ("key+unlink", "rewrite+scan")
    assert erasures.handled("2026-11-25", "2026-11-25") == []


def test_what_is_not_erased_or_not_verified_is_counted(ledger: Ledger) -> None:
    streams = ledger.streams()[DAY]
    ledger.append(DAY, streams, [(f"{NOON + 100}-0", given(4))], accounted=6, removed=0)
    assert certify(ledger, DAY, DAY).left == 1
    erasures = Erasures(ledger)
    erasures.gone(erasures.open(), "key+unlink", NIGHT + 99_999)
    assert certify(ledger, DAY, DAY).left == 1, "not in the chain yet"
    ledger.chain_journal()
    facts = certify(ledger, DAY, DAY)
    assert (facts.left, facts.unproved) == (0, 1)


def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    (tmp_path / "office.toml").write_text(OFFICE, encoding="utf-8")
    monkeypatch.setenv("JUNBAN_OFFICE", str(tmp_path / "office.toml"))
    return main(["ledger", *words, "--data", str(tmp_path)])


PERIOD = (
    "--from",
    DAY,
    "--until",
    DAY,
    "--issued",
    "2026-12-01",
    "--issuer",
    "順番運営株式会社／代表",
    "--addressee",
    "区長",
)


def test_the_verifier_beside_it_needs_python_alone_and_finds_another_count(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert paper(tmp_path, monkeypatch, "certificate", str(out / "c.pdf"), *PERIOD) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert before.keys() == {"c.pdf", "c.json", "verify_certificate.py"}
    assert paper(tmp_path, monkeypatch, "certificate", str(out / "c.pdf"), *PERIOD) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert (out / "c.pdf").stat().st_mode & 0o077 == 0
    export(ledger, out / "ledger.jsonl")
    taken = Log(ledger).page(kind="RecordsTaken").entries
    assert [(entry.who, entry.fields["what"]) for entry in taken] == [(author().who, "certificate")] * 2
    assert [(entry.fields["first_day"], entry.fields["last_day"]) for entry in taken] == [(DAY, DAY)] * 2

    def verdict() -> tuple[int, str]:
        command = [sys.executable, "-I", "-S", str(out / "verify_certificate.py"), str(out / "c.json")]
        said = subprocess.run([*command, str(out / "ledger.jsonl")], capture_output=True, text=True, env={}, cwd="/")
        return said.returncode, said.stdout + said.stderr

    assert verdict() == (0, "as certified: 3 contacts, 0 left\n")
    alone = [sys.executable, "-I", "-S", str(out / "verify_certificate.py"), str(out / "c.json")]
    said = subprocess.run(alone, capture_output=True, text=True, env={}, cwd="/")
    assert (said.returncode, said.stderr.split()[0]) == (1, "usage:")
    told = json.loads((out / "c.json").read_text())
    for field, value in (("counts", []), ("left", 4), ("last", [told["facts"]["last"][0], "0" * 64])):
        forged = {**told, "facts": {**told["facts"], field: value}}
        (out / "c.json").write_text(json.dumps(forged))
        assert verdict()[0] == 1, field


def test_a_report_names_handlers_and_audits(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    People(ledger, now_ms=lambda: NIGHT).add(
        "sato", "佐藤 花子", Role.OPERATOR, "2026-04-01", "2026-04-01", Author("cli")
    )
    assert paper(tmp_path, monkeypatch, "audit", "2026-11-20", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "ok": True, "held": "2026-11-20", "kind": "on_site", "result": "sound"
    }  # fmt: skip
    assert paper(tmp_path, monkeypatch, "audit", "2100-01-01") == 1
    told_of: dict[str, Any] = {"at": NOON + 5, "who": "worker", "request": "", "arrival": 1, "carrier": "email"}
    about: dict[str, Any] = {"subscription": f"{1:032x}", "trigger": "near", "outcome": "accepted", "times": 1}
    used = [(f"{NOON + 50}-{place}", ContactUsed(**told_of, **about)) for place in range(2)]
    ledger.append(DAY, ledger.streams()[DAY], list[tuple[str, Fact]](used), accounted=7, removed=0)
    assert paper(tmp_path, monkeypatch, "report", str(tmp_path / "r.pdf"), *PERIOD) == 0
    (taken,) = Log(ledger).page(kind="RecordsTaken").entries
    assert taken.fields["what"] == "report"
    told = json.loads((tmp_path / "r.json").read_text())
    assert told["issue"]["responsible"] == "佐藤 花子"
    assert told["issue"]["issuer"] == "順番運営株式会社\n代表"
    assert [one["shown"] for one in told["facts"]["people"]] == ["佐藤 花子"]
    assert told["facts"]["uses"] == [["email", "accepted", 2]]
    assert told["facts"]["audits"] == [{"held": "2026-11-20", "kind": "on_site", "result": "sound"}]
    assert told["facts"]["purposes"] == ["2026-11-1/3f2a9c"]
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")


def test_a_report_says_that_telephoning_was_passed_on_only_where_somebody_was_telephoned(ledger: Ledger) -> None:
    quiet = Handling(certify(ledger, DAY, DAY), (), (), {("email", "accepted"): 2}, {}, ())
    assert "再委託は行っていません" in "".join(ways_of(quiet))
    rung = replace(quiet, uses={("phone", "accepted"): 1})
    assert "区の承諾を得て電話の事業者に行わせた送信だけ" in "".join(ways_of(rung))
    assert "行っていません。再委託は" in "".join(ways_of(rung))
    assert report_pdf(rung, ISSUE) != report_pdf(quiet, ISSUE)


def test_a_paper_of_days_in_the_wrong_order_or_by_nobody_is_not_made(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("certificate", "report"):
        for wrong in ("--until", "--issued"):
            assert paper(tmp_path, monkeypatch, kind, str(tmp_path / "c.pdf"), *PERIOD, wrong, "2026-11-23") == 2
        assert paper(tmp_path, monkeypatch, kind, str(tmp_path / "c.pdf"), *PERIOD, "--responsible", "nobody") == 1
    assert not (tmp_path / "c.pdf").exists()
    assert "早い日から順に" in capsys.readouterr().err
    assert paper(tmp_path, monkeypatch, "audit", "2100-01-01") == 1
    assert "監査の実施日" in capsys.readouterr().err


def test_no_certificate_is_made_of_a_day_that_is_not_over(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    today = tokyo_day(time.time_ns() // 1_000_000)
    for last in (today, "2100-01-01"):
        later = ("--until", last, "--issued", "2100-12-31")
        assert paper(tmp_path, monkeypatch, "certificate", str(tmp_path / "c.pdf"), *PERIOD, *later) == 2
        assert "昨日まで" in capsys.readouterr().err
    assert not (tmp_path / "c.pdf").exists()


def test_only_an_operator_with_both_dates_by_then_stands_on_a_paper_as_responsible(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    people, by = People(ledger, now_ms=lambda: NIGHT + 30 * 86_400_000), Author("cli")
    for name, role, designated, trained in (
        ("sato", Role.OPERATOR, "2026-04-01", "2026-04-01"),
        ("clerk", Role.COUNTER, "2026-04-01", "2026-04-01"),
        ("later", Role.OPERATOR, "2026-12-02", "2026-12-02"),
        ("untrained", Role.OPERATOR, "2026-04-01", ""),
        ("gone", Role.OPERATOR, "2026-04-01", "2026-04-01"),
    ):
        people.add(name, f"{name} 氏", role, designated, trained, by)
    people.end("gone", by)
    words = ("certificate", str(tmp_path / "c.pdf"), *PERIOD, "--responsible")
    for name in ("clerk", "later", "untrained", "gone"):
        assert paper(tmp_path, monkeypatch, *words, name) == 1, name
        assert capsys.readouterr().err.startswith(f"junban: {name} は 2026-12-01 に取扱責任者ではありません。")
    assert not (tmp_path / "c.pdf").exists()
    assert paper(tmp_path, monkeypatch, *words, "sato") == 0
    assert json.loads((tmp_path / "c.json").read_text())["issue"]["responsible"] == "sato 氏"


def test_an_audit_is_owed_once_in_each_fiscal_year(ledger: Ledger) -> None:
    audits = Audits(ledger)
    assert [fiscal_year_of(day) for day in ("2026-04-01", "2027-03-31")] == ["2026-04-01"] * 2
    assert audits.is_owed("2026-11-24")
    audits.add("2026-11-20", "on_site", "sound", Author("cli"), NIGHT, "2026-11-24")
    assert not audits.is_owed("2027-03-31")
    assert audits.is_owed("2027-04-01")


def test_days_are_written_as_a_ward_writes_them() -> None:
    assert japanese("2026-11-24") == "令和8年11月24日（火）"
    assert japanese("2019-05-01") == "令和元年5月1日（水）"
