"""What `junban up`, `junban demo` and `junban hub` do, from values to an orderly end."""

import asyncio
import contextlib
import gc
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from config import logs
from config.asgi import run_hub as serve_hub
from config.author import author
from config.commands.asking import Say
from config.ledger import ledger_url
from config.mail import carriers_of, variables_of
from config.office_folder import mark_folder
from config.office_process import OfficeProcess
from config.ports import taken_ports, why_not_listening, with_free_ports
from config.posts import OfficeDidNotStart
from config.practice.credentials import PEOPLE, read_credentials
from config.practice.simulated_days import DEMO_SPEED, SimulatedDays
from config.presence import HUB, OFFICE, noted
from config.processes import Workshop
from config.residents import LineChannel
from config.serving import ENGINES, new_loop
from config.settings import OTHER_PORT, Machine, default_data_folder
from hub.desk.lane import Office
from hub.desk.notices import Carrier
from hub.ledger.connection import LedgerUnusable
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.store.library import LibraryDiffers
from hub.wire.roles import Role

TEND_EVERY_S = 0.2
ENDED_TWICE = 130
AT_ONCE_S = 2.0  # children, folders: on a busy machine that takes more than one
NOTICES_OFF = (
    "お知らせは出しません。"
    "出すには JUNBAN_MASTER_KEY と JUNBAN_PUBLIC_URL のほか、送り方ごとに次のものを設定してください。"
)
BY = {Carrier.LINE: "LINE    ", Carrier.EMAIL: "メール  ", Carrier.PHONE: "電話    "}


