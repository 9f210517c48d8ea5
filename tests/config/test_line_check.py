"""What is wrong with the ward's account in LINE is said before the first resident finds out."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from config.faults import Fault
from config.line_check import FEWEST_LEFT, faults_of_line
from config.practice.line_stand_in import LineStandIn
from config.settings import Machine
from tests.workers.stand_ins import serving

TOKEN = "token-of-a-channel"
WEBHOOK = "https://junban.example.jp/line/webhook"


@pytest.fixture
def line() -> LineStandIn:
    return LineStandIn(TOKEN, "secret", WEBHOOK)


@pytest.fixture
async def url(line: LineStandIn) -> AsyncIterator[str]:
    async with serving(line.routes()) as url:
        yield url


async def faults(url: str, token: str = TOKEN) -> list[Fault]:
    machine = Machine(line_url=url, line_token=SecretStr(token), public_url="https://junban.example.jp")
    return await asyncio.to_thread(faults_of_line, machine)


async def test_an_account_that_is_well_has_no_faults(url: str) -> None:
    assert await faults(url) == []
    assert faults_of_line(Machine()) == []


async def test_a_wrong_token_is_named(url: str) -> None:
    assert [fault.key for fault in await faults(url, "another-token")] == ["JUNBAN_LINE_TOKEN"]


async def test_a_webhook_that_leads_elsewhere_or_is_off_is_named(url: str, line: LineStandIn) -> None:
    line.webhook_url, line.is_webhook_on = "https://elsewhere.example.jp/", False
    found = await faults(url)
    assert [fault.key for fault in found] == ["JUNBAN_PUBLIC_URL", "JUNBAN_LINE_SECRET"]
    assert WEBHOOK in found[0].remedy


async def test_a_month_that_is_nearly_used_up_is_named(url: str, line: LineStandIn) -> None:
    line.quota, line.used = 5_000, 5_000 - FEWEST_LEFT
    assert await faults(url) == []
    line.used += 1
    (fault,) = await faults(url)
    assert (fault.key, f"{FEWEST_LEFT - 1} 通" in fault.remedy) == ("JUNBAN_LINE_TOKEN", True)
    line.quota = None
    assert await faults(url) == []


async def test_a_line_that_cannot_be_reached_is_named() -> None:
    assert [fault.key for fault in await faults("http://127.0.0.1:9")] == ["JUNBAN_LINE_URL"]
