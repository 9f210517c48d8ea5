"""Everything that is wrong with the configuration, and with the store it names, before an office is started on it."""

from contextlib import closing

from config.embedded import faults_of_server, given_server
from config.faults import Fault
from config.settings import WHERE, look_at_all


def find_faults() -> list[Fault]:
    machine, _, faults = look_at_all()
    if machine and machine.redis_url:
        with closing(given_server(machine.redis_url)) as client:
            faults += [Fault(WHERE, "JUNBAN_REDIS_URL", sentence) for sentence in faults_of_server(client)]
    return faults
