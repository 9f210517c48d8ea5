"""A mail server that nobody here wrote, on loopback: OpenSMTPD, as Debian ships it. Needs root, as it does itself.

Its socket and its spool have fixed places, so a machine has room for one. Where this process may mount, ours has places
of its own: another run of the tests, or the service that its package started, is no matter.
"""

import os
import pwd
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import anyio
import pytest

from config import processes
from tests.eventually import eventually
from tests.ports import free_ports

HOST = "127.0.0.1"
OWNER = "games"  # an unprivileged account of every Debian; the server will not deliver to root


_MOUNTS = 'mount -t tmpfs -o mode=755 none /run && mount -t tmpfs -o mode=711 none /var/spool/smtpd && exec "$@"'
APART = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _MOUNTS, "sh"]
WITHIN_S = 60.0


@dataclass(frozen=True)
class MailHost:
    port: int
    new: Path

    def letters(self) -> list[EmailMessage]:
        return [
            message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=default) for path in self.new.glob("*")
        ]


@contextmanager
def mail_host_running(binary: Path) -> Iterator[MailHost]:
    """It takes mail for anybody at example.test, except `bad@example.test`."""
    owner = pwd.getpwnam(OWNER)
    # Not below the tests' own folder: that is closed to the account that takes the mail.
    with processes.Workshop(prefix="junban-mail-") as folder:
        folder.chmod(0o755)
        box = folder / "box"
        box.mkdir()
        os.chown(box, owner.pw_uid, owner.pw_gid)
        port = free_ports(1)[0]
        conf = folder / "smtpd.conf"
        conf.write_text(
            f"listen on {HOST} port {port} hostname mx.ward.example\n"
            f'table v {{ "@example.test" = {OWNER} }}\n'
            'table badrcpt { "bad@example.test" }\n'
            f'action "keep" maildir "{box}/Maildir" virtual <v>\n'
            "match from any for rcpt-to <badrcpt> reject\n"
            'match from any for domain "example.test" action "keep"\n'
        )
        with (folder / "smtpd.log").open("wb") as log:
            command = [*_apart(), str(binary), "-d", "-f", str(conf)]
            child = processes.start(command, name="OpenSMTPD", stdout=log, stderr=log)
        try:
            _wait_for(port, child)
            yield MailHost(port, box / "Maildir" / "new")
        finally:
            child.stop()


def _apart() -> list[str]:
    try:
        may_mount = subprocess.run([*APART, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return []
    return APART if may_mount else []


def _wait_for(port: int, child: processes.Child) -> None:
    def greets() -> bool:
        assert child.is_running or pytest.fail("OpenSMTPD ended at its start (is another one running?)")
        try:
            with socket.create_connection((HOST, port), timeout=2) as line:
                return line.recv(4).startswith(b"220")
        except OSError:
            return False

    with ThreadPoolExecutor(1) as beside:  # stories that ask for it have a loop running already
        beside.submit(lambda: anyio.run(eventually, greets, WITHIN_S)).result()
