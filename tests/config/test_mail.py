"""What sends notices is checked before it starts, and its secrets are never shown."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.faults import Faulty
from config.mail import MailSettings, faults_of_mail, mail_settings
from config.settings import Machine
from config.values import mail_server
from workers.carriers.server import MailServer

KEY = "c0ffee" + "0" * 58
PASSWORD = "pass-canary"
SOUND = {
    "JUNBAN_SMTP_URL": f"smtp://ward:{PASSWORD}@mail.example.jp",
    "JUNBAN_MAIL_FROM": "junban@city.example.jp",
    "JUNBAN_MASTER_KEY": KEY,
    "JUNBAN_PUBLIC_URL": "https://junban.example.jp",
}


def sound(tmp_path: Path, **other: str) -> dict[str, str]:
    return SOUND | {"JUNBAN_KEY_DIR": str(tmp_path / "keys")} | other


def faults_in(environment: dict[str, str]) -> list[str]:
    with pytest.raises(Faulty) as found:
        Machine.from_environment(environment)
    assert PASSWORD not in str(found.value)
    return [fault.key for fault in found.value.faults]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.jp", MailServer("mail.example.jp", 25)),
        ("smtp://ward:p%40ss@mail.example.jp", MailServer("mail.example.jp", 587, "starttls", "ward", "p@ss")),
        ("smtp://[::1]:2525?starttls=never", MailServer("::1", 2525, "never")),
        ("smtp://127.0.0.1/?starttls=never", MailServer("127.0.0.1", 25, "never")),
        ("smtps://a:b@mail.example.jp", MailServer("mail.example.jp", 465, "always", "a", "b")),
        ("smtp://mail.example.jp?starttls=maybe", None),
        ("smtps://mail.example.jp?starttls=never", None),
        ("smtp://mail.example.jp?starttls", None),
        ("smtp://mail.example.jp/path", None),
        ("smtp://ward@mail.example.jp", None),
        ("smtp://mail.example.jp:port", None),
        ("http://mail.example.jp", None),
        ("smtp://", None),
        ("", None),
    ],
)
def test_a_mail_server_is_read_from_its_url(url: str, server: MailServer | None) -> None:
    assert mail_server(url) == server


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JUNBAN_SMTP_URL", f"http://ward:{PASSWORD}@mail"),
        ("JUNBAN_MAIL_FROM", "junban"),
        ("JUNBAN_MAIL_FROM", "a@b.jp, c@d.jp"),
        ("JUNBAN_MASTER_KEY", KEY[:-1]),
        ("JUNBAN_MASTER_KEY", PASSWORD),
        ("JUNBAN_KEY_DIR", "keys"),
        ("JUNBAN_JOBS_URL", "http://nowhere"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(tmp_path: Path, name: str, value: str) -> None:
    assert faults_in(sound(tmp_path, **{name: value})) == [name]


def test_without_a_mail_server_there_is_nothing_to_set_up() -> None:
    assert mail_settings(Machine.from_environment({})) is None
    assert faults_of_mail(Machine.from_environment({})) == []


def test_a_half_done_set_up_names_everything_that_is_missing() -> None:
    machine = Machine.from_environment({"JUNBAN_SMTP_URL": "smtp://mail.example.jp"})
    keys = ["JUNBAN_MAIL_FROM", "JUNBAN_KEY_DIR", "JUNBAN_MASTER_KEY", "JUNBAN_PUBLIC_URL"]
    assert [fault.key for fault in faults_of_mail(machine)] == keys
    with pytest.raises(Faulty):
        mail_settings(machine)


def test_the_master_key_may_be_a_credential_of_the_service_manager(tmp_path: Path) -> None:
    (tmp_path / "junban-master-key").write_text(f"{KEY}\n")
    environment = sound(tmp_path, CREDENTIALS_DIRECTORY=str(tmp_path), JUNBAN_MASTER_KEY="")
    machine = Machine.from_environment(environment)
    assert machine.master_key is not None
    assert machine.master_key.get_secret_value() == KEY
    (tmp_path / "junban-master-key").write_text("too short")
    assert faults_in(environment) == ["JUNBAN_MASTER_KEY"]


def test_no_secret_is_shown_by_what_holds_it(tmp_path: Path) -> None:
    machine = Machine.from_environment(sound(tmp_path))
    settings = mail_settings(machine)
    assert isinstance(settings, MailSettings)
    for shown in (repr(machine), str(machine), repr(settings), repr(settings.server), machine.model_dump_json()):
        assert PASSWORD not in shown
        assert KEY not in shown
    assert bytes.fromhex(KEY).hex() not in repr(settings)


def test_a_hub_is_given_no_secret_and_whoever_sends_is(tmp_path: Path) -> None:
    machine = Machine.from_environment(sound(tmp_path))
    base = {"PATH": "/bin", "CREDENTIALS_DIRECTORY": "/run/credentials", "JUNBAN_MASTER_KEY": KEY}
    of_hub = machine.environment(base)
    known = {"PATH", "JUNBAN_PUBLIC_URL", "JUNBAN_MAIL_FROM", "JUNBAN_KEY_DIR", "JUNBAN_PUBLIC_HOST", "JUNBAN_OFFICE"}
    known |= {"JUNBAN_LINE_URL", "JUNBAN_PHONE_URL", "JUNBAN_HUBS", "JUNBAN_WEBSOCKETS"}
    assert of_hub.keys() == known | {name for name in of_hub if "PORT" in name}
    of_worker = machine.environment(base, with_secrets=True)
    assert of_worker["JUNBAN_MASTER_KEY"] == KEY
    assert of_worker["JUNBAN_SMTP_URL"] == SOUND["JUNBAN_SMTP_URL"]
    assert Machine.from_environment(of_worker) == machine


def test_a_key_folder_that_others_can_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o755)
    (fault,) = faults_of_mail(Machine.from_environment(sound(tmp_path)))
    assert fault.key == "JUNBAN_KEY_DIR"
    assert "chmod 700" in fault.remedy


def test_a_check_leaves_a_key_folder_that_is_not_there_unmade(tmp_path: Path) -> None:
    assert faults_of_mail(Machine.from_environment(sound(tmp_path))) == []
    assert not (tmp_path / "keys").exists()


def junban(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "config.cli", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("words", "less", "code", "says"),
    [
        (["worker", "fax"], "", 2, "CARRIER の値が正しくありません"),
        (["worker"], "", 2, "CARRIER を書いてください"),
        (["worker", "email"], "JUNBAN_REDIS_URL", 2, "JUNBAN_REDIS_URL"),
        (["keeper"], "JUNBAN_REDIS_URL", 2, "JUNBAN_REDIS_URL"),
        (["worker", "email"], "JUNBAN_SMTP_URL", 2, "JUNBAN_SMTP_URL と JUNBAN_MAIL_FROM"),
        (["worker", "line"], "", 2, "JUNBAN_LINE_TOKEN と JUNBAN_LINE_SECRET と JUNBAN_LINE_ACCOUNT"),
        (["worker", "phone"], "JUNBAN_SMTP_URL", 2, "JUNBAN_PHONE_ACCOUNT と JUNBAN_PHONE_TOKEN と JUNBAN_PHONE_FROM"),
        (["worker", "email"], "JUNBAN_MAIL_FROM", 1, "JUNBAN_MAIL_FROM"),
        (["keeper"], "JUNBAN_KEY_DIR", 1, "JUNBAN_KEY_DIR"),
    ],
)
def test_wrong_use_is_one_sentence(tmp_path: Path, words: list[str], less: str, code: int, says: str) -> None:
    environment: dict[str, Any] = sound(tmp_path, JUNBAN_REDIS_URL="unix:///nowhere", PYTHONPATH=":".join(sys.path))
    environment.pop(less, None)
    answer = junban(*words, environment=environment)
    assert (answer.returncode, answer.stdout) == (code, "")
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr
    assert PASSWORD not in answer.stderr


def test_check_names_faults_without_secrets(tmp_path: Path) -> None:
    environment = sound(tmp_path, PYTHONPATH=":".join(sys.path), JUNBAN_SMTP_URL=f"smtp://ward:{PASSWORD}@mail/x")
    answer = junban("check", "--json", environment=environment)
    told = json.loads(answer.stdout)
    assert [fault["key"] for fault in told["faults"]] == ["JUNBAN_SMTP_URL"]
    assert PASSWORD not in answer.stdout + answer.stderr
