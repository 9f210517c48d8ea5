"""The ticket machine as its resident meets it: `junban kiosk` beside a real hub, touched in a browser."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
import zxingcpp
from PIL import Image

from hub.wire.roles import Role
from kiosk_client.badge import BadgeFile, Held
from kiosk_client.spool import Spool
from tests.doors import BY
from tests.eventually import eventually
from tests.journeys.cable import Cable
from tests.journeys.conftest import Open
from tests.journeys.looking import sees
from tests.journeys.ward import CERTIFICATES, Ward
from tests.ports import free_ports

if TYPE_CHECKING:
    from playwright.async_api import Page

COUNT = "#lanes [data-key=certificates] .count b"
BUTTON = f"#lanes [data-lane={CERTIFICATES}]"
LOG = "kiosk.log"


@contextmanager
def kiosk_running(
    ward: Ward, home: Path, *words: str, is_known: bool = True, **settings: str
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Ends it like a power cut. `is_known`: it was let in before. What it says of itself goes to `LOG` in `home`."""
    data = Path(words[words.index("--data") + 1]) if "--data" in words else home / "junban"
    badge = BadgeFile(data / "kiosk")
    if is_known and badge.read() is None:
        badge.keep(Held(ward.doors.device(Role.KIOSK)))
    (port,) = free_ports(1)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUNBAN_")}
    with (home / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.cli", "kiosk", "--hub", ward.inside, "--port", str(port), *words],
            env=kept | {"XDG_DATA_HOME": str(home), "JUNBAN_PUBLIC_URL": ward.public} | settings,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


def told(home: Path) -> list[dict[str, object]]:
    """The lines of its log."""
    return [json.loads(line) for line in (home / LOG).read_text("utf-8").splitlines()]


async def state(address: str) -> dict[str, object]:
    """What the machine shows; an AssertionError while it does not answer."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        try:
            answer = await client.get(f"{address}/state?seen=0")
        except httpx2.TransportError as error:
            raise AssertionError("not there yet") from error
    found: dict[str, object] = answer.json()
    return found


async def touch(address: str, path: str, **headers: str) -> int:
    async with httpx2.AsyncClient(trust_env=False) as client:
        return (await client.post(address + path, headers=headers)).status_code


async def becomes_ready(address: str) -> None:
    async def ready() -> bool:
        return (await state(address))["fresh"] is True

    await eventually(ready)


async def open_touch_screen(open_page: Open, address: str) -> "Page":
    await becomes_ready(address)
    page = await open_page(address)
    await page.set_viewport_size({"width": 1080, "height": 1920})
    await sees(page, BUTTON, "証明", "人")
    return page


async def goes_back(screen: "Page") -> None:
    """By a touch, where the screen has not gone back by itself."""
    await screen.evaluate("document.querySelector('#back:not([hidden])')?.click()")


async def test_one_touch_gives_a_number_a_slip_and_one_more_on_the_wall(
    ward: Ward, open_page: Open, tmp_path: Path
) -> None:
    slips = tmp_path / "slips"
    with kiosk_running(ward, tmp_path, "--out", str(slips)) as (address, _):
        screen = await open_touch_screen(open_page, address)
        wall = await open_page(f"{ward.inside}/wall/lobby", ward.doors)
        await sees(wall, COUNT, "0")
        assert not await screen.locator("#from-home").is_visible(), "this office asks nobody to check in"
        assert await touch(address, "/from-home") == 409
        await screen.click(BUTTON)
        await sees(screen, "#number", "A101")
        await sees(screen, "#about", "番号札をお取りください")
        await sees(wall, COUNT, "1")
        (picture,) = slips.glob("*.png")
        (code,) = zxingcpp.read_barcodes(Image.open(picture).convert("L"))
        assert code.text.startswith(f"{ward.public}/t?openExternalBrowser=1#")
        await goes_back(screen)
        await sees(screen, BUTTON, "1")
        await screen.click("#language")
        await sees(screen, BUTTON, "1 waiting")
        assert await screen.evaluate("document.documentElement.scrollHeight <= innerHeight")


async def test_a_hub_that_is_gone_is_told_and_no_lane_can_be_touched(
    ward: Ward, open_page: Open, tmp_path: Path
) -> None:
    with kiosk_running(ward, tmp_path) as (address, _):
        screen = await open_touch_screen(open_page, address)
        ward.store.kill()
        await sees(screen, "#stale", "最新ではなく")
        assert await screen.locator(BUTTON).is_disabled()
        ward.store.start()

        async def enabled() -> bool:
            return await screen.locator(BUTTON).is_enabled() and not await screen.locator("#stale").is_visible()

        await eventually(enabled)


async def test_a_power_cut_between_answer_and_slip_prints_that_slip_once(ward: Ward, tmp_path: Path) -> None:
    jammed = tmp_path / "lp0"
    os.mkfifo(jammed)  # nobody reads it: the printer takes nothing, for ever
    with kiosk_running(ward, tmp_path, JUNBAN_PRINTER=f"file://{jammed}") as (address, process):
        await becomes_ready(address)
        assert await touch(address, f"/choose/{CERTIFICATES}") == 204

        async def is_given() -> bool:
            return (await state(address))["state"] in ("safe", "unprinted")  # it waits for its printer, or gave it up

        await eventually(is_given)
        process.kill()
        process.wait()
    slips = tmp_path / "junban" / "kiosk" / "slips"
    for _ in range(2):
        with kiosk_running(ward, tmp_path) as (address, _process):
            await becomes_ready(address)
            await eventually(lambda: [path.name[-8:] for path in slips.glob("*.png")] == ["A101.png"])
            await eventually(lambda: not (slips.parent / "request.json").exists())
    assert (await ward.issue()).number == "A102"


async def test_a_machine_that_nobody_let_in_shows_its_code_until_somebody_does(
    ward: Ward, tmp_path: Path, open_page: Open
) -> None:
    with kiosk_running(ward, tmp_path, "--key", "genkan", is_known=False) as (address, _):
        await eventually(lambda: state(address))
        page = await open_page(address)
        code = page.locator("#enrol-code")
        await code.wait_for(state="visible")
        assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", await code.inner_text())
        assert await page.locator("main").is_hidden()
        device = ward.doors.devices.let_in(await code.inner_text(), "", BY)
        assert device.place == "genkan"
        await sees(page, BUTTON, "証明", "人")
        await code.wait_for(state="hidden")
        ward.doors.devices.revoke(device.id, BY)
        await code.wait_for(state="visible")
        assert await page.locator(BUTTON).is_hidden()
    events = [line["event"] for line in told(tmp_path)]
    assert (events[:2], events[-1]) == (["not let in", "hub heard"], "not let in")
    assert device.id not in (tmp_path / LOG).read_text()


async def test_its_log_tells_each_trouble_once_and_nothing_of_who_stands_there(ward: Ward, tmp_path: Path) -> None:
    socket = tmp_path / "usb"
    cable = Cable(int(ward.inside.rpartition(":")[2]))

    async def is_at(wanted: str) -> bool:
        return (await state(address))["state"] == wanted

    async with cable.open() as inside:
        printer = f"file://{socket}/lp0"
        with kiosk_running(replace(ward, inside=inside), tmp_path, JUNBAN_PRINTER=printer) as (address, _):
            await becomes_ready(address)
            assert await touch(address, f"/choose/{CERTIFICATES}") == 204
            await eventually(lambda: is_at("unprinted"))
            assert await touch(address, "/print-again") == 204
            await eventually(lambda: is_at("unprinted"))
            shown, left = await state(address), Spool(tmp_path / "junban" / "kiosk").read()
            socket.mkdir()
            assert await touch(address, "/print-again") == 204
            await eventually(lambda: is_at("printed"))
            cable.plug()
            await eventually(lambda: len(told(tmp_path)) == 4)
            await becomes_ready(address)
    lines, text = told(tmp_path), (tmp_path / LOG).read_text("utf-8")
    assert [line["event"] for line in lines] == ["printer failed", "printer works again", "hub away", "hub heard"]
    assert "DeviceNotFoundError" in str(lines[0]["error"])
    held = BadgeFile(tmp_path / "junban" / "kiosk").read()
    assert left
    assert held
    for kept in (shown["number"], shown["code"], left.secret, left.id, held.token, str(socket)):
        assert str(kept) not in text


@pytest.mark.parametrize("headers", [{"Host": "kiosk.example"}, {"Origin": "https://elsewhere.example"}])
async def test_only_the_machine_s_own_page_can_touch(ward: Ward, tmp_path: Path, headers: dict[str, str]) -> None:
    with kiosk_running(ward, tmp_path) as (address, _):
        await becomes_ready(address)
        assert await touch(address, f"/choose/{CERTIFICATES}", **headers) == 403
        assert (await state(address))["state"] == "choosing"
