"""One machine, several hubs behind one port: residents come to any of them and all hear the same."""

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack

import httpx2
import pytest
from websockets.asyncio.client import connect

from config.office_process import OfficeProcess
from config.ports import with_free_ports
from config.posts import HubPost
from config.settings import Machine
from hub.wire.client_side import Heard
from tests.edge.hubs import Visitor
from tests.eventually import eventually

pytestmark = pytest.mark.anyio

TABS = 24  # that all of them come to one of two hubs is as likely as that somebody guesses a PIN of seven digits


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProcess]:
    machine = with_free_ports(Machine(hubs=2))
    office = OfficeProcess(machine, tmp_path_factory.mktemp("office"), lambda _: None, practice=True, usual_ports=False)
    office.start()
    yield office
    office.stop()


async def listeners(hub: HubPost) -> int:
    async with httpx2.AsyncClient(trust_env=False) as client:
        told = (await client.get(f"http://127.0.0.1:{hub.inside_port}/metrics")).text
    return sum(int(float(count)) for count in re.findall(r'^junban_listeners\{topic="board"\} (\S+)', told, re.M))


async def take_number(office: OfficeProcess, lane: str) -> None:
    digest = hashlib.sha256(secrets.token_urlsafe(16).encode()).hexdigest()
    body = {"id": secrets.token_urlsafe(16), "lane": lane, "secret": digest}
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{office.public_url}/tickets", json=body)
    assert answer.status_code == 200, answer.text


async def test_residents_come_to_both_and_all_hear_the_same(office: OfficeProcess) -> None:
    async with AsyncExitStack() as opened:
        url = office.public_url.replace("http", "ws") + "/ws/board"
        tabs = [
            Visitor(await opened.enter_async_context(connect(url, proxy=None, compression=None))) for _ in range(TABS)
        ]
        for tab in tabs:
            await tab.hear_all(2)
        counts = [await listeners(hub) for hub in office.hubs]
        assert sum(counts) == TABS
        assert all(counts), counts
        lane = next(iter(tabs[0].screen.lanes))
        await take_number(office, lane)
        for tab in tabs:
            while await tab.hear() is not Heard.NEW:
                pass
            assert tab.screen.lanes[lane].waiting == 1


async def test_one_that_dies_leaves_the_port_to_the_other_and_comes_back(office: OfficeProcess) -> None:
    second = office.hubs[1]
    second.kill()
    for _ in range(10):  # each a connection of its own
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{office.public_url}/live")).status_code == 200

    def is_back() -> bool:
        office.tend()
        return second.is_ready()

    await eventually(is_back, within_s=30)
