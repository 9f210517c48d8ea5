"""`junban demo`: simulated days, every address that it prints, and nothing left behind."""

import json
import re
import signal
import socket
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
import websockets

from config.practice.simulated_days import PAUSE_AFTER_FAILURE_S, SimulatedDays
from config.settings import Machine
from tests.config.command.running import (
    ENDED_WITHIN_S,
    PRACTICE,
    WITHIN_S,
    free_port,
    get,
    is_gone,
    is_up,
    left_over,
    running,
)
from tests.eventually import eventually

pytestmark = pytest.mark.timeout(400)  # whole offices, one after the other


async def test_a_demonstration_plays_a_day_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # then somebody else has taken it already
            taken.bind(("127.0.0.1", Machine().port))
            taken.listen()
        with running(tmp_path, "demo") as demo:
            await is_up(demo)
            assert f"{Machine().port}" in demo.said.splitlines()[0]
            assert "使用中のため" in demo.said.splitlines()[0]
            simulation = await eventually(lambda: demo.child("simulate"), within_s=WITHIN_S)
            host, port, _ = demo.address("窓口")
            async with websockets.connect(f"ws://{host}:{port}/ws/board", proxy=None) as board:
                while json.loads(await board.recv())["type"] != "TicketIssued":
                    pass
            family = demo.family()
            assert simulation in family
            demo.process.send_signal(signal.SIGINT)
            assert demo.process.wait(ENDED_WITHIN_S) == 0
            assert all(map(is_gone, family))
            assert "Traceback" not in demo.said
            assert "模擬の一日（種 1）は失敗" not in demo.said
    assert left_over(tmp_path) == []


async def test_every_address_of_a_demonstration_answers_and_after_kill_9_no_process_lives(tmp_path: Path) -> None:
    with running(tmp_path, "demo", "--port", free_port()) as demo:
        await is_up(demo)
        for page in ("混雑状況", "番号表示モニター", "窓口", "発券機", "番号札", "メールの受信箱"):
            assert get(*demo.address(page))[0] == 200, page
        host, port, _ = demo.address("発券機")
        number = str(await eventually(lambda: touched(host, port), within_s=WITHIN_S))
        await eventually(lambda: f"{number} の画面を開く" in get(*demo.address("番号札"))[1], within_s=WITHIN_S)
        page = get(*demo.address("番号札"))[1]
        found = re.search(r'href="http://([\d.]+):(\d+)(/t)\?openExternalBrowser=1#[\w-]{22}"', page)
        assert found, page
        assert get(found[1], int(found[2]), found[3])[0] == 200
        family = demo.family()
        assert len(family) == len(PRACTICE) + 2, family  # a ticket machine and a simulated day more
        demo.process.kill()
        await eventually(lambda: all(map(is_gone, family)), within_s=ENDED_WITHIN_S)


def touched(host: str, port: int) -> str | None:
    """The number on the ticket machine's screen; the first lane is touched as long as it can be."""
    state = json.loads(get(host, port, "/state")[1])
    if state["state"] == "choosing" and state["fresh"]:
        line = HTTPConnection(host, port, timeout=30)
        line.request("POST", f"/choose/{state['lanes'][0]['lane']}")
        line.getresponse().read()
        line.close()
    number: str | None = state["number"]
    return number


async def test_a_day_that_failed_is_told_and_another_follows_after_a_pause(tmp_path: Path) -> None:
    said: list[str] = []
    now = [0.0]
    credentials = tmp_path / "credentials.json"
    log = tmp_path / "log"
    days = SimulatedDays("http://127.0.0.1:1", log, said.append, lambda: now[0], credentials=credentials)

    def has_said(words: str) -> bool:
        days.tend()
        return any(words in line for line in said)

    await eventually(lambda: has_said("模擬の一日（種 1）は失敗に終わりました: junban: "), within_s=WITHIN_S)
    days.tend()
    assert days.seed == 1
    now[0] += PAUSE_AFTER_FAILURE_S
    days.tend()
    assert (days.seed, said[-1]) == (2, "次の模擬の一日（種 2）を始めます。")
    days.stop()
