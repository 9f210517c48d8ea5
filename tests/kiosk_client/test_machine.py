"""A ticket machine on a real hub: the number is safe before anything is printed, whatever dies in between."""

import asyncio
import random
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.wire import messages as wire
from hub.wire.codes import code_of, digest_of
from hub.wire.roles import Role
from kiosk_client.badge import Badge, BadgeFile, Held
from kiosk_client.kiosk import NotNow, State
from kiosk_client.machine import CANNOT_KEEP, Machine
from kiosk_client.printer import PrinterFailed
from kiosk_client.printing import Printing
from kiosk_client.screen.pages import as_fields
from kiosk_client.slip import Slip
from kiosk_client.spool import OpenRequest, Spool
from tests.eventually import eventually
from tests.journeys.conftest import ward
from tests.journeys.ward import CERTIFICATES, MOVES, Ward, ask

__all__ = ["ward"]


class Tray:
    """A printer that keeps its slips; it can be made to fail."""

    def __init__(self) -> None:
        self.slips: list[Slip] = []
        self.is_broken = False

    def print(self, slip: Slip) -> None:
        if self.is_broken:
            raise PrinterFailed("no paper")
        self.slips.append(slip)


class Jammed(Tray):
    """A printer that never gets done; whoever waits for it is killed meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.was_reached = threading.Event()
        self.is_over = threading.Event()
        self.begun = 0

    def print(self, slip: Slip) -> None:
        self.begun += 1
        self.was_reached.set()
        self.is_over.wait()


class Faulty(Tray):
    """A printer whose library is not as it should be."""

    def print(self, slip: Slip) -> None:
        raise ValueError("No backend available")


@asynccontextmanager
async def machine_running(ward: Ward, folder: Path, printer: Tray, within_s: float = 60) -> AsyncIterator[Machine]:
    address = ward.inside.replace("http", "ws", 1) + "/ws/kiosk"
    file = BadgeFile(folder)
    if file.read() is None:
        file.keep(Held(ward.doors.device(Role.KIOSK)))
    badge = Badge(ward.inside, "1", file)
    machine = Machine(address, badge, Spool(folder), Printing(printer, within_s), ward.public, random.Random(3).random)
    running = asyncio.create_task(machine.run())
    try:
        yield machine
    finally:
        running.cancel()
        await asyncio.wait({running})


async def comes_to(machine: Machine, state: State) -> None:
    await eventually(lambda: machine.view.kiosk.state is state)


async def comes_to_life(machine: Machine) -> None:
    await eventually(lambda: machine.view.is_fresh)


async def waiting(ward: Ward, lane: str = CERTIFICATES) -> int:
    """How many the next one has before him, and with him: asked by taking a number of another machine."""
    ahead = (await ward.issue(lane)).ahead
    assert ahead is not None
    return ahead


async def test_a_touch_gives_a_number_and_then_its_slip(ward: Ward, tmp_path: Path) -> None:
    tray = Tray()
    async with machine_running(ward, tmp_path / "kiosk", tray) as machine:
        await comes_to_life(machine)
        await ward.issue()
        await eventually(lambda: [lane.waiting for lane in machine.view.lanes] == [1, 0])
        machine.choose(CERTIFICATES)
        await comes_to(machine, State.PRINTED)
        (slip,) = tray.slips
        assert (slip.number, slip.lane, slip.ahead, slip.office) == ("A102", "証明", 1, "さくら区役所 戸籍住民課")
        assert slip.code == code_of(digest_of(slip.secret))
        assert Spool(tmp_path / "kiosk").read() is None
        await eventually(lambda: machine.view.lanes[0].waiting == 2)
        machine.leave()
        assert machine.view.kiosk.state is State.CHOOSING


async def test_a_second_touch_while_asking_takes_no_second_number(ward: Ward, tmp_path: Path) -> None:
    tray = Tray()
    async with machine_running(ward, tmp_path / "kiosk", tray) as machine:
        await comes_to_life(machine)
        machine.choose(CERTIFICATES)
        with pytest.raises(NotNow):
            machine.choose(MOVES)
        await comes_to(machine, State.PRINTED)
        assert [slip.number for slip in tray.slips] == ["A101"]
    assert await waiting(ward) == 1


async def test_the_request_is_on_disk_for_its_owner_alone_before_it_is_asked(ward: Ward, tmp_path: Path) -> None:
    folder = tmp_path / "kiosk"
    async with machine_running(ward, folder, Tray()) as machine:
        await comes_to_life(machine)
        machine.choose(CERTIFICATES)  # returns before the loop has sent anything
        kept = Spool(folder).read()
        assert kept is not None
        assert kept.lane == CERTIFICATES
        assert stat.S_IMODE((folder / "request.json").stat().st_mode) == 0o600
        await comes_to(machine, State.PRINTED)


async def test_killed_between_answer_and_slip_it_prints_that_slip_once_after_the_restart(
    ward: Ward, tmp_path: Path
) -> None:
    folder, jammed, tray = tmp_path / "kiosk", Jammed(), Tray()
    async with machine_running(ward, folder, jammed) as machine:
        await comes_to_life(machine)
        machine.choose(CERTIFICATES)
        await eventually(jammed.was_reached.is_set)
    jammed.is_over.set()
    kept = Spool(folder).read()
    assert kept is not None
    async with machine_running(ward, folder, tray) as machine:
        await comes_to(machine, State.PRINTED)
    assert [(slip.number, slip.secret) for slip in tray.slips] == [("A101", kept.secret)]
    async with machine_running(ward, folder, tray) as machine:
        await comes_to_life(machine)
        assert machine.view.kiosk.state is State.CHOOSING
    assert len(tray.slips) == 1
    assert await waiting(ward) == 1


async def test_killed_before_anything_was_sent_it_asks_after_the_restart(ward: Ward, tmp_path: Path) -> None:
    folder, tray = tmp_path / "kiosk", Tray()
    async with machine_running(ward, folder, tray) as machine:
        await comes_to_life(machine)
        machine.choose(MOVES)
    assert tray.slips == []
    async with machine_running(ward, folder, tray) as machine:
        await comes_to(machine, State.PRINTED)
    assert [slip.number for slip in tray.slips] == ["B401"]
    assert await waiting(ward, MOVES) == 1


async def test_yesterday_s_request_is_not_asked_today(ward: Ward, tmp_path: Path) -> None:
    folder, tray = tmp_path / "kiosk", Tray()
    Spool(folder).keep(OpenRequest("q3oZ4lqWlT0mW1x7mBv2aA", CERTIFICATES, "q3oZ4lqWlT0mW1x7mBv2aB", "2001-01-01"))
    async with machine_running(ward, folder, tray) as machine:
        await comes_to_life(machine)
        await comes_to(machine, State.CHOOSING)
    assert Spool(folder).read() is None
    assert tray.slips == []
    assert await waiting(ward) == 0


async def test_while_the_store_is_away_it_says_so_and_the_number_comes_when_it_is_back(
    ward: Ward, tmp_path: Path
) -> None:
    tray = Tray()
    async with machine_running(ward, tmp_path / "kiosk", tray) as machine:
        await comes_to_life(machine)
        ward.store.kill()
        machine.choose(CERTIFICATES)
        await eventually(lambda: not machine.view.is_fresh)
        assert tray.slips == []
        assert machine.view.kiosk.state is State.ASKING
        ward.store.start()
        await comes_to(machine, State.PRINTED)
    assert [slip.number for slip in tray.slips] == ["A101"]
    assert await waiting(ward) == 1


async def test_without_a_hub_no_number_can_be_touched(ward: Ward, tmp_path: Path) -> None:
    badge = Badge("http://127.0.0.1:1", "1", BadgeFile(tmp_path))
    address, chance = "ws://127.0.0.1:1/ws/kiosk", random.Random(3).random
    nowhere = Machine(address, badge, Spool(tmp_path), Printing(Tray()), ward.public, chance)
    with pytest.raises(NotNow):
        nowhere.choose(CERTIFICATES)


async def test_a_lane_that_gives_no_numbers_cannot_be_touched(ward: Ward, tmp_path: Path) -> None:
    async with machine_running(ward, tmp_path / "kiosk", Tray()) as machine, ward.socket("/ws/desk") as desk:
        await comes_to_life(machine)
        await ask(desk, wire.Pause("q3oZ4lqWlT0mW1x7mBv2aA", CERTIFICATES, "system"))
        await eventually(lambda: machine.view.lanes[0].paused)
        assert as_fields(machine.view)["lanes"][0]["giving"] == "paused"
        with pytest.raises(NotNow):
            machine.choose(CERTIFICATES)
        await ask(desk, wire.Resume("q3oZ4lqWlT0mW1x7mBv2aB", CERTIFICATES))
        await eventually(lambda: not machine.view.lanes[0].paused)
        machine.choose(CERTIFICATES)
        await comes_to(machine, State.PRINTED)


async def test_a_printer_without_paper_leaves_the_number_on_the_screen(ward: Ward, tmp_path: Path) -> None:
    tray = Tray()
    tray.is_broken = True
    async with machine_running(ward, tmp_path / "kiosk", tray) as machine:
        await comes_to_life(machine)
        machine.choose(CERTIFICATES)
        await comes_to(machine, State.UNPRINTED)
        shown = machine.view.kiosk.ticket
        assert shown is not None
        assert shown.number == "A101"
        assert Spool(tmp_path / "kiosk").read() is not None
        tray.is_broken = False
        machine.print_again()
        await comes_to(machine, State.PRINTED)
    assert [(slip.number, slip.code) for slip in tray.slips] == [("A101", shown.code)]
    assert Spool(tmp_path / "kiosk").read() is None


async def test_a_printer_that_never_gets_done_leaves_the_number_on_the_screen(ward: Ward, tmp_path: Path) -> None:
    jammed = Jammed()
    async with machine_running(ward, tmp_path / "kiosk", jammed, within_s=0.1) as machine:
        await comes_to_life(machine)
        machine.choose(CERTIFICATES)
        await comes_to(machine, State.UNPRINTED)
        machine.print_again()
        assert machine.view.kiosk.state is State.SAFE
        await comes_to(machine, State.UNPRINTED)
        assert jammed.begun == 1, "not a second slip into a printer that has not let go of the first"
        jammed.is_over.set()
        await eventually(lambda: _is_printed_again(machine))
    assert await waiting(ward) == 1


def _is_printed_again(machine: Machine) -> bool:
    if machine.view.kiosk.state is State.UNPRINTED:
        machine.print_again()
    return machine.view.kiosk.state is State.PRINTED


async def test_whatever_a_printer_s_library_raises_is_a_failed_printer(ward: Ward, tmp_path: Path) -> None:
    """pyusb without its library raises a ValueError; a machine that died of it would print at every start anew."""
    async with machine_running(ward, tmp_path / "kiosk", Faulty()) as machine:
        await comes_to_life(machine)
        machine.choose(CERTIFICATES)
        await comes_to(machine, State.UNPRINTED)
        machine.leave()
        assert machine.view.kiosk.state is State.CHOOSING


async def test_on_a_disk_that_takes_nothing_no_number_is_asked_for_and_the_screen_says_so(
    ward: Ward, tmp_path: Path
) -> None:
    folder, tray = tmp_path / "kiosk", Tray()
    async with machine_running(ward, folder, tray) as machine:
        await comes_to_life(machine)
        (folder / ".request.json.new").mkdir()
        machine.choose(CERTIFICATES)
        assert (machine.view.kiosk.state, machine.view.kiosk.sentence) == (State.REFUSED, CANNOT_KEEP)
        machine.leave()
        (folder / ".request.json.new").rmdir()
        machine.choose(CERTIFICATES)
        (folder / "request.json").unlink()
        (folder / "request.json").mkdir()  # it cannot be cleared: the slip comes out all the same
        await comes_to(machine, State.PRINTED)
    assert [slip.number for slip in tray.slips] == ["A101"]
