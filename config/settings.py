"""The one place that reads the environment: `JUNBAN_*` for the machine. Everything is checked before anything starts.

Values are handed on; nobody else asks the environment. The table in README.md is made by `settings_table`.
"""

import contextlib
import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from config.faults import Fault, Faulty, faults_of
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
from config.values import (
    BounceAddress,
    Folder,
    Folders,
    LedgerUrl,
    LineAccount,
    MailAddress,
    MailServerUrl,
    MasterKey,
    Origin,
    Port,
    PrinterAddress,
    ProviderAccount,
    ProviderSecret,
    SafeOrigin,
    StoreUrl,
    TelephoneNumber,
)
from hub.desk.lane import Office

PREFIX = "JUNBAN_"
WHERE = "環境変数"
OTHER_PORT = "職員向けの画面には別の番号を書いてください。"
OF_HUBS = frozenset({"JUNBAN_LEDGER_URL", "JUNBAN_LINE_SECRET"})  # secrets that everybody here needs
CREDENTIALS = "CREDENTIALS_DIRECTORY"  # set by systemd for a unit with LoadCredential=
MASTER_KEY_CREDENTIAL = "junban-master-key"
# Read by the tests alone; somebody who runs both in one shell has made no fault.
OF_THE_TESTS = frozenset({"JUNBAN_REQUIRE_BROWSER", "JUNBAN_PEERS"})


class Machine(BaseModel):
    """What differs from one machine to another. A field's alias is the variable's name."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)

    redis_url: StoreUrl | None = Field(
        default=None,
        alias="JUNBAN_REDIS_URL",
        description="Redis 7.0 or newer, or Valkey, that holds the live queue. Without it `junban up` brings its own.",
    )
    public_url: Origin | None = Field(
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
    inside_url: SafeOrigin | None = Field(
        default=None,
        alias="JUNBAN_INSIDE_URL",
        description="Where a proxy offers the inside pages, as in `https://madoguchi.example.jp`: their cookies then go"
        " by https alone. Without it only this machine's own browsers may use them.",
    )
    printer: PrinterAddress | None = Field(
        default=None,
        alias="JUNBAN_PRINTER",
        description="A ticket machine's ESC/POS printer: `network://HOST:9100`, `usb://04b8:0202`, `file:///dev/usb/lp0`."
        " Without it slips are files in a folder.",
    )
    jobs_url: StoreUrl | None = Field(
        default=None,
        alias="JUNBAN_JOBS_URL",
        description="Redis or Valkey that carries the wake-ups of workers. Without it: the store.",
    )
    smtp_url: MailServerUrl | None = Field(
        default=None,
        alias="JUNBAN_SMTP_URL",
        description="Mail server for notices: `smtp://[user:password@]host[:port]`, with STARTTLS and its certificate"
        " checked; `?starttls=never` for a relay on a line that is trusted; or `smtps://…`. Without it nothing goes by"
        " e-mail.",
    )
    mail_from: MailAddress | None = Field(
        default=None,
        alias="JUNBAN_MAIL_FROM",
        description="Address that notices come from.",
    )
    mail_bounces: BounceAddress | None = Field(
        default=None,
        alias="JUNBAN_MAIL_BOUNCES",
        description="Address that undeliverable mails go back to, as in `junban+{}@city.example.jp`; the mail server"
        " hands what comes there to `junban bounce`. Without it they go to the sender, and nobody learns of them.",
    )
    line_token: ProviderSecret | None = Field(
        default=None,
        alias="JUNBAN_LINE_TOKEN",
        description="Channel access token of the ward's LINE official account. Without it nothing is sent by LINE.",
    )
    line_secret: ProviderSecret | None = Field(
        default=None,
        alias="JUNBAN_LINE_SECRET",
        description="Channel secret of that account: what LINE tells at `/line/webhook` is signed with it.",
    )
    line_account: LineAccount | None = Field(
        default=None,
        alias="JUNBAN_LINE_ACCOUNT",
        description="Basic id of that account, as in `@123abcde`: residents add it as a friend.",
    )
    line_url: Origin = Field(
        default="https://api.line.me",
        alias="JUNBAN_LINE_URL",
        description="Where LINE's Messaging API is.",
    )
    phone_url: Origin = Field(
        default="https://api.twilio.com",
        alias="JUNBAN_PHONE_URL",
        description="Where the telephone carrier speaks Twilio's REST form.",
    )
    phone_account: ProviderAccount | None = Field(
        default=None,
        alias="JUNBAN_PHONE_ACCOUNT",
        description="Account there. Without it nobody is telephoned.",
    )
    phone_token: ProviderSecret | None = Field(
        default=None,
        alias="JUNBAN_PHONE_TOKEN",
        description="Its token.",
    )
    phone_from: TelephoneNumber | None = Field(
        default=None,
        alias="JUNBAN_PHONE_FROM",
        description="Number that writes and calls, as in `+81501234567`.",
    )
    key_dir: Folder | None = Field(
        default=None,
        alias="JUNBAN_KEY_DIR",
        description="Folder of the keys that open contacts, for workers and keeper alone: no backup, no snapshot.",
    )
    master_key: MasterKey | None = Field(
        default=None,
        alias="JUNBAN_MASTER_KEY",
        description="64 hexadecimal characters that wrap those keys. Better as the systemd credential"
        " `junban-master-key`.",
    )
    search_dirs: Folders = Field(
        default=(),
        alias="JUNBAN_SEARCH_DIRS",
        description="Folders where no contact may ever be, separated by `:`: logs, spools, temporary folders, and those"
        " of a store that is not `junban up`'s own. The keeper looks through them after each erasure; while one of them"
        " cannot be read, no contact is taken. Where none is named for such a store, nothing is ever verified:"
        " `/ready` says so, and none is taken once that is overdue.",
    )
    ledger_url: LedgerUrl | None = Field(
        default=None,
        alias="JUNBAN_LEDGER_URL",
        description="Database of the ledger: `postgresql://user:password@host/database`, the same for every host, or"
        " `sqlite:////FILE`. Without it: `ledger.sqlite` in the data folder.",
    )
    ledger_key_dir: Folder | None = Field(
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
