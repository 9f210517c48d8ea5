"""Text becomes a message once, at the door; whatever is none is told apart, never half believed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.wire import messages as m
from hub.wire.codec import NotAMessage, encode, read_desk_request, read_frame, read_kiosk_request
from hub.wire.position import Position

ID = "q3oZ4lqWlT0mW1x7mBv2aB"

KEYS = st.from_regex(r"[a-z0-9_-]{1,32}", fullmatch=True)
ARRIVALS = st.integers(1, 2**33 - 1)
IDS = st.from_regex(r"[A-Za-z0-9_-]{22,64}", fullmatch=True)
REQUESTS = st.one_of(
    st.builds(m.Issue, IDS, KEYS),
    st.builds(m.Next, IDS, KEYS, st.none() | ARRIVALS, st.lists(KEYS, max_size=32)),
    st.builds(m.Call, IDS, KEYS, ARRIVALS, st.none() | ARRIVALS, KEYS | st.just("")),
    *(st.builds(kind, IDS, KEYS, ARRIVALS) for kind in (m.TakeBack, m.Recall, m.MarkAbsent, m.Done, m.Hold, m.Review)),
    *(st.builds(kind, IDS, ARRIVALS) for kind in (m.Ready, m.Return, m.Cancel, m.Lapse)),
    st.builds(m.Transfer, IDS, ARRIVALS, KEYS, KEYS | st.just("")),
    st.builds(m.AnnounceClosing, IDS, KEYS),
    st.builds(m.Reissue, IDS, ARRIVALS, st.from_regex(r"[0-9a-f]{64}", fullmatch=True)),
    st.builds(m.CheckIn, IDS, st.text(max_size=32)),
)


@given(REQUESTS)
def test_every_request_arrives_as_it_was_sent(request: m.DeskRequest) -> None:
    assert read_desk_request(encode(request)) == request


@pytest.mark.parametrize("request_", [m.Issue(ID, "seal"), m.CheckInByCode(ID, "A105", "7K3D-9QXM")])
def test_a_kiosk_may_issue_and_check_in(request_: m.KioskRequest) -> None:
    assert read_kiosk_request(encode(request_)) == request_


@pytest.mark.parametrize("request_", [m.Cancel(ID, 1), m.CheckIn(ID, "A105"), m.CheckInByCode(ID, "A105", "0" * 33)])
def test_a_kiosk_may_nothing_else_nor_check_in_without_a_code(request_: m.DeskRequest | m.KioskRequest) -> None:
    with pytest.raises(NotAMessage):
        read_kiosk_request(encode(request_))


def test_staff_need_no_code_and_may_send_none() -> None:
    with pytest.raises(NotAMessage):
        read_desk_request(encode(m.CheckInByCode(ID, "A105", "7K3D-9QXM")))


@pytest.mark.parametrize(
    ("text", "request_id"),
    [
        ("", None),
        ("null", None),
        ("[]", None),
        ('"next"', None),
        ("{" * 1000, None),
        ("[" * 100_000, None),
        (b"\xff\xfe", None),
        ('{"type":"next"}', None),
        ('{"type":"dance","id":"ID"}', ID),
        ('{"type":"issue","id":"short","lane":"seal"}', "short"),
        ('{"type":"issue","id":"ID","lane":"seal","name":"山田"}', ID),
        ('{"type":"issue","id":"ID","lane":"' + "x" * 33 + '"}', ID),
        ('{"type":"issue","id":"ID","lane":"se\\u0000al"}', ID),
        ('{"type":"issue","id":"ID","lane":"seal\\r\\nX: y"}', ID),
        ('{"type":"issue","id":"ID","lane":"{{7*7}}"}', ID),
        ('{"type":"issue","id":"ID","lane":"__proto__","__proto__":{}}', ID),
        ('{"type":"cancel","id":"ID","ticket":0}', ID),
        ('{"type":"cancel","id":"ID","ticket":1.5}', ID),
        ('{"type":"cancel","id":"ID","ticket":"1"}', ID),
        ('{"type":"cancel","id":"ID","ticket":9007199254740993}', ID),
        ('{"type":"next","id":"ID","counter":"1"}', ID),
        ('{"type":"next","id":"ID","counter":"1","current":null,"lanes":' + json.dumps(["a"] * 33) + "}", ID),
        ('{"type":"cancel","id":7,"ticket":1}', None),
        ('{"type":"cancel","id":"' + "x" * 65 + '","ticket":1}', None),
    ],
)
def test_what_is_no_request_is_refused_with_the_id_it_carried(text: str | bytes, request_id: str | None) -> None:
    with pytest.raises(NotAMessage) as refused:
        read_desk_request(text.replace('"ID"', f'"{ID}"') if isinstance(text, str) else text)
    assert refused.value.request_id == request_id


@given(st.text() | st.binary())
def test_no_text_at_all_breaks_the_door(text: str | bytes) -> None:
    for read in (read_desk_request, read_kiosk_request, read_frame):
        try:
            read(text)
        except NotAMessage:
            continue


def test_a_screen_ignores_frames_and_fields_of_a_newer_hub() -> None:
    assert read_frame('{"type":"EstimateChanged","minutes":5}') is None
    assert read_frame('{"type":"beat","position":"e:1-0","at":5,"weather":"fine"}') == m.Beat("e:1-0", 5)


def test_a_known_frame_that_does_not_fit_is_not_ignored() -> None:
    for broken in ('{"type":"beat"}', "no json", '{"type":5}', "[]"):
        with pytest.raises(NotAMessage):
            read_frame(broken)


def test_a_reply_has_an_answer_or_a_refusal_and_nothing_empty() -> None:
    answer = m.AnswerBody(7, "A103", "seal", "called", None, 5)
    assert json.loads(encode(m.Reply(ID, answer=answer))) == {
        "type": "reply",
        "id": ID,
        "answer": {"arrival": 7, "number": "A103", "lane": "seal", "state": "called", "ahead": None, "finished": 5},
    }


@given(st.from_regex(r"[0-9A-Za-z.-]{1,64}", fullmatch=True), st.integers(0, 10**15 - 1), st.integers(0, 10**15 - 1))
def test_positions_come_back_as_they_went(epoch: str, ms: int, seq: int) -> None:
    position = Position(epoch, ms, seq)
    assert Position.parse(str(position)) == position
    assert position.place == (ms, seq)


@pytest.mark.parametrize(
    "text", ["", "e", "e:1", "e:1-", "e:-1-0", ":1-0", "e:1-0 ", "e:1-0\n", "e:１-0", "e:1-0-0", "e e:1-0"]
)
def test_what_is_no_position_is_none(text: str) -> None:
    assert Position.parse(text) is None
