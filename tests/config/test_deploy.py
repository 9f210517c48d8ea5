"""The examples for a server of one's own say what this program does itself, and keep no address."""

import re
import subprocess
from pathlib import Path

import pytest

from config.embedded import OPTIONS, OPTIONS_OF_VALKEY
from tests.conftest import find_smtpd, lacking
from tests.house.documents import ROOT

DEPLOY = ROOT / "config" / "deploy"
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


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("*.service")), ids=lambda path: path.name)
def test_a_unit_leaves_no_core_file_and_only_the_key_host_has_the_master_key(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert {"LimitCORE=0", "UMask=0077", "MemorySwapMax=0", "NoNewPrivileges=yes"} <= set(text.splitlines())
    assert ("junban-master-key" in text) == ("User=junban-keys" in text) == ("hub" not in path.name)


def test_the_keeper_looks_where_the_others_write_and_may_read_there() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in DEPLOY.glob("*.service")}
    keeper = texts.pop("junban-keeper.service")
    assert "JUNBAN_SEARCH_DIRS=/var/lib/valkey:/var/log:/var/spool:/tmp " in keeper
    assert {"PrivateTmp=no", "AmbientCapabilities=CAP_DAC_READ_SEARCH"} <= set(keeper.splitlines())
    for text in texts.values():  # below /tmp of the machine, where the keeper sees them
        assert {"PrivateTmp=yes", "CapabilityBoundingSet="} <= set(text.splitlines())


def test_the_mail_server_takes_its_example(tmp_path: Path) -> None:
    smtpd = find_smtpd() or lacking("OpenSMTPD", "opensmtpd")
    said = subprocess.run([smtpd, "-n", "-f", str(DEPLOY / "smtpd.conf")], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


def test_every_file_is_named_by_its_page() -> None:
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in DEPLOY.iterdir()} - {"README.md"} == set(
        re.findall(r"`([\w@.-]+\.(?:conf|service))`", page)
    )
