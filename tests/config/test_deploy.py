"""The examples for a server of one's own say what this program does itself, and keep no address."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext

import pytest

from config.embedded import OPTIONS, OPTIONS_OF_VALKEY
from config.mail import carriers_of
from config.settings import Machine, look_at_machine
from hub.desk.notices import Carrier
from hub.edge.line import WEBHOOK_BYTES
from hub.store.access import Part
from tests.conftest import find_nginx, find_smtpd, find_systemd_analyze, lacking
from tests.eventually import eventually
from tests.house.documents import ROOT
from tests.ports import free_ports

DEPLOY = ROOT / "config" / "deploy"
PROGRAM = "/opt/junban/.venv/bin/junban"
UNITS = sorted(DEPLOY.glob("*.service"))
OURS_ALONE = {"port", "unixsocketperm", "daemonize", "supervised", "always-show-logo"}


def settings_of(path: Path) -> dict[str, str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value.strip().strip('"') for name, _, value in (line.partition(" ") for line in lines if line)}


def test_a_store_of_ones_own_is_set_as_the_embedded_one() -> None:
    wanted = {name: value for name, value in (OPTIONS | OPTIONS_OF_VALKEY).items() if name not in OURS_ALONE}
    assert wanted.items() <= settings_of(DEPLOY / "valkey.conf").items()


def test_the_proxy_keeps_no_address() -> None:
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert "access_log off;" in text
    assert "error_log /dev/null" in text
    assert "log_format" not in text
    assert set(re.findall(r"proxy_set_header X-Forwarded-For (.*?);", text)) == {'""'}
    assert "TLSv1 " not in text


@contextmanager
def proxy(folder: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """nginx with the example, on ports of its own before hubs that nobody has started; it writes in `folder` alone."""
    nginx = find_nginx() or lacking("nginx", "nginx-light")
    names = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "chain.pem"), "-subj", "/CN=junban.example.jp"]
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", *names], check=True, capture_output=True
    )
    public, inside, nobody = free_ports(3)
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for place in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
        text = text.replace("http {", f"http {{ {place}_temp_path {folder / place};", 1)
    text = text.replace("listen 443", f"listen 127.0.0.1:{public}", 1).replace(
        "listen 443", f"listen 127.0.0.1:{inside}"
    )
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{nobody}").replace("127.0.0.1:8081", f"127.0.0.1:{nobody}")
    text = text.replace("/etc/ssl/junban/fullchain.pem", str(folder / "chain.pem"))
    (folder / "nginx.conf").write_text(text.replace("/etc/ssl/junban/privkey.pem", str(folder / "key.pem")))
    (folder / "port").write_text(str(public))
    command = [
        str(nginx),
        "-p",
        str(folder),
        "-c",
        str(folder / "nginx.conf"),
        "-g",
        f"daemon off; pid {folder}/pid;",
        *words,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        try:
            yield running
        finally:
            running.terminate()


def test_the_proxy_takes_its_example_without_a_word_against_it(tmp_path: Path) -> None:
    with proxy(tmp_path, "-t") as nginx:
        said, _ = nginx.communicate()
    assert nginx.returncode == 0, said
    assert not re.search(r"\[(warn|emerg|alert|error)\]", said)


async def test_the_proxy_lets_through_what_line_tells_at_once_and_little_else(tmp_path: Path) -> None:
    unverified = SSLContext(PROTOCOL_TLS_CLIENT)
    unverified.check_hostname, unverified.verify_mode = False, CERT_NONE

    def status(path: str, size: int) -> int:
        line = HTTPSConnection("127.0.0.1", int((tmp_path / "port").read_text()), timeout=30, context=unverified)
        try:
            line.request("POST", path, b"x" * size)
            return line.getresponse().status
        except ConnectionRefusedError:
            return 0
        finally:
            line.close()

    with proxy(tmp_path):
        await eventually(lambda: status("/", 1))
        refused, passed_on = 413, 502  # to a hub that does not run
        assert status("/line/webhook", WEBHOOK_BYTES) == passed_on
        assert status("/line/webhook", WEBHOOK_BYTES + 1) == refused
        assert status("/tickets", 8 * 1024 + 1) == refused


def test_the_proxy_has_room_for_ten_thousand_tabs() -> None:
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    (connections,), (files,) = (re.findall(rf"{name} (\d+);", text) for name in ("worker_connections", "rlimit_nofile"))
    assert int(files) > int(connections) > 2 * 10_000, "each has one of its own and one to the hub"


def environment_of(name: str) -> dict[str, str]:
    lines = (DEPLOY / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def told(*names: str) -> Machine:
    """What a unit with these files is told, of which nothing is wrong."""
    given = {name: text for file in names for name, text in environment_of(file).items()}
    machine, faults = look_at_machine(given)
    assert (faults, machine is None) == ([], False)
    assert machine
    return machine


def test_what_units_are_told_is_one_ledger_and_a_user_of_the_store_for_each() -> None:
    hub, keeper, worker = told("hub.env"), told("keys.env"), told("keys.env", "worker.env")
    assert hub.ledger_url == keeper.ledger_url == worker.ledger_url is not None
    users = [
        machine.redis_url.partition("//")[2].partition(":")[0] for machine in (hub, keeper, worker) if machine.redis_url
    ]
    assert users == [Part.HUB, Part.KEEPER, Part.WORKER]
    assert carriers_of(hub) == carriers_of(keeper) == [Carrier.LINE, Carrier.EMAIL]
    assert (hub.key_dir, hub.smtp_url, hub.line_token, hub.master_key) == (None, None, None, None)
    assert keeper.key_dir
    assert (keeper.key_dir, keeper.master_key) == (Path("/var/lib/junban-keys"), None)
    assert keeper.ledger_key_dir
    assert not keeper.key_dir.is_relative_to(keeper.ledger_key_dir), "the one is backed up, the other never"
    wanted = {path.name: re.findall(r"EnvironmentFile=/etc/junban/(.*)", path.read_text()) for path in UNITS}
    keys = ["keys.env"]
    assert wanted == {
        "junban-hub.service": ["hub.env"], "junban-keeper.service": keys, "junban-doctor.service": keys,
        "junban-worker@.service": ["keys.env", "worker.env"],
    }  # fmt: skip


def test_the_units_are_taken_by_systemd(tmp_path: Path) -> None:
    analyze = find_systemd_analyze() or lacking("systemd-analyze", "systemd")
    paths = [tmp_path / path.name for path in (*UNITS, *DEPLOY.glob("*.timer"))]
    for path in paths:
        text = (DEPLOY / path.name).read_text(encoding="utf-8")
        path.write_text(text.replace(PROGRAM, str(Path(sys.executable).with_name("junban"))), encoding="utf-8")
    said = subprocess.run([analyze, "verify", "--man=no", *paths], capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_leaves_no_core_file_and_only_the_key_host_has_the_master_key(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert {"LimitCORE=0", "UMask=0077", "MemorySwapMax=0", "NoNewPrivileges=yes"} <= set(text.splitlines())
    assert re.findall("^ExecStart=(\\S+)", text, re.MULTILINE) == [PROGRAM]
    assert ("junban-master-key" in text) == ("User=junban-keys" in text) == ("hub" not in path.name)


def test_the_keeper_looks_where_the_others_write_and_may_read_there() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in DEPLOY.glob("*.service")}
    keeper, doctor = texts.pop("junban-keeper.service"), texts.pop("junban-doctor.service")
    told = (DEPLOY / "keys.env").read_text(encoding="utf-8")
    assert "JUNBAN_SEARCH_DIRS=/var/lib/valkey:/var/log:/var/spool:/tmp" in told.splitlines()
    assert {"PrivateTmp=no", "AmbientCapabilities=CAP_DAC_READ_SEARCH"} <= set(keeper.splitlines())
    assert "AmbientCapabilities=CAP_DAC_READ_SEARCH" in doctor.splitlines(), "it checks what the keeper is told"
    for text in texts.values():  # below /tmp of the machine, where the keeper sees them
        assert {"PrivateTmp=yes", "CapabilityBoundingSet="} <= set(text.splitlines())


def test_the_mail_server_takes_its_example(tmp_path: Path) -> None:
    smtpd = find_smtpd() or lacking("OpenSMTPD", "opensmtpd")
    said = subprocess.run([smtpd, "-n", "-f", str(DEPLOY / "smtpd.conf")], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


def test_every_file_is_named_by_its_page() -> None:
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in DEPLOY.iterdir()} - {"README.md"} == set(
        re.findall(r"`([\w@.-]+\.(?:conf|service|timer|env))`", page)
    )
