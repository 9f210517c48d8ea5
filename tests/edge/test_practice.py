"""The clock of a practice office, and that an office in earnest has none."""

import httpx2
import pytest
from starlette.applications import Starlette

from hub.desk.refusals import Refusal, StaleDay, StoreAway
from hub.edge.guards import Guard
from hub.edge.practice import practice_routes

pytestmark = pytest.mark.anyio

HERE = "http://127.0.0.1:8081"


class Clock:
    def __init__(self, error: Refusal | None = None) -> None:
        self.error = error
        self.started: list[tuple[int, float]] = []

    async def start(self, seconds_of_day: int, speed: float) -> str:
        if self.error:
            raise self.error
        self.started.append((seconds_of_day, speed))
        return "2026-11-25"


async def post(clock: Clock, body: str | bytes, origin: str | None = None) -> httpx2.Response:
    app = Starlette(routes=practice_routes(clock.start, Guard(by_loopback_only=True)))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=HERE) as client:
        return await client.post("/practice/clock", content=body, headers={"Origin": origin} if origin else {})


async def test_a_fresh_day_begins_at_the_hour_and_speed_asked_for() -> None:
    clock = Clock()
    answer = await post(clock, '{"start":"08:30","speed":240}', origin=HERE)
    assert (answer.status_code, answer.json()) == (200, {"day": "2026-11-25"})
    assert clock.started == [(8 * 3600 + 30 * 60, 240.0)]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "junk",
        "[]",
        "{}",
        '{"start":"08:30"}',
        '{"start":"08:30","speed":"fast"}',
        '{"start":"08:30","speed":0}',
        '{"start":"08:30","speed":-1}',
        '{"start":"08:30","speed":0.99}',
        '{"start":"08:30","speed":3601}',
        '{"start":"08:30","speed":1e999}',
        '{"start":"08:30","speed":NaN}',
        '{"start":"24:00","speed":1}',
        '{"start":"8:30","speed":1}',
        '{"start":"08:60","speed":1}',
        '{"start":"０８:３０","speed":1}',
        '{"start":"08:30\\n","speed":1}',
        '{"start":8,"speed":1}',
        '{"start":"08:30","speed":1,"more":1}',
        '{"start":"08:30","speed":1}' + " " * 2000,
        "[" * 1000,
        b"\xff\xfe",
    ],
)
async def test_anything_else_is_refused_with_a_sentence(body: str | bytes) -> None:
    clock = Clock()
    answer = await post(clock, body)
    assert answer.status_code == 400
    assert "HH:MM" in answer.json()["sentence"]
    assert clock.started == []


@pytest.mark.parametrize(("error", "status"), [(StoreAway(), 503), (StaleDay(), 503), (Refusal(), 409)])
async def test_a_refusal_of_the_store_is_told(error: Refusal, status: int) -> None:
    answer = await post(Clock(error), '{"start":"08:30","speed":1}')
    assert (answer.status_code, answer.json()) == (status, {"sentence": error.sentence})


async def test_a_foreign_page_cannot_set_the_clock() -> None:
    clock = Clock()
    answer = await post(clock, '{"start":"08:30","speed":1}', origin="https://evil.example.com")
    assert answer.status_code == 403
    assert clock.started == []
