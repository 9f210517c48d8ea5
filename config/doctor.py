"""What `junban doctor` looks at: the machine as it stands, from its files to the pages that it shows. Nothing changes.

Every look is a function that gives sentences for what is wrong, each with its remedy, and what was seen besides; no
fault: all is well. A value that may be a secret is never repeated.
"""

import contextlib
import os
import platform
import resource
import shutil
import ssl
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import redis

from config.check import find_faults
from config.given_store import given_server
from config.ledger import FILE as LEDGER_FILE
from config.ledger import KEY_FILE, ledger_settings
from config.listening import places
from config.now import now_ms
from config.office_folder import KEYS_FOLDER, PRACTICE_MARK
from config.sbom import differing, locked
from config.settings import Machine, default_data_folder
from config.upkeep import of_updates, of_viruses
from hub.desk.lane import Office
from hub.edge.headers import ALWAYS
from hub.ledger.audits import Audits
from hub.ledger.connection import LedgerUnusable
from hub.ledger.journal import tokyo_day

ASK_WITHIN_S = 5.0
CLOCKS_APART_S = 5.0
LEAST_FREE = 0.10  # of the disk: below it a store that may not write ends
LEAST_FREE_BYTES = 1 << 30
CERTIFICATE_DAYS = 21
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
STORE_PORT = 6379
HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'self'",
    "x-content-type-options": ALWAYS["X-Content-Type-Options"],
    "referrer-policy": ALWAYS["Referrer-Policy"],
}


@dataclass(frozen=True, slots=True)
class Look:
    """What was looked at, and what was found there; `faults` empty: nothing is wrong. `seen`: worth knowing besides."""

    name: str
    faults: tuple[str, ...]
    seen: tuple[str, ...] = ()


def examine(machine: Machine, office: Office, folder: Path | None = None) -> list[Look]:
    """Everything, in the order in which it is told."""
    folder = folder or default_data_folder()
    looks: dict[str, Callable[[], tuple[list[str], list[str]]]] = {
        "設定": lambda: ([str(fault) for fault in find_faults()], []),
        "ファイルの権限": lambda: (_of_files(machine, folder), []),
        "鍵の置き場所": lambda: (_of_key_place(machine, folder), []),
        "空き容量": lambda: (_of_disk(folder), []),
        "時計": lambda: (_of_clock(machine), []),
        "コアダンプ": lambda: (_of_cores(), []),
        "待ち受け": lambda: _of_ports(machine),
        "画面の応答": lambda: (_of_pages(machine), []),
        "TLS": lambda: (_of_tls(machine), []),
        "部品": lambda: (_of_packages(), _versions(machine)),
        "ウイルス対策": of_viruses,
        "OS の更新": of_updates,
        "年度の監査": lambda: (_of_audit(machine, office, folder), []),
    }
    return [Look(name, *map(tuple, look())) for name, look in looks.items()]


def _of_files(machine: Machine, folder: Path) -> list[str]:
    """Folders 0700, files with a secret 0600, and nobody else's."""
    wanted = [(folder, 0o700), (folder / LEDGER_FILE, 0o600), (folder / KEY_FILE, 0o600)]
    if machine.ledger_key_dir:
        wanted.append((machine.ledger_key_dir / KEY_FILE, 0o600))
    if machine.key_dir:
        wanted.append((machine.key_dir, 0o700))
    faults = []
    for path, most in wanted:
        try:
            seen = path.stat()
        except OSError:
            continue  # not there: made with the right mode
        if stat.S_IMODE(seen.st_mode) & ~most:
            faults.append(f"{path} をほかの利用者が使えます。chmod {most:o} を実行してください。")
        if seen.st_uid != os.geteuid():
            faults.append(f"{path} の持ち主がこの利用者ではありません。chown で直してください。")
    with contextlib.suppress(OSError):
        if stat.S_IMODE(machine.office.stat().st_mode) & 0o022:
            faults.append(f"{machine.office} をほかの利用者が書き換えられます。chmod go-w を実行してください。")
    return faults


def _of_key_place(machine: Machine, folder: Path) -> list[str]:
    """Keys that open contacts go into no backup, and people back up the folder with the records."""
    keys = machine.key_dir or folder / KEYS_FOLDER
    is_within = keys.absolute().is_relative_to(folder.absolute())
    if not is_within or not keys.exists() or (folder / PRACTICE_MARK).exists():
        return []
    return [
        f"連絡先の鍵 {keys} が、台帳と同じ {folder} の中にあります。写しに入れないよう、JUNBAN_KEY_DIR に別の場所を"
        "書き、止めてから移してください。"
    ]


def _of_audit(machine: Machine, office: Office, folder: Path) -> list[str]:
    """The ward looks once in each fiscal year; where there is no ledger, nothing was handled yet."""
    try:
        with contextlib.closing(ledger_settings(machine, folder).open(office.key)) as ledger:
            if not ledger.is_there or not Audits(ledger).is_owed(tokyo_day(now_ms())):
                return []
    except LedgerUnusable:
        return []  # told already
    return ["今年度の監査がまだ記録されていません。区の監査の後、junban ledger audit で記録してください。"]


