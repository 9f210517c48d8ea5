"""The forms that values of the environment have: each is checked where it is read, and refused with one sentence."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from config.faults import own_fault
from workers.carriers.server import MailServer


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
StoreUrl = Annotated[str, AfterValidator(_a_store)]
PrinterAddress = Annotated[str, AfterValidator(_a_printer)]
Origin = Annotated[str, AfterValidator(_an_origin)]
SafeOrigin = Annotated[str, AfterValidator(_a_safe_origin)]
MailServerUrl = Annotated[SecretStr, AfterValidator(_a_mail_server)]
LedgerUrl = Annotated[SecretStr, AfterValidator(_a_ledger)]
MailAddress = Annotated[str, AfterValidator(_an_address)]
BounceAddress = Annotated[str, AfterValidator(_bounces)]
MasterKey = Annotated[SecretStr, AfterValidator(_a_key)]
LineAccount = Annotated[str, AfterValidator(_an_account)]
ProviderSecret = Annotated[SecretStr, AfterValidator(_a_secret)]
TelephoneNumber = Annotated[str, AfterValidator(_a_number)]
Folder = Annotated[Path, AfterValidator(_an_absolute_path)]
Folders = Annotated[tuple[Path, ...], BeforeValidator(_folders)]
ProviderAccount = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
