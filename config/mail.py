"""What workers and keeper need besides the store, as values; and what is wrong with it, told before they start."""

from dataclasses import dataclass
from pathlib import Path

from config.faults import Fault, Faulty
from config.settings import WHERE, Machine, mail_server
from workers.carriers.server import MailServer
from workers.keys import KeyHost, KeysUnusable

NEEDED: tuple[tuple[str, str], ...] = (
    ("mail_from", "お知らせの差出人のアドレスを書いてください。"),
    ("key_dir", "鍵を置くフォルダーの場所を書いてください。"),
    (
        "master_key",
        "openssl rand -hex 32 で作った鍵を書くか、systemd の資格情報 junban-master-key を用意してください。",
    ),
    ("public_url", "お知らせに載せる、住民向けの画面の場所を書いてください。"),
)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """A machine that can send notices. Neither the master key nor the server's password is ever printed."""

    server: MailServer
    sender: str
    public_url: str
    key_dir: Path
    _master: bytes

    def __repr__(self) -> str:
        return f"MailSettings({self.server!r})"

    def key_host(self) -> KeyHost:
        """Raises KeysUnusable."""
        return KeyHost(self.key_dir, self._master)


def mail_settings(machine: Machine) -> MailSettings | None:
    """None where no mail server is set: notices are not offered then. Raises Faulty for a set-up that is half done."""
    if machine.smtp_url is None:
        return None
    faults = [
        Fault(WHERE, f"JUNBAN_{name.upper()}", f"JUNBAN_SMTP_URL があるときは必要です。{remedy}")
        for name, remedy in NEEDED
        if getattr(machine, name) is None
    ]
    server = mail_server(machine.smtp_url.get_secret_value())
    if faults or not (server and machine.mail_from and machine.key_dir and machine.master_key and machine.public_url):
        raise Faulty(faults)
    master = bytes.fromhex(machine.master_key.get_secret_value())
    return MailSettings(server, machine.mail_from, machine.public_url, machine.key_dir, master)


def keys_to_destroy(machine: Machine) -> KeyHost | None:
    """Without a master key no contact is taken or opened; what was left before must go all the same.

    Raises KeysUnusable.
    """
    return KeyHost(machine.key_dir, None) if machine.key_dir and machine.key_dir.exists() else None


def faults_of_mail(machine: Machine) -> list[Fault]:
    """What would keep worker and keeper from starting; looks at the key folder, and leaves it as it is."""
    try:
        settings = mail_settings(machine)
        if settings is not None and settings.key_dir.exists():
            settings.key_host()
    except Faulty as error:
        return error.faults
    except KeysUnusable as error:
        return [Fault(WHERE, "JUNBAN_KEY_DIR", str(error))]
    return []
