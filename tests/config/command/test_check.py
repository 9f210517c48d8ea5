"""`junban check` names every fault of the settings at once."""

import json
import subprocess
from pathlib import Path

from config.embedded import EmbeddedValkey
from tests.config.command.running import JUNBAN, clean, junban


def test_check_finds_nothing_wrong_without_settings(tmp_path: Path) -> None:
    said = junban(tmp_path, "check")
    assert (said.returncode, said.stdout, said.stderr) == (0, "設定に誤りはありません。\n", "")
    assert json.loads(junban(tmp_path, "check", "--json").stdout) == {"ok": True, "faults": []}


def test_check_says_nothing_of_its_own_where_nobody_reads_on(tmp_path: Path) -> None:
    command, pipe, own = [str(JUNBAN), "check", "--json"], subprocess.PIPE, clean(tmp_path)
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=own, cwd=tmp_path) as checking:
        assert checking.stdout is not None
        assert checking.stderr is not None
        checking.stdout.close()
        assert checking.stderr.read() == ""
    assert checking.returncode == 0


def test_check_names_every_fault_at_once(tmp_path: Path) -> None:
    office = tmp_path / "office.toml"
    office.write_text('key = "X"\nnaem = "y"\n')
    settings = {"JUNBAN_PROT": "1", "JUNBAN_OFFICE": str(office), "JUNBAN_REDIS_URL": f"unix://{tmp_path}/nowhere"}
    said = junban(tmp_path, "check", **settings)
    assert (said.returncode, said.stderr) == (1, "")
    assert [line.split(": ")[1] for line in said.stdout.splitlines()] == [
        "JUNBAN_PROT",
        "key",
        "name",
        "lanes",
        "counters",
        "naem",
        "JUNBAN_REDIS_URL",
    ]
    told = json.loads(junban(tmp_path, "check", "--json", **settings).stdout)
    assert (told["ok"], len(told["faults"]), set(told["faults"][0])) == (False, 7, {"where", "key", "remedy"})


def test_check_looks_into_the_store(tmp_path: Path, valkey_server: EmbeddedValkey) -> None:
    assert junban(tmp_path, "check", JUNBAN_REDIS_URL=valkey_server.url).returncode == 0
