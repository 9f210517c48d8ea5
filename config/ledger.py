"""Where the ledger lies and what signs its heads, as values; and what is wrong with it, told before anything starts."""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pydantic import SecretStr

from config.faults import Fault
from config.settings import WHERE, Machine, default_data_folder
from hub.ledger.connection import LedgerUnusable, sqlite_url, why_unusable
from hub.ledger.operations import Ledger

FILE = "ledger.sqlite"
KEY_FILE = "ledger-signing.pem"
HEADS = "heads"


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """`folder`: of the signing key and of the heads. The URL may hold a password and is never printed."""

    folder: Path
    _url: SecretStr

    @property
    def heads(self) -> Path:
        return self.folder / HEADS

    def open(self, office: str) -> Ledger:
        """Connects at the first use. Raises LedgerUnusable."""
        return Ledger(self._url.get_secret_value(), office)

    def open_existing(self, office: str) -> Ledger:
        """Raises LedgerUnusable."""
        return existing(self.open(office))

    def signing_key(self) -> Ed25519PrivateKey:
        """The key that signs heads; made if there is none. Raises LedgerUnusable."""
        path = self.folder / KEY_FILE
        try:
            if not path.exists():
                _make_key(path)
            return _read_key(path)
        except OSError as error:
            raise LedgerUnusable(
                f"署名の鍵 {path} を使えません（{error.strerror}）。フォルダーの持ち主と権限を確かめてください。"
            ) from None

    def why_unusable(self) -> str | None:
        """Looks at the database, and leaves it as it is."""
        return why_unusable(self._url.get_secret_value())

    def why_key_unusable(self) -> str | None:
        try:
            if (self.folder / KEY_FILE).exists():
                self.signing_key()
        except LedgerUnusable as error:
            return str(error)
        except OSError as error:
            return f"{self.folder} を読めません（{error.strerror}）。"
        return None


def existing(ledger: Ledger) -> Ledger:
    """The same, where it is there already: a mistyped place makes no ledger. Raises LedgerUnusable."""
    if not ledger.is_there:
        raise LedgerUnusable("台帳がまだありません。--data か JUNBAN_LEDGER_URL を確かめてください。")
    return ledger


def ledger_settings(machine: Machine, folder: Path | None = None) -> LedgerSettings:
    """What the machine says; what it does not say lies in `folder`, or in the data folder of this user."""
    folder = (folder or default_data_folder()).absolute()
    return LedgerSettings(machine.ledger_key_dir or folder, machine.ledger_url or SecretStr(sqlite_url(folder / FILE)))


def ledger_url(machine: Machine) -> str:
    """Where the ledger lies, with its password if it has one: for who opens it himself."""
    url = machine.ledger_url
    return url.get_secret_value() if url else sqlite_url(default_data_folder().absolute() / FILE)


def with_ledger(machine: Machine, folder: Path) -> Machine:
    """The machine as its children are told: both settings are there."""
    folder = folder.absolute()
    url = machine.ledger_url or SecretStr(sqlite_url(folder / FILE))
    return machine.model_copy(update={"ledger_url": url, "ledger_key_dir": machine.ledger_key_dir or folder})


def faults_of_ledger(machine: Machine) -> list[Fault]:
    """What would keep the keeper from archiving."""
    settings = ledger_settings(machine)
    told = (
        ("JUNBAN_LEDGER_URL", settings.why_unusable()),
        ("JUNBAN_LEDGER_KEY_DIR", settings.why_key_unusable()),
    )
    return [Fault(WHERE, name, why) for name, why in told if why]


def _make_key(path: Path) -> None:
    """Whole or not at all; of two that make one at once the first is kept."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    making = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(making, path)
        except FileExistsError:
            return
    finally:
        making.unlink()


def _read_key(path: Path) -> Ed25519PrivateKey:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise LedgerUnusable(f"署名の鍵 {path} をほかの利用者が読めます。chmod 600 {path} としてください。")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise LedgerUnusable(f"{path} は Ed25519 の鍵ではありません。控えから戻してください。")
    return key
