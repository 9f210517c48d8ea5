"""LINE: one push under one key however often it is tried, and no word of LINE's leaves the carrier."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone

import pytest
import structlog

from config.practice.conduct import Conduct
from config.practice.line_stand_in import LineStandIn
from hub.desk.notices import Trigger
from hub.store.sealing import Contact, Language
from tests.workers.stand_ins import serving
from workers.carriers.line import LineCarrier, LineSays, quota_left, retry_key, webhook_of
from workers.carriers.sending import Fate, Message, Outcome
from workers.carriers.server import LineServer
from workers.wording import Matter, line

TOKEN, SECRET = "token-of-a-channel", "secret-of-a-channel"
USER = "U" + "7" * 32
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=9)))
CONTACT = Contact(USER, "stop-token")


def message(notice: str = "s:near") -> Message:
    text = line(Matter("さくら区役所", Trigger.NEAR, "A101", "証明", 3, "https://junban.example.jp", "https://stop"))
    return Message(notice, text, "https://stop", NOW)


@asynccontextmanager
async def at_line(stand_in: LineStandIn, *, timeout_s: float = 5.0) -> AsyncIterator[LineCarrier]:
    async with serving(stand_in.routes()) as url:
        carrier = LineCarrier(LineServer(url, stand_in.token), "ward", timeout_s=timeout_s)
        try:
            yield carrier
        finally:
            await carrier.close()


async def test_a_notice_is_pushed_once_however_often_it_is_sent() -> None:
    stand_in = LineStandIn(TOKEN, SECRET)
    async with at_line(stand_in) as carrier:
        assert await carrier.send(CONTACT, message()) == Outcome(Fate.ACCEPTED, "200")
        assert await carrier.send(CONTACT, message()) == Outcome(Fate.ACCEPTED, "409")
        assert await carrier.send(CONTACT, message("s:now")) == Outcome(Fate.ACCEPTED, "200")
    assert [spoken.key for spoken in stand_in.said] == [retry_key("ward", "s:near"), retry_key("ward", "s:now")]


@pytest.mark.parametrize("conduct", [Conduct.TAKE_SILENTLY, Conduct.TAKE_AND_FAIL])
async def test_what_was_taken_without_an_answer_is_sent_again_and_arrives_once(conduct: Conduct) -> None:
    stand_in = LineStandIn(TOKEN, SECRET, policy=lambda to: conduct)
    async with at_line(stand_in) as carrier:
        assert (await carrier.send(CONTACT, message())).fate is Fate.UNCERTAIN
        assert await carrier.send(CONTACT, message()) == Outcome(Fate.ACCEPTED, "409")
    assert len(stand_in.said) == 1


@pytest.mark.parametrize(
    ("conduct", "outcome"),
    [
        (Conduct.REFUSE, Outcome(Fate.REFUSED, "400")),
        (Conduct.BUSY, Outcome(Fate.AGAIN, "429")),
        (Conduct.SPENT, Outcome(Fate.ELSEWHERE, "429 month")),
        (Conduct.AWAY, Outcome(Fate.AGAIN, "503")),
    ],
)
async def test_what_line_says_becomes_a_code(conduct: Conduct, outcome: Outcome) -> None:
    stand_in = LineStandIn(TOKEN, SECRET, policy=lambda to: conduct)
    with structlog.testing.capture_logs() as lines:
        async with at_line(stand_in) as carrier:
            assert await carrier.send(CONTACT, message()) == outcome
    assert not stand_in.said
    assert USER not in repr((outcome, lines))


async def test_a_month_that_is_used_up_is_told_apart_from_a_busy_second() -> None:
    stand_in = LineStandIn(TOKEN, SECRET, quota=1)
    async with at_line(stand_in) as carrier:
        assert (await carrier.send(CONTACT, message("a:near"))).fate is Fate.ACCEPTED
        assert (await carrier.send(CONTACT, message("b:near"))).fate is Fate.ELSEWHERE


async def test_who_has_blocked_the_account_is_accepted_and_hears_nothing() -> None:
    """LINE says so itself: only its webhook tells of it."""
    stand_in = LineStandIn(TOKEN, SECRET, blocked={USER})
    async with at_line(stand_in) as carrier:
        assert (await carrier.send(CONTACT, message())).fate is Fate.ACCEPTED
    assert not stand_in.said


async def test_a_wrong_token_is_our_fault_and_no_reason_to_erase_anybody() -> None:
    stand_in = LineStandIn("another-token", SECRET)
    async with serving(stand_in.routes()) as url:
        carrier = LineCarrier(LineServer(url, TOKEN), "ward")
        assert await carrier.send(CONTACT, message()) == Outcome(Fate.AGAIN, "401")
        await carrier.close()


async def test_nobody_is_asked_for_a_user_id_that_is_none() -> None:
    stand_in = LineStandIn(TOKEN, SECRET)
    async with at_line(stand_in) as carrier:
        assert await carrier.send(Contact("taro@example.jp", "t"), message()) == Outcome(Fate.REFUSED, "user")
    assert not stand_in.requests


async def test_a_line_that_is_not_there_is_tried_again() -> None:
    carrier = LineCarrier(LineServer("http://127.0.0.1:9", TOKEN), "ward")
    assert await carrier.send(CONTACT, message()) == Outcome(Fate.AGAIN, "connect lost")
    await carrier.close()


async def test_whoever_wrote_is_answered_by_the_token_of_his_message() -> None:
    stand_in = LineStandIn(TOKEN, SECRET)
    token = stand_in.event(USER, "message", message={"id": "1", "type": "text", "text": "?"})["replyToken"]
    async with at_line(stand_in) as carrier:
        await carrier.answer(token, "answer")
        await carrier.answer(token, "answer")  # of no use any more, and no failure
    assert [(spoken.user, spoken.text) for spoken in stand_in.said] == [(USER, "answer")]


async def test_the_month_and_the_webhook_can_be_asked_for() -> None:
    stand_in = LineStandIn(TOKEN, SECRET, webhook_url="https://junban.example.jp/line/webhook", quota=200, used=150)
    async with serving(stand_in.routes()) as url:
        server = LineServer(url, TOKEN)
        assert await quota_left(server) == 50
        assert await webhook_of(server) == ("https://junban.example.jp/line/webhook", True)
        stand_in.quota = None
        assert await quota_left(server) is None
        with pytest.raises(LineSays, match="401"):
            await quota_left(LineServer(url, "another-token"))


Everything = Callable[[], list[Matter]]


def every_matter(language: Language) -> list[Matter]:
    """Every lane, counter, place and trigger, of two offices."""
    return [
        Matter(
            office,
            trigger,
            number,
            lane,
            ahead,
            "https://junban.example.jp",
            f"https://junban.example.jp/stop/{number}",
            counter=counter,
            language=language,
        )
        for office in ("さくら区役所 戸籍住民課", "さくら区役所 税務課")
        for trigger in Trigger
        for lane, number in (("証明", "A101"), ("戸籍", "D2999"), ("外国人住民", "E105"))
        for counter in ("", "1番窓口", "12番窓口")
        for ahead in (0, 1, 20)
    ]


@pytest.mark.parametrize("language", list(Language))
async def test_line_reads_two_texts_of_a_language_and_nothing_else(language: Language) -> None:
    stand_in = LineStandIn(TOKEN, SECRET)
    async with at_line(stand_in) as carrier:
        for number, matter in enumerate(every_matter(language)):
            sent = Message(f"{number}:{matter.trigger}", line(matter), matter.stop_url, NOW)
            assert (await carrier.send(CONTACT, sent)).fate is Fate.ACCEPTED
    bodies: dict[bytes, set[Trigger]] = {}
    heads = set()
    for matter, (headers, body) in zip(every_matter(language), stand_in.requests, strict=True):
        bodies.setdefault(body, set()).add(matter.trigger)
        kept = {name: value for name, value in headers.items() if name not in ("x-line-retry-key", "content-length")}
        heads.add(json.dumps(kept, sort_keys=True))
    assert len(heads) == 1
    come = {Trigger.NOW, Trigger.MISSED, Trigger.READY}
    assert sorted(map(len, bodies.values())) == sorted([len(come), len(set(Trigger) - come)])
    assert come in bodies.values()
