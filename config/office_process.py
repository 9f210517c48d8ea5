"""The processes of one machine's office: the store, the hub, those that send notices, and in practice the stand-ins.

All of them are children of this process and end with it, however it ends (`config.processes`). What opens contacts is
handed to those that send, and to nobody else.
"""

import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from config.commands.asking import Say
from config.embedded import EmbeddedValkey, NotWanted
from config.faults import Faulty
from config.given_store import given_server, why_away
from config.ledger import ledger_url, with_ledger
from config.loopback import HOST
from config.mail import NEEDED_BY, carriers_of, mail_settings
from config.office_file import read_office
from config.office_folder import KEYS_FOLDER, KIOSK_FOLDER, SLIPS_FOLDER, STORE_FOLDER, mark_folder
from config.ports import port_near, with_free_ports
from config.posts import ChildPost, HubPost, OfficeDidNotStart, StorePost
from config.practice.credentials import FILE, Credentials, PracticePass
from config.processes import Workshop
from config.settings import Machine
from config.store_users import StoreUsers
from config.supervisor import Post, Supervisor
from hub.desk.notices import Carrier
from hub.desk.refusals import Refusal
from hub.ledger.connection import LedgerUnusable
from hub.ledger.operations import Ledger
from hub.store.access import Part
from kiosk_client.badge import BadgeFile, Held

READY_WITHIN_S = 90.0  # one second on an idle machine; one that was just switched on has much else to do
PAUSE_S = 0.02
INBOX_PORT = 8082  # the next after the pages of the office; taken ones give way to free ones
KIOSK_PORT = 8090
SENDER = "junban@ward.invalid"  # of mails that never leave this machine
LINE_ACCOUNT = "@practice"
PHONE_ACCOUNT = "practice"
PHONE_SENDER = "+815000000000"  # nobody's
OF_CARRIERS = tuple(name for needs in NEEDED_BY.values() for name, _ in needs)
WORKERS = {Carrier.LINE: "LINEのワーカー", Carrier.EMAIL: "メールのワーカー", Carrier.PHONE: "電話のワーカー"}
TEMPORARY_FOLDER = "tmp"
KIOSK_PLACE = "kiosk"
MASTER_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class StandIns:
    """Where the stand-ins of a practice office listen, all on loopback; `kiosk` None: it has no ticket machine."""

    inbox: int
    mail: int
    kiosk: int | None

    @property
    def inbox_url(self) -> str:
        return f"http://{HOST}:{self.inbox}"

    @property
    def kiosk_url(self) -> str | None:
        return None if self.kiosk is None else f"http://{HOST}:{self.kiosk}"


