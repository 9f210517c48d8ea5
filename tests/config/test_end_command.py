"""The end of an agreement: one command, nothing left, and everything that goes back to the ward in one folder."""

import json
from pathlib import Path

import pytest

from config.author import author
from config.cli import main
from config.embedded import EmbeddedValkey
from config.office_folder import STORE_FOLDER
from tests.workers.erasing import TO
from tests.workers.ward import ward

OFFICE = """
key = "ward"
name = "さくら区役所"
lanes = [ { key = "certificates", name = "証明", prefix = "A", first = 101, last = 199 } ]
counters = [ { key = "2", name = "2番窓口", lanes = ["certificates"] } ]
"""
WORDS = ("--issued", "2026-12-01", "--issuer", "順番運営株式会社", "--addressee", "区長")


async def an_office_with_contacts(data: Path) -> bytes:
    with EmbeddedValkey(data / STORE_FOLDER) as server:
        async with ward(server.url, "ward", data / "keys") as office:
            await office.wish(await office.take(), TO)
            last = await office.wish(await office.take(), "other@example.test")
            sealed = await office.contacts.sealed(last)
            assert sealed is not None
            return sealed.encode()


def test_without_a_folder_to_look_through_nothing_is_erased_in_a_store_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "office.toml").write_text(OFFICE, encoding="utf-8")
    monkeypatch.setenv("JUNBAN_OFFICE", str(tmp_path / "office.toml"))
    monkeypatch.setenv("JUNBAN_REDIS_URL", "unix:///nobody-may-be-asked")
    command = ["erase", "--to", str(tmp_path / "back"), "--data", str(tmp_path), *WORDS]
    assert main([*command, "--agreement", "ward"]) == 1
    assert "JUNBAN_SEARCH_DIRS" in capsys.readouterr().err
    assert not (tmp_path / "back").exists()


def test_everything_is_erased_and_handed_back_by_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import asyncio

    data, back = tmp_path / "data", tmp_path / "back"
    (tmp_path / "office.toml").write_text(OFFICE, encoding="utf-8")
    monkeypatch.setenv("JUNBAN_OFFICE", str(tmp_path / "office.toml"))
    blob = asyncio.run(an_office_with_contacts(data))
    assert any(blob in path.read_bytes() for path in data.rglob("*") if path.is_file())

    command = ["erase", "--to", str(back), "--data", str(data), *WORDS]
    assert main([*command, "--agreement", "other"]) == 2
    assert "key（ward）" in capsys.readouterr().err
    assert main([*command, "--agreement", "ward", "--responsible", "nobody"]) == 1
    assert "登録されていません" in capsys.readouterr().err
    assert any(blob in path.read_bytes() for path in data.rglob("*") if path.is_file()), "and nothing was erased"
    assert main([*command, "--agreement", "ward"]) == 0
    assert "連絡先 2 件と鍵 1 日分" in capsys.readouterr().out

    assert list((data / "keys").glob("*.key")) == []
    assert not any(blob in path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert {path.name for path in back.iterdir()} >= {
        "ledger.jsonl", "verify_export.py", "verify_certificate.py", "certificate.pdf", "certificate.json", "report.pdf"
    }  # fmt: skip
    facts = json.loads((back / "certificate.json").read_text())["facts"]
    assert facts["counts"] == [["email", "agreement", 2]]
    assert (facts["left"], facts["unproved"]) == (0, 0)
    entries = [json.loads(line) for line in (back / "ledger.jsonl").read_text().splitlines()[1:]]
    (handed_back,) = [entry for entry in entries if entry["type"] == "OfficeHandedBack"]
    assert handed_back["who"] == author().who
    assert main([*command, "--agreement", "ward"]) == 0, "the same again finds nothing to do"
