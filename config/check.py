"""Everything that is wrong with the configuration, the store and the ledger it names, before anything starts."""

from contextlib import closing

from config.faults import Fault
from config.given_store import faults_of_server, given_server
from config.ledger import faults_of_ledger
from config.line_check import faults_of_line
from config.mail import faults_of_mail
from config.searched import faults_of_search
from config.settings import WHERE, look_at_all


def find_faults() -> list[Fault]:
    machine, _, faults = look_at_all()
    if machine is None:
        return faults
    faults += faults_of_mail(machine)
    faults += faults_of_line(machine)
    faults += faults_of_search(machine)
    faults += faults_of_ledger(machine)
    for name, url in (("JUNBAN_REDIS_URL", machine.redis_url), ("JUNBAN_JOBS_URL", machine.jobs_url)):
        if url:
            with closing(given_server(url)) as client:
                faults += [Fault(WHERE, name, sentence) for sentence in faults_of_server(client)]
    return faults
