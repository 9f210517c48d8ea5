"""What workers and keeper need besides the store, as values; and what is wrong with it, told before they start."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.faults import Fault, Faulty
from config.settings import WHERE, Machine
from config.values import mail_server
from hub.desk.notices import Carrier
from workers.carriers.server import LineServer, MailServer, PhoneServer
from workers.keys import KeyHost, KeysUnusable

Needs = tuple[tuple[str, str], ...]

# What every carrier needs, and what each of them does once the first of its own is set.
NEEDED: Needs = (
    ("key_dir", "鍵を置くフォルダーの場所を書いてください。"),
    (
        "master_key",
        "openssl rand -hex 32 で作った鍵を書くか、systemd の資格情報 junban-master-key を用意してください。",
    ),
    ("public_url", "お知らせに載せる、住民向けの画面の URL を書いてください。"),
)
NEEDED_BY: dict[Carrier, Needs] = {
    Carrier.LINE: (
        ("line_token", "LINE Developers で発行した長期のチャネルアクセストークンを書いてください。"),
        ("line_secret", "LINE Developers の「チャネル基本設定」にあるチャネルシークレットを書いてください。"),
        ("line_account", "LINE公式アカウントのベーシックID を @123abcde の形で書いてください。"),
    ),
    Carrier.EMAIL: (
        ("smtp_url", "メールを渡すサーバーの URL を書いてください。"),
        ("mail_from", "お知らせの差出人のアドレスを書いてください。"),
    ),
    Carrier.PHONE: (
        ("phone_account", "電話の事業者のアカウントを書いてください。"),
        ("phone_token", "電話の事業者のトークンを書いてください。"),
        ("phone_from", "発信元の電話番号を +81 で始めて書いてください。"),
    ),
}


@dataclass(frozen=True, slots=True)
class MailSettings:
    """A machine that can send notices, by those carriers that are not None. No secret of it is ever printed."""

    server: MailServer | None
    sender: str
    bounces: str | None
    line: LineServer | None
    phone: PhoneServer | None
    public_url: str
    key_dir: Path
    _master: bytes

    def __repr__(self) -> str:
        return f"MailSettings({self.server!r}, {self.line!r}, {self.phone!r})"

    @property
    def carriers(self) -> list[Carrier]:
        servers = {Carrier.LINE: self.line, Carrier.EMAIL: self.server, Carrier.PHONE: self.phone}
        return [carrier for carrier in Carrier if servers[carrier] is not None]

    def key_host(self) -> KeyHost:
        """Raises KeysUnusable."""
        return KeyHost(self.key_dir, self._master)


def carriers_of(machine: Machine) -> list[Carrier]:
    """By which this machine is set to send, whole or by half: one of what a carrier needs names it.

    Whoever only takes contacts (a hub) has no secret of some of them; what is not secret says as much.
    """
    signs = {Carrier.LINE: machine.line_account, Carrier.EMAIL: machine.mail_from, Carrier.PHONE: machine.phone_from}
    return [carrier for carrier in Carrier if signs[carrier] is not None]


def begun_carriers(machine: Machine) -> list[Carrier]:
    """By which somebody who has the secrets sends, or would if the set-up were not half done."""
    begun = [carrier for carrier in Carrier if any(_has(machine, name) for name, _ in NEEDED_BY[carrier])]
    if Carrier.EMAIL in begun and machine.smtp_url is None:
        begun.remove(Carrier.EMAIL)  # a sender's address alone sends nothing, and is no fault
    return begun


def mail_settings(machine: Machine) -> MailSettings | None:
    """None where no carrier is set: notices are not offered then. Raises Faulty for a set-up that is half done."""
    begun = begun_carriers(machine)
    if not begun:
        return None
    faults = [fault for carrier in begun for fault in _missing(machine, NEEDED_BY[carrier], NEEDED_BY[carrier][0][0])]
    faults += _missing(machine, NEEDED, NEEDED_BY[begun[0]][0][0])
    if faults or not (machine.key_dir and machine.master_key and machine.public_url):
        raise Faulty(faults)
    return MailSettings(
        mail_server(machine.smtp_url.get_secret_value()) if machine.smtp_url else None,
        machine.mail_from or "",
        machine.mail_bounces,
        LineServer(machine.line_url, machine.line_token.get_secret_value()) if machine.line_token else None,
        PhoneServer(
            machine.phone_url, machine.phone_account, machine.phone_token.get_secret_value(), machine.phone_from
        )
        if machine.phone_account and machine.phone_token and machine.phone_from
        else None,
        machine.public_url,
        machine.key_dir,
        bytes.fromhex(machine.master_key.get_secret_value()),
    )


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


def variables_of(carrier: Carrier) -> list[str]:
    """What names this carrier alone."""
    return [_variable(name) for name, _ in NEEDED_BY[carrier]]


def _variable(name: str) -> str:
    return f"JUNBAN_{name.upper()}"


def _has(machine: Machine, name: str) -> bool:
    return getattr(machine, name) is not None


def _missing(machine: Machine, needs: Sequence[tuple[str, str]], because_of: str) -> Iterator[Fault]:
    for name, remedy in needs:
        if not _has(machine, name):
            yield Fault(WHERE, _variable(name), f"{_variable(because_of)} があるときは必要です。{remedy}")
