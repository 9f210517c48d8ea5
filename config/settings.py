"""The one place that reads the environment: `JUNBAN_*` for the machine. Everything is checked before anything starts.

Values are handed on; nobody else asks the environment. The table in README.md is made by `settings_table`.
"""

import contextlib
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from config.faults import Fault, Faulty, faults_of, own_fault
from config.office_file import (
    PRACTICE_OFFICE,
    CounterEntry,
    LaneEntry,
    LineEntry,
    NoticesEntry,
    OfficeFile,
    PhoneEntry,
    PriorityEntry,
    ReasonEntry,
    read_office,
)
from config.office_hours import HoursEntry, SpecialDayEntry
from hub.desk.lane import Office
from workers.carriers.server import MailServer

PREFIX = "JUNBAN_"
WHERE = "環境変数"
OTHER_PORT = "職員向けの画面には別の番号を書いてください。"
OF_HUBS = frozenset({"JUNBAN_LEDGER_URL", "JUNBAN_LINE_SECRET"})  # secrets that everybody here needs
CREDENTIALS = "CREDENTIALS_DIRECTORY"  # set by systemd for a unit with LoadCredential=
MASTER_KEY_CREDENTIAL = "junban-master-key"
# Read by the tests alone; somebody who runs both in one shell has made no fault.
OF_THE_TESTS = frozenset({"JUNBAN_REQUIRE_BROWSER", "JUNBAN_DAYS", "JUNBAN_PEERS"})


