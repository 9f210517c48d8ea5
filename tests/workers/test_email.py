"""One message, one known fate: accepted, refused, again, or uncertain; and nothing of an address leaves the carrier."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import structlog

from hub.desk.notices import Trigger
from hub.store.sealing import Contact
from tests.ports import free_ports
from tests.workers.postbox import HOST, Postbox, certificate, postbox
from workers.carriers.email import EmailCarrier
from workers.carriers.sending import Fate, Message, Outcome
from workers.carriers.server import MailServer
from workers.wording import Matter, mail, registered

SENDER = "junban@city.example.jp"
OFFICE = "さくら区役所 戸籍住民課"
TO = "canary-7@example.test"
STOP = "https://junban.a-rather-long-name-of-a-ward.example.jp/stop/abcdefghijklmnopqrstuv"
DATE = datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=9)))
MESSAGE = Message("some-subscription:registered", registered(OFFICE, STOP), STOP, DATE)


@pytest.fixture
def box() -> Iterator[Postbox]:
    with postbox() as opened:
        yield opened


@asynccontextmanager
async def carrier_to(server: MailServer, **named: Any) -> AsyncIterator[EmailCarrier]:
    carrier = EmailCarrier(server, SENDER, OFFICE, **named)
    yield carrier
    await carrier.close()


async def send_one(box: Postbox, to: str = TO, **named: Any) -> Outcome:
    async with carrier_to(box.server, **named) as carrier:
        return await carrier.send(Contact(to, "token"), MESSAGE)


async def test_a_letter_arrives_with_its_headers_and_words(box: Postbox) -> None:
    assert await send_one(box) == Outcome(Fate.ACCEPTED, "250")
    (letter,) = box.letters
    assert (letter.sender, letter.to) == (SENDER, TO)
    message = letter.message
    assert message["To"] == TO
    assert message["From"].addresses[0].display_name == OFFICE
    assert message["From"].addresses[0].addr_spec == SENDER
    assert message["Subject"] == MESSAGE.text.subject
    assert message["Date"].datetime == DATE
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"List-Unsubscribe: <{STOP}>".encode() in letter.raw.splitlines()
    assert message.get_content().replace("\r\n", "\n") == MESSAGE.text.body
    assert message.get_content_type() == "text/plain"
    assert all(len(line) <= 998 for line in letter.raw.split(b"\r\n"))
    assert letter.raw.isascii()


async def test_the_same_notice_has_the_same_message_id_and_another_has_not(box: Postbox) -> None:
    async with carrier_to(box.server) as carrier:
        for notice in ("one:near", "one:near", "two:near"):
            await carrier.send(Contact(TO, "token"), Message(notice, MESSAGE.text, STOP, DATE))
    first, again, other = (letter.message["Message-ID"] for letter in box.letters)
    assert first == again != other
    assert len(first) == 1 + 32 + 1 + len("city.example.jp") + 1


async def test_a_line_that_begins_with_a_dot_is_stuffed(box: Postbox) -> None:
    carrier = EmailCarrier(box.server, SENDER, OFFICE)
    letter = carrier.letter(TO, Message("n", MESSAGE.text, "x\r\n.\r\ny", DATE))
    assert b"\r\n..\r\n" in letter
    assert b"\r\n.\r\n" not in letter


async def test_one_connection_serves_many_letters_and_a_refusal_between_them(box: Postbox) -> None:
    box.rcpt["nobody@example.test"] = "550 5.1.1 <{}> unknown"
    async with carrier_to(box.server) as carrier:
        fates = [(await carrier.send(Contact(to, "t"), MESSAGE)).fate for to in (TO, "nobody@example.test", TO)]
    assert fates == [Fate.ACCEPTED, Fate.REFUSED, Fate.ACCEPTED]
    assert box.connections == 1


async def test_a_connection_that_is_gone_is_opened_anew(box: Postbox) -> None:
    async with carrier_to(box.server) as carrier:
        box.drop = "dot"
        assert (await carrier.send(Contact(TO, "t"), MESSAGE)).fate is Fate.UNCERTAIN
        box.drop = ""
        assert (await carrier.send(Contact(TO, "t"), MESSAGE)).fate is Fate.ACCEPTED
    assert box.connections == 2


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("550 5.1.1 <{}> unknown", Outcome(Fate.REFUSED, "550")),
        ("552 5.2.2 {} is full", Outcome(Fate.REFUSED, "552")),
        ("451 4.7.1 greylisted, {}", Outcome(Fate.AGAIN, "451")),
        ("421 closing, {}", Outcome(Fate.AGAIN, "421")),
        ("530 5.7.0 say who you are", Outcome(Fate.AGAIN, "530")),
        ("503 5.5.1 not in this order", Outcome(Fate.AGAIN, "503")),
        ("554 5.7.1 <{}>: Relay access denied", Outcome(Fate.ELSEWHERE, "554")),
    ],
)
async def test_the_answer_to_an_address_decides(box: Postbox, answer: str, outcome: Outcome) -> None:
    box.rcpt[TO] = answer
    assert await send_one(box) == outcome
    assert "DATA" not in box.commands


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("554 5.6.0 not this letter to {}", Outcome(Fate.ELSEWHERE, "554")),
        ("550 5.7.1 spam, {}", Outcome(Fate.ELSEWHERE, "550")),
        ("550 5.1.1 <{}> unknown", Outcome(Fate.REFUSED, "550")),
        ("451 4.3.0 later, {}", Outcome(Fate.AGAIN, "451")),
        ("354 what? {}", Outcome(Fate.UNCERTAIN, "354")),
        ("so-so", Outcome(Fate.UNCERTAIN, "dot -1")),
    ],
)
async def test_the_answer_to_the_letter_decides(box: Postbox, answer: str, outcome: Outcome) -> None:
    box.data = answer
    assert await send_one(box) == outcome


async def test_a_sender_that_is_refused_is_no_fault_of_the_resident(box: Postbox) -> None:
    box.mail = "550 5.7.1 we do not know {}"
    assert await send_one(box) == Outcome(Fate.AGAIN, "550")


@pytest.mark.parametrize(("drop", "fate"), [("rcpt", Fate.AGAIN), ("data", Fate.AGAIN), ("dot", Fate.UNCERTAIN)])
async def test_what_is_lost_before_the_dot_was_not_sent_and_after_it_nobody_knows(
    box: Postbox, drop: str, fate: Fate
) -> None:
    box.drop = drop
    assert (await send_one(box)).fate is fate
    assert len(box.letters) == (drop == "dot")


async def test_a_server_that_is_away_is_asked_again() -> None:
    async with carrier_to(MailServer(HOST, free_ports(1)[0], "never")) as carrier:
        assert await carrier.send(Contact(TO, "t"), MESSAGE) == Outcome(Fate.AGAIN, "connect lost")


@pytest.mark.parametrize("silent", ["timeout_s", "whole_s"])
async def test_a_server_that_says_nothing_is_left(silent: str) -> None:
    import socket

    with socket.create_server((HOST, 0)) as place:
        async with carrier_to(MailServer(HOST, place.getsockname()[1], "never"), **{silent: 0.2}) as carrier:
            assert await carrier.send(Contact(TO, "t"), MESSAGE) == Outcome(
                Fate.AGAIN, "connect timeout", is_silent=True
            )


async def test_a_letter_without_an_answer_is_uncertain(box: Postbox) -> None:
    box.data = "250-and\r\n250-so\r\n250-on"  # never the last line
    assert await send_one(box, timeout_s=0.3) == Outcome(Fate.UNCERTAIN, "dot timeout", is_silent=True)


@pytest.mark.parametrize("to", ["taro..yamada@example.test", "taro.@example.test", ".taro@example.test"])
async def test_odd_dots_are_tried_plain_and_then_once_in_quotes(box: Postbox, to: str) -> None:
    assert (await send_one(box, to)).fate is Fate.ACCEPTED
    local, _, domain = to.partition("@")
    box.rcpt[to] = "553 5.1.3 bad syntax <{}>"
    assert (await send_one(box, to)).fate is Fate.ACCEPTED
    box.rcpt[f'"{local}"@{domain}'] = "501 5.1.3 bad syntax"
    assert await send_one(box, to) == Outcome(Fate.REFUSED, "501")
    assert [letter.to for letter in box.letters] == [to, f'"{local}"@{domain}']
    assert f"To: {to}".encode() in box.letters[0].raw.splitlines()
    assert f'To: "{local}"@{domain}'.encode() in box.letters[1].raw.splitlines()


async def test_an_even_address_is_not_tried_in_quotes(box: Postbox) -> None:
    box.rcpt[TO] = "553 5.1.3 bad syntax"
    assert await send_one(box) == Outcome(Fate.REFUSED, "553")
    assert box.commands == ["RCPT"]


@pytest.mark.parametrize(
    "to",
    ["a@x.test, b@y.test", "a b@x.test", "<a@x.test>", "a@x.test\r\nBcc: b@y.test", "あ@x.test", "a", "a@x.test\n"],
)
async def test_what_is_no_single_address_never_reaches_a_server(box: Postbox, to: str) -> None:
    assert await send_one(box, to) == Outcome(Fate.REFUSED, "address")
    assert box.connections == 0


async def test_a_letter_goes_through_starttls_to_a_server_that_is_who_it_says(tmp_path: Path) -> None:
    server_side, client_side = certificate(tmp_path)
    with postbox(tls=server_side) as box:
        server = MailServer(HOST, box.port)
        async with carrier_to(server, tls_context=client_side) as carrier:
            assert (await carrier.send(Contact(TO, "t"), MESSAGE)).fate is Fate.ACCEPTED
        async with carrier_to(server) as stranger:  # the machine's own certificates do not know this server
            assert await stranger.send(Contact(TO, "t"), MESSAGE) == Outcome(Fate.AGAIN, "certificate")
        assert len(box.letters) == 1


async def test_a_certificate_of_another_name_is_none(tmp_path: Path) -> None:
    server_side, client_side = certificate(tmp_path, name="192.0.2.1")
    with postbox(tls=server_side) as box:
        async with carrier_to(MailServer(HOST, box.port), tls_context=client_side) as carrier:
            assert await carrier.send(Contact(TO, "t"), MESSAGE) == Outcome(Fate.AGAIN, "certificate")
        assert box.letters == []


async def test_without_starttls_nothing_is_said(box: Postbox) -> None:
    async with carrier_to(MailServer(HOST, box.port)) as carrier:
        assert await carrier.send(Contact(TO, "t"), MESSAGE) == Outcome(Fate.AGAIN, "connect unwilling")
    assert box.commands == []


async def test_a_login_is_made_and_a_wrong_one_is_no_fault_of_the_resident(tmp_path: Path) -> None:
    server_side, client_side = certificate(tmp_path)
    with postbox(tls=server_side, password="right") as box:
        for password, fate in (("right", Fate.ACCEPTED), ("wrong", Fate.AGAIN)):
            server = MailServer(HOST, box.port, "starttls", "ward", password)
            assert password not in repr(server)
            async with carrier_to(server, tls_context=client_side) as carrier:
                assert (await carrier.send(Contact(TO, "t"), MESSAGE)).fate is fate


async def test_no_answer_of_a_server_brings_an_address_into_log_or_outcome(box: Postbox) -> None:
    """Every refusal echoes the address; whatever is said about it is digits and words of ours."""
    with structlog.testing.capture_logs() as lines:
        for box.mail in ("250 ok", "550 no {}"):
            for box.rcpt[TO] in ("250 ok", "550 no {}", "450 no {}"):
                for box.data in ("250 ok", "554 no {}", "malformed {}"):
                    for box.drop in ("", "data", "dot"):
                        assert "canary" not in repr(await send_one(box))
    assert "canary" not in repr(lines)


def test_the_words_name_number_lane_people_and_both_ways_out() -> None:
    text = mail(Matter(OFFICE, Trigger.NEAR, "A105", "証明", 3, "https://x.test", STOP))
    for part in (OFFICE, "A105", "証明", "あと 3 人", "3 people", "https://x.test/t", STOP):
        assert part in text.body
    assert "A105" not in text.subject
    assert "証明" not in text.subject


@pytest.mark.parametrize(("ahead", "words"), [(0, "You are next"), (1, "1 person is ahead"), (2, "2 people are ahead")])
def test_people_ahead_are_told_in_whole_sentences(ahead: int, words: str) -> None:
    assert words in mail(Matter(OFFICE, Trigger.NEAR, "A105", "証明", ahead, "https://x.test", STOP)).body


def test_a_confirmation_says_what_it_is_when_it_is_erased_and_how_to_stop() -> None:
    text = registered(OFFICE, STOP)
    for part in (OFFICE, "お心当たりのない場合", "翌日に消去", "If this was not you", "day after", STOP):
        assert part in text.body