class OfficeProcess:
    """A whole office in `folder`: its own store and ledger unless the machine names others, its hubs, and the keeper.

    `say` hears what happens; `is_wanted` is asked while something is waited for. A practice office has a mail inbox of
    its own, whatever the machine says, and with `kiosk` a ticket machine without paper; on the usual ports if they are
    free, or on any.
    """

    def __init__(
        self,
        machine: Machine,
        folder: Path,
        say: Say,
        *,
        practice: bool,
        kiosk: bool = False,
        usual_ports: bool = True,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.stand_ins = _stand_ins(machine, kiosk=kiosk, are_usual=usual_ports) if practice else None
        if self.stand_ins:
            self.machine = with_ledger(_practising(machine, self.stand_ins, folder), folder)
        else:
            self.machine = with_ledger(_sending(machine, folder), folder)
        self._folder, self._practice = folder, practice
        self._users = StoreUsers(read_office(machine.office).key)
        self._store = EmbeddedValkey(folder / STORE_FOLDER) if machine.redis_url is None else None
        self.credentials_file = (folder / FILE).absolute()
        self.credentials = Credentials()
        self.hubs = [
            HubPost(
                hub,
                partial(self._on_store, Part.HUB, hub),
                practice=practice,
                log=self._log(name),
                temporary=self._temporary,
                credentials=self.credentials_file if practice else None,
                number=number,
            )
            for number, (name, hub) in enumerate(_of_hubs(self.machine, self.stand_ins), start=1)
        ]
        posts = self._posts(is_wanted)
        self._supervisor = Supervisor(posts, say)
        # In earnest numbers are given and called, whatever keeps notices from being sent.
        self._awaited = [post for post in posts if isinstance(post, ChildPost)] if practice else []
        self._is_wanted = is_wanted

    @property
    def public_url(self) -> str:
        return public_url_of(self.machine)

    @property
    def inside_url(self) -> str:
        return f"http://{HOST}:{self.machine.inside_port}"

    @property
    def sends_notices(self) -> bool:
        return bool(carriers_of(self.machine))

    def start(self) -> None:
        """Returns when the pages answer, or early when the office is no longer wanted.

        Raises CannotStart, StoreDidNotStart, WrongFolder or OfficeDidNotStart; nothing runs then.
        """
        if self._practice:
            self.credentials = self._let_in_practice()
        try:
            self._supervisor.start()
        except NotWanted:
            return
        deadline = time.monotonic() + READY_WITHIN_S
        while self._is_wanted() and (late := self._not_ready()):
            if not late.is_running or time.monotonic() >= deadline:
                why = late.last_words() or self._why_not_ready()
                self.stop()
                raise OfficeDidNotStart(f"{late.name}を起動できません: {why}")
            time.sleep(PAUSE_S)

    def tend(self) -> None:
        self._supervisor.tend()

    def stop(self) -> None:
        self._supervisor.stop()

    def kill(self) -> None:
        """Everything at once, without asking."""
        self._supervisor.kill()

    def _let_in_practice(self) -> Credentials:
        """Whoever practises here, and the ticket machine; before the hub starts, so that nobody finds a locked door."""
        mark_folder(self._folder, practice=True)
        ledger = Ledger(ledger_url(self.machine), read_office(self.machine.office).key)
        try:
            made = PracticePass(self._folder, ledger)
            credentials = made.make()
            if self.stand_ins and self.stand_ins.kiosk:
                BadgeFile(self._folder / KIOSK_FOLDER).keep(Held(made.kiosk_token(KIOSK_PLACE)))
            return credentials
        except LedgerUnusable as error:
            raise OfficeDidNotStart(str(error)) from error
        except Refusal as error:
            raise OfficeDidNotStart(f"練習用の利用者と機器を作れません（{error.sentence}）。") from error
        except OSError as error:
            raise OfficeDidNotStart(
                f"{self._folder} に書けません（{error.strerror}）。持ち主と権限を確かめてください。"
            ) from error
        finally:
            ledger.close()

    @property
    def _temporary(self) -> Path:
        """Where the processes make their temporary files: here the keeper looks after each erasure."""
        return self._folder.absolute() / TEMPORARY_FOLDER

    def _posts(self, is_wanted: Callable[[], bool]) -> list[Post]:
        """In the order of their starts: whoever sends is there before the first address is taken."""
        posts: list[Post] = [StorePost(self._store, self._users, is_wanted)] if self._store else []
        places, slips = self.stand_ins, self._folder / KIOSK_FOLDER / SLIPS_FOLDER
        if places:
            words = ["inbox", "--port", str(places.inbox), "--mail-port", str(places.mail)]
            words += ["--slips", str(slips)] if places.kiosk else []
            words += ["--hub", self.public_url]
            posts.append(self._child("受信箱", "inbox", words, port=places.inbox, with_secrets=True))
        own_store = ["--own-store", str(self._store.folder)] if self._store else []
        posts.append(self._sender("常駐処理（keeper）", "keeper", ["keeper", *own_store], Part.KEEPER))
        for carrier in carriers_of(self.machine):
            posts.append(self._sender(WORKERS[carrier], f"worker-{carrier}", ["worker", str(carrier)], Part.WORKER))
        posts += self.hubs
        if places and places.kiosk:
            words = ["kiosk", "--hub", self.inside_url, "--port", str(places.kiosk)]
            words += ["--data", str(self._folder), "--out", str(slips)]
            posts.append(self._child("発券機", "kiosk", words, port=places.kiosk))
        return posts

    def _child(self, name: str, log: str, words: list[str], *, port: int, with_secrets: bool = False) -> ChildPost:
        """`with_secrets`: of the carriers that it stands in for; what opens a contact it is not given."""
        return ChildPost(
            name,
            words,
            lambda: self.machine.model_copy(update={"master_key": None}),
            log=self._log(log),
            port=port,
            temporary=self._temporary,
            with_secrets=with_secrets,
        )

    def _sender(self, name: str, log: str, words: list[str], part: Part) -> ChildPost:
        alive = self._folder / f"{log}.alive"
        return ChildPost(
            name,
            words,
            lambda: self._on_store(part),
            log=self._log(log),
            temporary=self._temporary,
            alive=alive,
            with_secrets=True,
        )

    def _on_store(self, part: Part, machine: Machine | None = None) -> Machine:
        """The machine (of a hub: its own) with our store's address for this part, where we have one."""
        machine = machine or self.machine
        if self._store is None:
            return machine
        return machine.model_copy(update={"redis_url": self._users.url(self._store, part)})

    def _log(self, name: str) -> Path | None:
        return self._folder / f"{name}.log" if self._practice else None

    def _not_ready(self) -> ChildPost | None:
        """Who does not do its work yet: hubs before all others, because their words are the plainest.

        Whoever answers in the place of a child that has ended is another office.
        """
        if late := next((hub for hub in self.hubs if not hub.is_ready()), None):
            return late
        return next((post for post in self._awaited if not (post.is_running and post.answers())), None)

    def _why_not_ready(self) -> str:
        if self.machine.redis_url:
            with contextlib.closing(given_server(self.machine.redis_url)) as client:
                if why := why_away(client):
                    return why
        return f"{READY_WITHIN_S:g} 秒以内に応答がありません"


@dataclass(frozen=True, slots=True)
class Started:
    """Where a practice office is to be found: base URLs of its inside listener and its mail inbox; how to get in."""

    inside: str
    inbox: str
    credentials: Credentials


@contextlib.asynccontextmanager
async def start_office() -> AsyncIterator[Started]:
    """A fresh practice office in a temporary folder. Only from the main thread."""
    machine = Machine.from_environment().model_copy(update={"redis_url": None, "public_url": None, "inside_url": None})
    with Workshop() as folder:
        office = OfficeProcess(with_free_ports(machine), folder, lambda _: None, practice=True, usual_ports=False)
        office.start()
        try:
            inbox = office.stand_ins.inbox_url if office.stand_ins else ""
            yield Started(office.inside_url, inbox, office.credentials)
        finally:
            office.stop()


def _stand_ins(machine: Machine, *, kiosk: bool, are_usual: bool) -> StandIns:
    taken = {machine.port, machine.inside_port}
    inbox = port_near(INBOX_PORT if are_usual else 0, taken)
    mail = port_near(0, taken | {inbox})
    return StandIns(inbox, mail, port_near(KIOSK_PORT if are_usual else 0, taken | {inbox, mail}) if kiosk else None)


def _of_hubs(machine: Machine, places: StandIns | None) -> Iterator[tuple[str, Machine]]:
    """The log's name and the settings of each hub. All but the first have inside pages that nobody is told of."""
    yield "hub", machine
    taken = {machine.port, machine.inside_port}
    taken |= {port for port in (places.inbox, places.mail, places.kiosk) if port} if places else set()
    for number in range(2, machine.hubs + 1):
        inside = port_near(0, taken)
        taken.add(inside)
        yield f"hub-{number}", machine.model_copy(update={"inside_port": inside})


def _practising(machine: Machine, places: StandIns, folder: Path) -> Machine:
    """The machine with the stand-ins as its only carriers, and with keys that nobody has had before."""
    return machine.model_copy(
        update={
            "smtp_url": SecretStr(f"smtp://{HOST}:{places.mail}?starttls=never"),
            "mail_from": SENDER,
            "line_url": places.inbox_url,
            "line_token": SecretStr(secrets.token_hex(16)),
            "line_secret": SecretStr(secrets.token_hex(16)),
            "line_account": LINE_ACCOUNT,
            "phone_url": places.inbox_url,
            "phone_account": PHONE_ACCOUNT,
            "phone_token": SecretStr(secrets.token_hex(16)),
            "phone_from": PHONE_SENDER,
            "key_dir": folder.absolute() / KEYS_FOLDER,
            "master_key": SecretStr(secrets.token_hex(MASTER_KEY_BYTES)),
            "jobs_url": None,
            "ledger_url": None,  # never the one in earnest
            "ledger_key_dir": None,
            "public_url": public_url_of(machine),
            "search_dirs": (folder.absolute(),),
        }
    )


def _sending(machine: Machine, folder: Path) -> Machine:
    """The machine as it sends notices, or one without any: nothing is offered that could not be kept.

    Raises OfficeDidNotStart for a set-up that is half done.
    """
    folder = folder.absolute()
    key_dir, searched = machine.key_dir or folder / KEYS_FOLDER, machine.search_dirs
    if searched or machine.redis_url is None:  # what a store of somebody else has on the disk only he can name
        searched = (*searched, folder)
    machine = machine.model_copy(update={"key_dir": key_dir, "search_dirs": searched})
    if machine.master_key is None:
        return machine.model_copy(update=dict.fromkeys(OF_CARRIERS))
    if machine.smtp_url is None:
        machine = machine.model_copy(update={"mail_from": None})
    try:
        mail_settings(machine)
    except Faulty as error:
        raise OfficeDidNotStart(f"設定に誤りがあります。\n{error}") from error
    return machine


def public_url_of(machine: Machine) -> str:
    """Where residents find the public pages; without a name for it, where this machine does."""
    host = {"0.0.0.0": HOST, "::": "[::1]"}.get(machine.public_host, machine.public_host)  # noqa: S104
    return machine.public_url or f"http://{host}:{machine.port}"
