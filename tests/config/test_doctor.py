"""`junban doctor`: each thing that can be wrong with a machine is one sentence, and a sound one has none."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

from config import doctor
from config.embedded import EmbeddedValkey
from config.given_store import given_server
from config.listening import Place, places
from config.office_file import PRACTICE_OFFICE, read_office
from config.sbom import bill_of_materials, differing, locked
from config.settings import Machine
from config.upkeep import of_updates, of_viruses
from hub.ledger.audits import Audits
from hub.ledger.connection import sqlite_url
from hub.ledger.journal import Author, tokyo_day
from hub.ledger.operations import Ledger
from hub.store.access import Part, acl_lines
from tests.config.command.running import free_port, is_up, running
from tests.ports import free_ports


@pytest.fixture
def client(tmp_path: Path) -> Iterator[redis.Redis]:
    with EmbeddedValkey(tmp_path / "store") as server, closing(given_server(server.url)) as made:
        yield made


def test_files_that_others_can_read_are_told(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o755)
    (tmp_path / "ledger.sqlite").touch(mode=0o644)
    tmp_path.chmod(0o700)
    machine = Machine.model_validate({"JUNBAN_KEY_DIR": keys})
    assert len(doctor._of_files(machine, tmp_path)) == 2
    keys.chmod(0o700)
    (tmp_path / "ledger.sqlite").chmod(0o600)
    assert doctor._of_files(machine, tmp_path) == []


def test_keys_of_contacts_beside_the_records_are_told(tmp_path: Path) -> None:
    assert doctor._of_key_place(Machine(), tmp_path) == [], "no contact was ever taken"
    (tmp_path / "keys").mkdir()
    assert "JUNBAN_KEY_DIR" in doctor._of_key_place(Machine(), tmp_path)[0]
    here, elsewhere = (Machine.model_validate({"JUNBAN_KEY_DIR": tmp_path / name}) for name in ("keys", "../keys"))
    assert doctor._of_key_place(here, tmp_path)
    assert doctor._of_key_place(elsewhere, tmp_path / "data") == []
    (tmp_path / "practice").touch()
    assert doctor._of_key_place(Machine(), tmp_path) == []


def test_an_audit_that_is_owed_this_fiscal_year_is_told(tmp_path: Path) -> None:
    office, now = read_office(PRACTICE_OFFICE), time.time_ns() // 1_000_000
    assert doctor._of_audit(Machine(), office, tmp_path) == []
    assert not list(tmp_path.iterdir()), "looking makes no ledger"
    with closing(Ledger(sqlite_url(tmp_path / "ledger.sqlite"), office.key)) as ledger:
        ledger.prepare()
        assert "junban ledger audit" in doctor._of_audit(Machine(), office, tmp_path)[0]
        today = tokyo_day(now)
        Audits(ledger).add(today, "on_site", "sound", Author("cli:sato"), now, today)
    assert doctor._of_audit(Machine(), office, tmp_path) == []
    (tmp_path / "ledger.sqlite").write_text("no ledger")
    assert doctor._of_audit(Machine(), office, tmp_path) == [], "told by another look"


def test_a_full_disk_and_a_clock_apart_are_told(
    tmp_path: Path, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine.model_validate({"JUNBAN_REDIS_URL": f"unix://{tmp_path}/store/valkey.sock"})
    assert doctor._of_clock(machine) == []
    with monkeypatch.context() as other:
        other.setattr(doctor, "LEAST_FREE_BYTES", 1 << 62)
        other.setattr(doctor, "CLOCKS_APART_S", -1.0)
        assert "空き" in doctor._of_disk(tmp_path)[0]
        assert "ずれています" in doctor._of_clock(machine)[0]


def test_an_address_without_encryption_or_certificate_is_told() -> None:
    assert "暗号化" in doctor._of_tls(Machine.model_validate({"JUNBAN_PUBLIC_URL": "http://junban.example.jp"}))[0]
    assert "TLS" in doctor._of_tls(Machine.model_validate({"JUNBAN_PUBLIC_URL": "https://127.0.0.1:1"}))[0]
    assert doctor._of_tls(Machine()) == []


async def test_the_pages_of_an_office_that_runs_have_nothing_wrong_with_them(tmp_path: Path) -> None:
    with running(tmp_path, "up", "--data", str(tmp_path / "data"), "--port", free_port()) as office:
        await is_up(office)
        ports = {"JUNBAN_PORT": office.address("混雑")[1], "JUNBAN_INSIDE_PORT": office.address("窓口")[1]}
        assert doctor._of_pages(Machine.model_validate(ports)) == []


def test_what_listens_for_other_machines_is_told() -> None:
    port = 0
    for host, is_own in (("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("::", False)):  # noqa: S104
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            listener.bind((host, 0))
            listener.listen()
            port = listener.getsockname()[1]
            assert places(port) == [Place(host, port)]
            assert Place(host, port).is_own is is_own
            (public,) = free_ports(1)
            given = {"JUNBAN_PORT": public, "JUNBAN_INSIDE_PORT": port}
            faults, seen = doctor._of_ports(Machine.model_validate(given))
            assert [f"ポート {port} にほかの機械から届きます" in fault for fault in faults] == (
                [] if is_own else [True]
            )
            assert f"職員向けの画面: {Place(host, port)}" in seen
            given = {"JUNBAN_INSIDE_PORT": public, "JUNBAN_REDIS_URL": f"redis://localhost:{port}"}
            assert len(doctor._of_ports(Machine.model_validate(given))[0]) == (0 if is_own else 1)
            given = {"JUNBAN_PORT": port, "JUNBAN_INSIDE_PORT": public}
            assert len(doctor._of_ports(Machine.model_validate(given))[0]) == (0 if is_own else 1), "without encryption"
            behind = Machine.model_validate({**given, "JUNBAN_PUBLIC_URL": "https://junban.example.jp"})
            assert doctor._of_ports(behind)[0] == [], "a proxy on another machine may stand before it"
    assert places(port) == [], "nobody listens any more"
    assert places(port, Path("/none")) == []


def test_old_signatures_and_a_system_that_nobody_updates_are_told(tmp_path: Path) -> None:
    assert of_viruses(tmp_path)[0] == of_updates(tmp_path)[0] == [], "another scanner, another system"
    for folder, name in (("var/lib/clamav", "daily.cld"), ("var/lib/apt/lists", "deb_dists_Packages")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / name).touch()
    assert of_viruses(tmp_path) == ([], ["ウイルス定義は 0 日前のものです"])
    assert of_updates(tmp_path)[0] == []
    old = time.time() - 40 * 86_400
    for path in tmp_path.rglob("*_Packages"), tmp_path.rglob("*.cld"):
        os.utime(next(path), (old, old))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "reboot-required").touch()
    assert "freshclam" in of_viruses(tmp_path)[0][0]
    reboot, update = of_updates(tmp_path)[0]
    assert "再起動" in reboot
    assert "40 日" in update


def test_what_is_installed_is_what_is_locked(tmp_path: Path) -> None:
    assert "redis" in locked()
    assert differing() == []
    (tmp_path / "lock").write_text("redis==0.1 \\\n    --hash=sha256:0\nnot-there==1.0\n")
    assert [found.split()[0] for found in differing(tmp_path / "lock")] == ["redis"]
    assert locked(tmp_path / "none") == {}
    bill = bill_of_materials()
    assert bill == bill_of_materials()
    assert {"type", "name", "version", "purl"} == bill["components"][0].keys()


def test_the_command_tells_each_look_and_its_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "config.cli", "doctor", "--json", "--data", str(tmp_path / "none")]
    said = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)})
    told = json.loads(said.stdout)
    assert told["looks"].keys() >= {"設定", "時計", "待ち受け", "部品"}
    assert any("Python" in line for line in told["seen"]["部品"])
    assert said.returncode == (0 if told["ok"] else 1)


def test_the_acl_that_is_printed_is_taken_by_a_server(client: redis.Redis) -> None:
    command: Any = client.execute_command
    for line in acl_lines("ward")[1:]:
        _, name, words = line.replace("PASSWORD", "secret").split(" ", 2)
        head, bracket, rest = words.partition("(")  # a selector in its brackets is one word
        command("ACL", "SETUSER", name, *head.split(), *([bracket + rest] if bracket else []))
    assert {*Part} <= set(command("ACL", "USERS"))
