"""What is a frame, what is none, and with which code a connection ends that sent none."""

import random

import pytest

from hub.edge.websocket.frames import (
    PIECE,
    Broken,
    Farewell,
    Heard,
    Kind,
    Message,
    Ping,
    Pong,
    Reader,
    TooLong,
    close_frame,
    framed,
    text_frame,
)
from tests.edge.websocket.sending import frame

LIMIT = 70_000

TAKEN: dict[str, tuple[bytes, list[Heard]]] = {
    "a text": (frame(1, b"hello"), [Message("hello")]),
    "bytes": (frame(2, b"\x00\xff"), [Message(b"\x00\xff")]),
    "an empty text": (frame(1, b""), [Message("")]),
    "empty bytes": (frame(2, b""), [Message(b"")]),
    "125 bytes": (frame(1, b"x" * 125), [Message("x" * 125)]),
    "126 bytes": (frame(1, b"x" * 126), [Message("x" * 126)]),
    "65,535 bytes": (frame(2, b"x" * 65535), [Message(b"x" * 65535)]),
    "65,536 bytes": (frame(2, b"x" * 65536), [Message(b"x" * 65536)]),
    "as long as may be": (frame(1, b"x" * LIMIT), [Message("x" * LIMIT)]),
    "no mask to speak of": (frame(1, b"abc", mask=b"\0\0\0\0"), [Message("abc")]),
    "two texts": (frame(1, b"a") + frame(1, b"b"), [Message("a"), Message("b")]),
    "two pieces": (frame(1, b"he", final=False) + frame(0, b"llo"), [PIECE, Message("hello")]),
    "pieces of nothing": (
        frame(2, b"", final=False) + frame(0, b"", final=False) + frame(0, b""),
        [PIECE, PIECE, Message(b"")],
    ),
    "a letter in two pieces": (frame(1, b"\xe3\x81", final=False) + frame(0, b"\x82"), [PIECE, Message("あ")]),
    "a ping between pieces": (
        frame(1, b"a", final=False) + frame(9, b"?") + frame(0, b"b"),
        [PIECE, Ping(b"?"), Message("ab")],
    ),
    "a pong": (frame(10, b"x" * 125), [Pong(b"x" * 125)]),
    "a close": (frame(8, b""), [Farewell(1005, "")]),
    "a close with a code": (frame(8, b"\x03\xe8"), [Farewell(1000, "")]),
    "a close with a reason": (frame(8, b"\x0f\xa0" + "またね".encode()), [Farewell(4000, "またね")]),
}

BROKEN: dict[str, tuple[bytes, int]] = {
    "not masked": (framed(Kind.TEXT, b"x") + b"1234", 1002),
    "a reserved bit": (frame(1, b"x", reserved=4), 1002),
    "a compressed frame, which nobody agreed on": (frame(2, b"x", reserved=4), 1002),
    "opcode 3": (frame(3, b"x"), 1002),
    "opcode 7": (frame(7, b""), 1002),
    "opcode 11": (frame(11, b"x"), 1002),
    "a long ping": (frame(9, b"x" * 126), 1002),
    "a long close": (frame(8, b"\x03\xe8" + b"x" * 124), 1002),
    "a ping in pieces": (frame(9, b"x", final=False), 1002),
    "a piece of nothing before": (frame(0, b"x"), 1002),
    "a text within a text": (frame(1, b"x", final=False) + frame(1, b"y"), 1002),
    "a length written too long": (b"\x81\xfe\x00\x05" + b"\0" * 4 + b"hello", 1002),
    "a length written far too long": (b"\x81\xff" + (5).to_bytes(8, "big") + b"\0" * 4 + b"hello", 1002),
    "a length below nothing": (b"\x81\xff" + b"\xff" * 8 + b"\0" * 4, 1002),
    "a close of one byte": (frame(8, b"\x03"), 1002),
    "a close that says nothing was said": (frame(8, (1005).to_bytes(2, "big")), 1002),
    "a close of a cut": (frame(8, (1006).to_bytes(2, "big")), 1002),
    "a close of no meaning": (frame(8, (999).to_bytes(2, "big")), 1002),
    "a close beyond all codes": (frame(8, (5000).to_bytes(2, "big")), 1002),
    "a reason that is no text": (frame(8, b"\x03\xe8\xff"), 1007),
    "a text that is none": (frame(1, b"\xff"), 1007),
    "half a letter": (frame(1, b"\xe3\x81"), 1007),
    "half a surrogate": (frame(1, b"\xed\xa0\x80"), 1007),
    "half a letter at the end of pieces": (frame(1, b"a", final=False) + frame(0, b"\xe3\x81"), 1007),
}


def heard_in(reader: Reader) -> list[Heard]:
    heard = []
    while (one := reader.next()) is not None:
        heard.append(one)
    return heard


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_a_frame_is_taken(name: str) -> None:
    sent, expected = TAKEN[name]
    reader = Reader(LIMIT)
    reader.feed(sent)
    assert heard_in(reader) == expected


@pytest.mark.parametrize("name", TAKEN)
def test_however_the_network_cuts_it(name: str) -> None:
    sent, expected = TAKEN[name]
    chance = random.Random(name)
    cuts = sorted(chance.randrange(len(sent) + 1) for _ in range(20)) if len(sent) > 200 else range(len(sent) + 1)
    reader, heard, before = Reader(LIMIT), [], 0
    for cut in [*cuts, len(sent)]:
        reader.feed(sent[before:cut])
        heard += heard_in(reader)
        before = cut
    assert heard == expected


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_none_ends_with_its_code(name: str) -> None:
    sent, code = BROKEN[name]
    reader = Reader(LIMIT)
    reader.feed(sent)
    with pytest.raises(Broken) as broken:
        heard_in(reader)
    assert broken.value.code == code


def test_wrong_text_is_known_with_its_first_wrong_piece() -> None:
    reader = Reader(LIMIT)
    reader.feed(frame(1, b"\xce\xba\xe1\xbd\xb9\xf4\x90", final=False))
    with pytest.raises(Broken):
        reader.next()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x81\xff" + (1 << 40).to_bytes(8, "big"),
        frame(1, b"x" * (LIMIT + 1))[:10],
        frame(1, b"x" * LIMIT, final=False) + frame(0, b"x")[:2],
    ],
    ids=["a terabyte", "one more", "one more piece"],
)
def test_too_much_is_known_from_its_head(sent: bytes) -> None:
    reader = Reader(LIMIT)
    reader.feed(sent)
    with pytest.raises(TooLong):
        heard_in(reader)


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f\0\0\0\0\0\1\0\0"),
    ],
)
def test_our_own_frames_are_as_short_as_may_be(size: int, head: bytes) -> None:
    assert text_frame("x" * size) == head + b"x" * size


def test_a_close_says_why_as_far_as_there_is_room() -> None:
    assert close_frame(1005) == b"\x88\x00"
    assert close_frame(1012) == b"\x88\x02\x03\xf4"
    told = close_frame(4400, "あ" * 100)
    assert len(told) <= 2 + 125
    assert told[4:].decode() == "あ" * 41
