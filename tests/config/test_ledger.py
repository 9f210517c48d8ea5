"""The ledger's settings: one key for ever, nobody else reads it, and every fault is told before anything starts."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from config.faults import Faulty
from config.ledger import KEY_FILE, LedgerSettings, faults_of_ledger, ledger_settings, with_ledger
from config.settings import Machine
from hub.ledger.connection import LedgerUnusable, sqlite_url
from hub.ledger.heads import public_pem

PASSWORD = "pass-canary"


def settings_in(folder: Path) -> LedgerSettings:
    return ledger_settings(Machine.from_environment({}), folder)


def raw(key: Ed25519PrivateKey) -> bytes:
    return public_pem(key.public_key())


def test_the_signing_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "data")
    key = raw(settings.signing_key())
    assert raw(settings.signing_key()) == key
    file = tmp_path / "data" / KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [KEY_FILE]
    assert settings.heads == tmp_path / "data" / "heads"


def test_of_many_that_make_it_at_once_all_have_the_same(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: raw(settings.signing_key()), range(40)))) == 1


def test_a_key_that_others_can_read_or_that_is_none_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    machine = Machine.from_environment({})
    settings = ledger_settings(machine)
    assert faults_of_ledger(machine) == []
    assert not (tmp_path / "junban").exists()  # looking leaves everything as it is
    settings.signing_key()
    assert faults_of_ledger(machine) == []
    file = tmp_path / "junban" / KEY_FILE
    file.chmod(0o640)
    (fault,) = faults_of_ledger(machine)
    assert (fault.key, "chmod 600" in fault.remedy) == ("JUNBAN_LEDGER_KEY_DIR", True)
    file.chmod(0o600)
    file.write_text("no key")
    with pytest.raises(LedgerUnusable, match="Ed25519"):
        settings.signing_key()


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://junban:{PASSWORD}@db/junban",
        f"postgresql://junban:{PASSWORD}@db",
        "sqlite:///relative.sqlite",
        "sqlite://",
        "/var/lib/junban/ledger.sqlite",
        f"postgresql://junban:{PASSWORD}@db:x/junban",
    ],
)
def test_a_url_that_is_none_is_a_fault_without_its_password(url: str) -> None:
    with pytest.raises(Faulty) as caught:
        Machine.from_environment({"JUNBAN_LEDGER_URL": url})
    (fault,) = caught.value.faults
    assert fault.key == "JUNBAN_LEDGER_URL"
    assert PASSWORD not in str(caught.value)


def test_a_ledger_that_cannot_be_used_is_a_fault_without_its_password(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database, for certain, whatever one looks for in it")
    for url in (
        f"postgresql://junban:{PASSWORD}@/junban?host={tmp_path}",
        sqlite_url(tmp_path / "file"),
        sqlite_url(tmp_path / "file" / "below"),
    ):
        (fault,) = faults_of_ledger(Machine.from_environment({"JUNBAN_LEDGER_URL": url}))
        assert (fault.key, PASSWORD in fault.remedy) == ("JUNBAN_LEDGER_URL", False)
    assert (tmp_path / "file").read_text().startswith("no database")


def test_a_hub_is_told_where_the_ledger_is(tmp_path: Path) -> None:
    """It signs staff in. What opens or sends contacts it is not given."""
    machine = with_ledger(Machine.from_environment({"JUNBAN_MASTER_KEY": "0" * 64}), tmp_path)
    told = machine.environment({})
    assert told["JUNBAN_LEDGER_URL"] == sqlite_url(tmp_path / "ledger.sqlite")
    assert "JUNBAN_MASTER_KEY" not in told
    given = Machine.from_environment({"JUNBAN_LEDGER_URL": f"postgresql://junban:{PASSWORD}@db/junban"})
    assert with_ledger(given, tmp_path).ledger_url == SecretStr(f"postgresql://junban:{PASSWORD}@db/junban")
    assert PASSWORD not in repr(ledger_settings(given)) + repr(given)