def _of_disk(folder: Path) -> list[str]:
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    usage = shutil.disk_usage(place)
    if usage.free < LEAST_FREE_BYTES or usage.free < LEAST_FREE * usage.total:
        return [f"{place} の空きが {usage.free // 2**20} MB しかありません。一杯になると消去も記録も止まります。"]
    return []


def _of_clock(machine: Machine) -> list[str]:
    """Of this machine against the store's: erasing and the day go by that one."""
    if machine.redis_url is None:
        return []
    try:
        with contextlib.closing(given_server(machine.redis_url)) as client:
            seconds, micros = client.time()
    except (redis.RedisError, OSError):
        return []  # told already
    apart = abs(seconds + micros / 1e6 - time.time())
    return (
        [f"ストアの時計とこの機械の時計が {apart:.0f} 秒ずれています。NTP を確かめてください。"]
        if apart > CLOCKS_APART_S
        else []
    )


def _of_cores() -> list[str]:
    soft, _ = resource.getrlimit(resource.RLIMIT_CORE)
    pattern = ""
    with contextlib.suppress(OSError):
        pattern = Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").strip()
    if soft != 0 and pattern:
        return [
            "異常終了でメモリーの内容がファイルに残ります。systemd の LimitCORE=0 か ulimit -c 0 で止めてください。"
        ]
    return []


def _of_pages(machine: Machine) -> list[str]:
    """The headers of both listeners, where they answer; what does not run is no fault of its own."""
    faults = []
    for port in (machine.port, machine.inside_port):
        line = HTTPConnection("127.0.0.1", port, timeout=ASK_WITHIN_S)
        try:
            line.request("GET", "/")
            answer = line.getresponse()
        except (HTTPException, OSError):
            continue
        finally:
            line.close()
        for name, text in HEADERS.items():
            if text not in (answer.getheader(name) or ""):
                faults.append(f"ポート {port} の応答に {name} がありません。順番でないプログラムが答えていませんか。")
    return faults


def _of_ports(machine: Machine) -> tuple[list[str], list[str]]:
    """Which addresses our listeners and a store on this machine are bound to."""
    faults, seen = [], []
    wanted = [("住民向けの画面", machine.port), ("職員向けの画面", machine.inside_port)]
    store = urlsplit(machine.redis_url or "unix://")
    if store.scheme in ("redis", "rediss") and store.hostname in LOCAL:
        wanted.append(("ストア", store.port or STORE_PORT))
    elif store.scheme == "unix":
        seen.append("ストアはソケットだけで待ち受けます")
    for name, port in wanted:
        found = places(port)
        if found:
            seen.append(f"{name}: {'、'.join(map(str, found))}")
        if port == machine.port or all(place.is_own for place in found):
            continue
        faults.append(f"{name}のポート {port} にほかの機械から届きます。127.0.0.1 だけで待ち受けさせてください。")
    if not machine.public_url and any(not place.is_own for place in places(machine.port)):
        faults.append(
            f"住民向けの画面のポート {machine.port} が暗号化なしでほかの機械に開いています。"
            "TLS のプロキシを前に置き、JUNBAN_PUBLIC_URL にその URL を書いてください。"
        )
    return faults, seen


def _of_tls(machine: Machine) -> list[str]:
    """Of the addresses that a proxy offers."""
    faults = []
    for url in (machine.public_url, machine.inside_url):
        parts = urlsplit(url or "")
        if parts.scheme == "http" and parts.hostname not in (None, "127.0.0.1", "localhost"):
            faults.append(f"{parts.hostname} が暗号化されていません。https:// にしてください。")
        if parts.scheme != "https" or not parts.hostname:
            continue
        faults += _of_certificate(parts.hostname, parts.port or 443)
    return faults


def _of_certificate(host: str, port: int) -> list[str]:
    line = HTTPSConnection(host, port, timeout=ASK_WITHIN_S, context=ssl.create_default_context())
    try:
        line.connect()
        told = line.sock.getpeercert() or {}
        version = line.sock.version()
    except OSError as error:
        return [f"{host}:{port} に TLS でつなげません（{type(error).__name__}）。証明書とプロキシを確かめてください。"]
    finally:
        line.close()
    faults = [] if version in ("TLSv1.2", "TLSv1.3") else [f"{host} の TLS が古すぎます。1.2 以上にしてください。"]
    left = (ssl.cert_time_to_seconds(str(told["notAfter"])) - time.time()) / 86400 if "notAfter" in told else 0
    if left < CERTIFICATE_DAYS:
        faults.append(f"{host} の証明書があと {left:.0f} 日で切れます。更新してください。")
    return faults


def _versions(machine: Machine) -> list[str]:
    seen = [f"junban {version('junban')}、Python {platform.python_version()}、{ssl.OPENSSL_VERSION}"]
    if machine.redis_url is None:
        return seen
    with contextlib.suppress(redis.RedisError, OSError), contextlib.closing(given_server(machine.redis_url)) as client:
        told = {str(name): str(value) for name, value in client.info("server").items()}
        kind = "valkey" if "valkey_version" in told else "redis"
        seen.append(f"ストアは {kind.capitalize()} {told.get(f'{kind}_version', '（バージョンは不明）')}")
    return seen


def _of_packages() -> list[str]:
    if not locked():
        return []
    return (
        [f"ロックと違う部品があります: {'、'.join(found)}。make install を実行してください。"]
        if (found := differing())
        else []
    )
