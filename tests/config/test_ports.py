"""Offices that start at the same moment do not choose the same ports."""

import subprocess
import sys

from config.ports import port_near, taken_ports, with_free_ports
from config.settings import Machine

CHOOSE = (
    "import sys; from config.ports import port_near; print(port_near(int(sys.argv[1])), flush=True); sys.stdin.read()"
)


def test_a_port_that_another_office_has_chosen_is_left_to_it_until_it_ends() -> None:
    machine = with_free_ports(Machine())
    words = [sys.executable, "-c", CHOOSE, str(machine.port)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        try:
            assert int(other.stdout.readline()) == machine.port
            assert port_near(machine.port) != machine.port
            assert taken_ports(machine) == [machine.port]
        finally:
            other.kill()
    assert port_near(machine.port) == machine.port
    assert taken_ports(machine) == []