class Stop:
    """Set by the first SIGINT, SIGTERM or SIGHUP; the second ends this process at once, and its children with it.

    At once: within two seconds, after what stands in `at_once`, last added first. What is left, the next start removes.
    """

    def __init__(self) -> None:
        self.at_once: list[Callable[[], None]] = []
        self._event = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked)

    @property
    def is_asked(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """True as soon as it is asked."""
        return self._event.wait(seconds)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if not self._event.is_set():
            self._event.set()
            return
        signal.setitimer(signal.ITIMER_REAL, AT_ONCE_S)  # SIGALRM ends a process, whatever it waits for
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for act in reversed(self.at_once):
            with contextlib.suppress(Exception):
                act()
        os._exit(ENDED_TWICE)


def run(
    machine: Machine,
    office: Office,
    say: Say,
    stop: Stop,
    *,
    data: Path | None,
    port: int | None,
    practice: bool,
    demo: bool,
) -> None:
    """One machine's office until `stop`. Practice without `data` leaves nothing behind. Raises RuntimeError."""
    machine = _on_ports(machine, port, say, may_move=practice)
    with contextlib.ExitStack() as opened:
        if practice and data is None:
            workshop = Workshop()
            stop.at_once.append(workshop.close)
            folder = opened.enter_context(workshop)
        else:
            folder = data or default_data_folder()
            _prepare(folder, practice=practice)
        running = OfficeProcess(
            machine, folder, say, practice=practice, kiosk=demo, is_wanted=lambda: not stop.is_asked
        )
        presence = noted(_ledger(running.machine, office), OFFICE, author())
        stop.at_once.append(running.kill)
        running.start()
        opened.enter_context(presence)
        opened.callback(running.stop)
        days = _days(running, folder, say) if demo else None
        if days:
            opened.callback(days.stop)
            stop.at_once.append(days.kill)
        if not stop.is_asked:
            say(welcome(running, office, None if practice and data is None else folder, practice=practice, demo=demo))
        while not stop.is_asked:
            running.tend()
            if days:
                days.tend()
            stop.wait(TEND_EVERY_S)
        say("終了しています。")


def run_hub(
    machine: Machine, office: Office, redis_url: str, *, practice: bool, credentials: Path | None = None
) -> None:
    """One hub until SIGTERM or SIGINT. `credentials`: of practice, offered at staff's door. Raises RuntimeError."""
    logs.set_up()
    people = read_credentials(credentials).for_the_door if practice and credentials else []
    try:
        gc.freeze()  # what was loaded stays: of ten thousand tabs' objects none is looked at more often for it
        presence = noted(_ledger(machine, office), HUB, Author("hub"))
        with presence, asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(
                serve_hub(
                    office,
                    redis_url=redis_url,
                    ledger_url=ledger_url(machine),
                    public_host=machine.public_host,
                    port=machine.port,
                    inside_port=machine.inside_port,
                    practice=practice,
                    public_url=machine.public_url,
                    inside_urls=[machine.inside_url] if machine.inside_url else [],
                    practice_people=people,
                    offers=carriers_of(machine),
                    line=line_channel(machine),
                    jobs_url=machine.jobs_url,
                    ws=ENGINES[machine.websockets],
                    shares_port=machine.hubs > 1,
                )
            )
    except (LibraryDiffers, LedgerUnusable) as error:
        raise OfficeDidNotStart(str(error)) from error
    except OSError as error:
        ports = f"{machine.port} か {machine.inside_port}"
        raise OfficeDidNotStart(why_not_listening(machine.public_host, ports, error)) from error


def line_channel(machine: Machine) -> LineChannel | None:
    if machine.line_secret is None or machine.line_account is None:
        return None
    return LineChannel(machine.line_secret.get_secret_value(), machine.line_account)


def _days(running: OfficeProcess, folder: Path, say: Say) -> SimulatedDays:
    places = running.stand_ins
    return SimulatedDays(
        running.inside_url,
        folder / "simulate.log",
        say,
        credentials=running.credentials_file,
        inbox_url=places.inbox_url if places else None,
    )


def welcome(running: OfficeProcess, office: Office, folder: Path | None, *, practice: bool, demo: bool) -> str:
    """Every page's address, and how to end it."""
    inside = running.inside_url
    lines = [
        "",
        f"  順番  {office.name}{'（練習）' if practice else ''}",
        "",
        f"  混雑状況（住民の方）  {running.public_url}/",
        f"  番号の画面（住民）    {running.public_url}/t",
        f"  番号表示モニター      {inside}/wall/1",
        f"  窓口（職員の画面）    {inside}/desk",
        f"  管理（職員の画面）    {inside}/admin",
        f"  監査（職員の画面）    {inside}/audit",
        f"  監視（機械用）        {inside}/live  {inside}/ready  {inside}/metrics",
    ]
    if places := running.stand_ins:
        if places.kiosk_url:
            lines.append(f"  発券機（タッチ画面）  {places.kiosk_url}/")
            lines.append(f"  番号札（紙の代わり）  {places.inbox_url}/slips")
        lines.append(f"  メールの受信箱        {places.inbox_url}/")
        lines.append(f"  LINE と電話の相手     {places.inbox_url}/line  {places.inbox_url}/phone")
    lines.append("")
    lines += _ways_in(running, practice=practice)
    if not running.sends_notices:
        lines.append(f"  {NOTICES_OFF}")
        lines += [f"    {name}{' '.join(variables_of(carrier))}" for carrier, name in BY.items()]
    if demo:
        lines.append(f"  模擬の一日を {DEMO_SPEED} 倍の速さで流しています。終わると次の一日が始まります。")
    lines.append(f"  データ: {folder}" if folder else "  終わるとデータはすべて消えます。")
    lines += ["  終わらせるには Ctrl-C を押してください。", ""]
    return "\n".join(lines)


def _ways_in(running: OfficeProcess, *, practice: bool) -> list[str]:
    """How staff signs in: in practice with accounts that are there already."""
    if not practice:
        return []
    lines = []
    for role in (Role.COUNTER, Role.MANAGER):
        if person := running.credentials.person(role):
            label = f"{PEOPLE[role][1].removeprefix('練習 ')}のサインイン".ljust(11, "\N{IDEOGRAPHIC SPACE}")
            lines.append(f"  {label}  {person.name}  {person.password}")
    lines.append("  サインインの画面のボタンなら、入力なしで入れます。ほかの役割の練習用の利用者もあります。")
    return [*lines, ""]


def _on_ports(machine: Machine, port: int | None, say: Say, *, may_move: bool) -> Machine:
    """The ports asked for; in practice, where nobody named any, free ones instead of taken ones."""
    if port is not None:
        inside = machine.inside_port if "inside_port" in machine.model_fields_set else port + 1
        machine = machine.model_copy(update={"port": port, "inside_port": inside})
    if machine.port == machine.inside_port:
        raise OfficeDidNotStart(f"JUNBAN_INSIDE_PORT が --port と同じ {machine.port} です。{OTHER_PORT}")
    taken = taken_ports(machine)
    if not taken:
        return machine
    named = " と ".join(map(str, taken))
    if port is not None or not may_move or {"port", "inside_port"} & machine.model_fields_set:
        raise OfficeDidNotStart(
            f"ポート {named} はほかのプログラムが使っています。--port か JUNBAN_PORT で別の番号を指定してください。"
        )
    free = with_free_ports(machine)
    say(f"ポート {named} は使用中のため、{free.port} と {free.inside_port} を使います。")
    return free


def _ledger(machine: Machine, office: Office) -> Ledger:
    try:
        return Ledger(ledger_url(machine), office.key)
    except LedgerUnusable as error:
        raise OfficeDidNotStart(str(error)) from error


def _prepare(folder: Path, *, practice: bool) -> None:
    try:
        mark_folder(folder, practice=practice)
    except OSError as error:
        raise OfficeDidNotStart(f"データのフォルダー {folder} を作れません（{error.strerror}）。") from error