def _parts(url: str) -> tuple[str, str, str]:
    """Scheme, host, path; all empty for what is no URL."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # refuses what is no number
    except ValueError:
        return "", "", ""
    return parts.scheme, parts.hostname or "", parts.path


def _a_store(url: str) -> str:
    scheme, host, path = _parts(url)
    if not (host if scheme in ("redis", "rediss") else path if scheme == "unix" else ""):
        raise own_fault("redis://ホスト:6379/0、rediss://…、または unix:///… の形で書いてください。")
    return url


def _a_printer(address: str) -> str:
    from kiosk_client.printer import printer_at  # hubs have no printer, and need no printer library loaded

    try:
        printer_at(address)
    except ValueError:
        raise own_fault("network://ホスト:9100、usb://04b8:0202、file:///dev/usb/lp0 の形で書いてください。") from None
    return address


def _an_origin(url: str) -> str:
    scheme, host, path = _parts(url)
    if scheme not in ("http", "https") or not host or path.strip("/"):
        raise own_fault("https://ホスト名 の形で、後ろに何も付けずに書いてください。")
    return url.rstrip("/")


def _a_safe_origin(url: str) -> str:
    if not url.startswith("https://"):
        raise own_fault("https:// で始めてください。http では、職員のサインインを途中で読まれます。")
    return _an_origin(url)


def _a_mail_server(url: SecretStr) -> SecretStr:
    if mail_server(url.get_secret_value()) is None:
        raise own_fault(
            "smtp://ホスト:25、smtp://利用者:パスワード@ホスト、smtps://… の形で書いてください。"
            "暗号化しない中継サーバーには ?starttls=never を付けてください。"
        )
    return url


def _a_ledger(url: SecretStr) -> SecretStr:
    scheme, host, path = _parts(url.get_secret_value())
    if not (
        (scheme in ("postgresql", "postgresql+psycopg") and path.strip("/"))
        or (scheme == "sqlite" and not host and path.startswith("//"))
    ):
        raise own_fault(
            "postgresql://利用者:パスワード@ホスト/データベース か、sqlite:////var/lib/junban/ledger.sqlite の形で"
            "書いてください。"
        )
    return url


_ADDRESS = r"[A-Za-z0-9._+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{1,63}"


def _an_address(text: str) -> str:
    if re.fullmatch(_ADDRESS, text, re.ASCII) is None:
        raise own_fault("お知らせの差出人を junban@city.example.jp の形で書いてください。")
    return text


def _bounces(text: str) -> str:
    if text.count("{}") != 1 or re.fullmatch(_ADDRESS, text.replace("{}", "x"), re.ASCII) is None:
        raise own_fault("戻りのアドレスを junban+{}@city.example.jp の形で、{} を一つだけ入れて書いてください。")
    return text


def _a_key(text: SecretStr) -> SecretStr:
    if re.fullmatch(r"[0-9a-fA-F]{64}", text.get_secret_value(), re.ASCII) is None:
        raise own_fault("64 文字の 16 進数で書いてください（openssl rand -hex 32 で作れます）。")
    return text


def _an_account(text: str) -> str:
    if re.fullmatch(r"@[A-Za-z0-9._-]{1,32}", text, re.ASCII) is None:
        raise own_fault("LINE公式アカウントのベーシックIDを @123abcde の形で書いてください。")
    return text


def _a_secret(text: SecretStr) -> SecretStr:
    if re.fullmatch(r"[\x21-\x7e]{8,512}", text.get_secret_value(), re.ASCII) is None:
        raise own_fault("空白を含まない 8〜512 文字で書いてください。")
    return text


def _a_number(text: str) -> str:
    if re.fullmatch(r"\+[0-9]{5,15}", text, re.ASCII) is None:
        raise own_fault("+81 で始まる国際電話番号の形で書いてください。")
    return text


def _an_absolute_path(path: Path) -> Path:
    if not path.is_absolute():
        raise own_fault("/ で始まるフォルダーの場所を書いてください。")
    return path


def _folders(text: object) -> object:
    """`/a:/b` as folders; what is no text is folders already."""
    if not isinstance(text, str):
        return text
    return tuple(_an_absolute_path(Path(part)) for part in text.split(":") if part)


def mail_server(url: str) -> MailServer | None:
    """`smtp://[user:pass@]host[:port][?starttls=never]` or `smtps://…`; None for anything else."""
    try:
        parts = urlsplit(url)
        port, options = parts.port, parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        return None
    is_bare = parts.path in ("", "/") and not parts.fragment
    if (
        parts.scheme not in ("smtp", "smtps")
        or not parts.hostname
        or not is_bare
        or bool(parts.username) != bool(parts.password)
    ):
        return None
    user, password = (unquote(text) if text else None for text in (parts.username, parts.password))
    match parts.scheme, options:
        case "smtps", []:
            return MailServer(parts.hostname, port or 465, "always", user, password)
        case "smtp", []:
            return MailServer(parts.hostname, port or (587 if user else 25), "starttls", user, password)
        case "smtp", [("starttls", "never")]:
            return MailServer(parts.hostname, port or 25, "never", user, password)
        case _:
            return None


Port = Annotated[int, Field(ge=1, le=65535)]


class Machine(BaseModel):
    """What differs from one machine to another. A field's alias is the variable's name."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)

    redis_url: Annotated[str, AfterValidator(_a_store)] | None = Field(
        default=None,
        alias="JUNBAN_REDIS_URL",
        description="Redis 7.0 or newer, or Valkey, that holds the live queue. Without it `junban up` brings its own.",
    )
    public_url: Annotated[str, AfterValidator(_an_origin)] | None = Field(
        default=None,
        alias="JUNBAN_PUBLIC_URL",
        description="Where residents reach the public pages, as in `https://junban.example.jp`.",
    )
    public_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        alias="JUNBAN_PUBLIC_HOST",
        description="Address that the public pages listen on. `0.0.0.0` lets other machines in.",
    )
    port: Port = Field(
        default=8080,
        alias="JUNBAN_PORT",
        description="Port of the public pages.",
    )
    inside_port: Port = Field(
        default=8081,
        alias="JUNBAN_INSIDE_PORT",
        description="Port of the pages for staff, walls and ticket machines; always on 127.0.0.1.",
    )
    inside_url: Annotated[str, AfterValidator(_a_safe_origin)] | None = Field(
        default=None,
        alias="JUNBAN_INSIDE_URL",
        description="Where a proxy offers the inside pages, as in `https://madoguchi.example.jp`: their cookies then go"
        " by https alone. Without it only this machine's own browsers may use them.",
    )
    printer: Annotated[str, AfterValidator(_a_printer)] | None = Field(
        default=None,
        alias="JUNBAN_PRINTER",
        description="A ticket machine's ESC/POS printer: `network://HOST:9100`, `usb://04b8:0202`, `file:///dev/usb/lp0`."
        " Without it slips are files in a folder.",
    )
    jobs_url: Annotated[str, AfterValidator(_a_store)] | None = Field(
        default=None,
        alias="JUNBAN_JOBS_URL",
        description="Redis or Valkey that carries the wake-ups of workers. Without it: the store.",
    )
    smtp_url: Annotated[SecretStr, AfterValidator(_a_mail_server)] | None = Field(
        default=None,
        alias="JUNBAN_SMTP_URL",
        description="Mail server for notices: `smtp://[user:password@]host[:port]`, with STARTTLS and its certificate"
        " checked; `?starttls=never` for a relay on a line that is trusted; or `smtps://…`. Without it no notices are"
        " offered.",
    )
    mail_from: Annotated[str, AfterValidator(_an_address)] | None = Field(
        default=None,
        alias="JUNBAN_MAIL_FROM",
        description="Address that notices come from.",
    )
    mail_bounces: Annotated[str, AfterValidator(_bounces)] | None = Field(
        default=None,
        alias="JUNBAN_MAIL_BOUNCES",
        description="Address that undeliverable mails go back to, as in `junban+{}@city.example.jp`; the mail server"
        " hands what comes there to `junban bounce`. Without it they go to the sender, and nobody learns of them.",
    )
    line_token: Annotated[SecretStr, AfterValidator(_a_secret)] | None = Field(
        default=None,
        alias="JUNBAN_LINE_TOKEN",
        description="Channel access token of the ward's LINE official account. Without it nothing is sent by LINE.",
    )
    line_secret: Annotated[SecretStr, AfterValidator(_a_secret)] | None = Field(
        default=None,
        alias="JUNBAN_LINE_SECRET",
        description="Channel secret of that account: what LINE tells at `/line/webhook` is signed with it.",
    )
    line_account: Annotated[str, AfterValidator(_an_account)] | None = Field(
        default=None,
        alias="JUNBAN_LINE_ACCOUNT",
        description="Basic id of that account, as in `@123abcde`: residents add it as a friend.",
    )
    line_url: Annotated[str, AfterValidator(_an_origin)] = Field(
        default="https://api.line.me",
        alias="JUNBAN_LINE_URL",
        description="Where LINE's Messaging API is.",
    )
    phone_url: Annotated[str, AfterValidator(_an_origin)] = Field(
        default="https://api.twilio.com",
        alias="JUNBAN_PHONE_URL",
        description="Where the telephone carrier speaks Twilio's REST form.",
    )
    phone_account: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = Field(
        default=None,
        alias="JUNBAN_PHONE_ACCOUNT",
        description="Account there. Without it nobody is telephoned.",
    )
    phone_token: Annotated[SecretStr, AfterValidator(_a_secret)] | None = Field(
        default=None,
        alias="JUNBAN_PHONE_TOKEN",
        description="Its token.",
    )
    phone_from: Annotated[str, AfterValidator(_a_number)] | None = Field(
        default=None,
        alias="JUNBAN_PHONE_FROM",
        description="Number that writes and calls, as in `+81501234567`.",
    )
    key_dir: Annotated[Path, AfterValidator(_an_absolute_path)] | None = Field(
        default=None,
        alias="JUNBAN_KEY_DIR",
        description="Folder of the keys that open contacts, for workers and keeper alone: no backup, no snapshot.",
    )
    master_key: Annotated[SecretStr, AfterValidator(_a_key)] | None = Field(
        default=None,
        alias="JUNBAN_MASTER_KEY",
        description="64 hexadecimal characters that wrap those keys. Better as the systemd credential"
        " `junban-master-key`.",
    )
    search_dirs: Annotated[tuple[Path, ...], BeforeValidator(_folders)] = Field(
        default=(),
        alias="JUNBAN_SEARCH_DIRS",
        description="Folders where no contact may ever be, separated by `:`: logs, spools, temporary folders. The"
        " keeper looks through them after each erasure.",
    )
    ledger_url: Annotated[SecretStr, AfterValidator(_a_ledger)] | None = Field(
        default=None,
        alias="JUNBAN_LEDGER_URL",
        description="Database of the ledger: `postgresql://user:password@host/database`, the same for every host, or"
        " `sqlite:////FILE`. Without it: `ledger.sqlite` in the data folder.",
    )
    ledger_key_dir: Annotated[Path, AfterValidator(_an_absolute_path)] | None = Field(
        default=None,
        alias="JUNBAN_LEDGER_KEY_DIR",
        description="Folder of `ledger-signing.pem`, which signs the head of each day, and of `heads`, which are handed"
        " to the ward. Without it: the data folder.",
    )
    hubs: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1,
        alias="JUNBAN_HUBS",
        description="How many hubs share the public port: `junban up` runs as many; `junban hub` lets others in beside"
        " it. One tells ten thousand residents; more than cores are no use.",
    )
    websockets: Literal["own", "wsproto"] = Field(
        default="own",
        alias="JUNBAN_WEBSOCKETS",
        description="What websockets run on: `own` tells ten thousand residents at once; `wsproto`, slower, is others'"
        " work, should ours ever be in the way.",
    )
    office: Path = Field(
        default=PRACTICE_OFFICE,
        alias="JUNBAN_OFFICE",
        description="The office file (TOML). Without it: the practice ward.",
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Machine":
        """Raises Faulty with every fault of every `JUNBAN_*` variable. An empty one counts as not set."""
        machine, faults = look_at_machine(environment)
        if machine is None or faults:
            raise Faulty(faults)
        return machine

    def environment(self, base: Mapping[str, str] = os.environ, *, with_secrets: bool = False) -> dict[str, str]:
        """`base` with this machine's variables in place of its own: what a child process is given.

        A hub seals contacts, and gets nothing that opens or sends them; workers and keeper do. All use the ledger, and
        a hub has to know what LINE signs with.
        """
        kept = {name: value for name, value in base.items() if not name.startswith(PREFIX)}
        if not with_secrets:
            kept.pop(CREDENTIALS, None)
        mine = {name: value for name, value in self.model_dump(by_alias=True, exclude_none=True).items() if value != ()}
        plain = {name: _written(value) for name, value in mine.items() if not isinstance(value, SecretStr)}
        secret = {name: value.get_secret_value() for name, value in mine.items() if isinstance(value, SecretStr)}
        return kept | plain | {name: secret[name] for name in secret if with_secrets or name in OF_HUBS}


def _written(value: object) -> str:
    return ":".join(map(str, value)) if isinstance(value, tuple) else str(value)


def look_at_machine(environment: Mapping[str, str]) -> tuple[Machine | None, list[Fault]]:
    """The machine, None if a value is wrong, and every fault; an unknown name alone leaves the machine as it is."""
    given = {
        name: value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name not in OF_THE_TESTS and value
    }
    if CREDENTIALS in environment and "JUNBAN_MASTER_KEY" not in given:
        with contextlib.suppress(OSError, UnicodeError):
            credential = Path(environment[CREDENTIALS]) / MASTER_KEY_CREDENTIAL
            given["JUNBAN_MASTER_KEY"] = credential.read_text(encoding="ascii").strip()
    known = [field.alias or "" for field in Machine.model_fields.values()]
    faults = [Fault(WHERE, name, _unknown(name, known)) for name in sorted(given.keys() - set(known))]
    try:
        machine = Machine.model_validate({name: value for name, value in given.items() if name in known})
    except ValidationError as error:
        return None, faults + faults_of(error, WHERE)
    if machine.port == machine.inside_port:
        faults.append(Fault(WHERE, "JUNBAN_INSIDE_PORT", f"JUNBAN_PORT と同じ {machine.port} です。{OTHER_PORT}"))
    return machine, faults


def look_at_all(environment: Mapping[str, str] = os.environ) -> tuple[Machine | None, Office | None, list[Fault]]:
    """Machine, office and the faults of both, None for what cannot be used: whoever checks goes on with the rest."""
    machine, faults = look_at_machine(environment)
    try:
        path = machine.office if machine else Path(environment.get("JUNBAN_OFFICE") or PRACTICE_OFFICE)
        return machine, read_office(path), faults
    except Faulty as error:
        return machine, None, faults + error.faults


def read_all(environment: Mapping[str, str] = os.environ) -> tuple[Machine, Office]:
    """The machine and its office. Raises Faulty with the faults of both at once."""
    machine, office, faults = look_at_all(environment)
    if machine is None or office is None or faults:
        raise Faulty(faults)
    return machine, office


def default_data_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where `junban up` keeps its data when nobody says: the user's data folder by the XDG convention."""
    base = environment.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / "junban"


def settings_table() -> str:
    """Both settings tables of README.md, as Markdown."""
    lines = ["| variable | without it | means |", "| --- | --- | --- |"]
    for field in Machine.model_fields.values():
        default = {None: "–", (): "–", PRACTICE_OFFICE: "the practice ward"}.get(field.default, f"`{field.default}`")
        lines.append(f"| `{field.alias}` | {default} | {field.description} |")
    lines += ["", "| in the office file | means |", "| --- | --- |"]
    for place, kind in (
        ("", OfficeFile),
        ("notices.", NoticesEntry),
        ("notices.line.", LineEntry),
        ("notices.phone.", PhoneEntry),
        ("lanes[].", LaneEntry),
        ("counters[].", CounterEntry),
        ("hours[].", HoursEntry),
        ("special_days[].", SpecialDayEntry),
        ("priorities[].", PriorityEntry),
        ("pause_reasons[].", ReasonEntry),
        ("reasons[].", ReasonEntry),
    ):
        for name, field in kind.model_fields.items():
            is_told = not (field.is_required() or field.default in (None, [], {}))
            default = f" Without it: {field.default}." if is_told else ""
            lines.append(f"| `{place}{name}` | {field.description}{default} |")
    return "\n".join(lines)


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    guess = f"{near[0]} の間違いではありませんか。" if near else "つづりを確かめるか、取り除いてください。"
    return f"知らない設定です。{guess}"
