"""Many lines written to with one call: everybody gets the same bytes, and what a socket does not take is not lost."""

import contextlib
import os
import random
import socket
from collections.abc import Iterator

import pytest

from hub.edge.websocket import burst
from hub.edge.websocket.burst import MOST, Burst, Kernel
from hub.wire.messages import Close

DATA = b"\x81\x7e\x01\x00" + b"x" * 256
NEEDS_CALL = pytest.mark.skipif(
    not Kernel().is_there, reason="!!! NOT CHECKED: this kernel has no such call, or lets nobody use it"
)


class Wire:
    """A line whose transport keeps what it is given: `held`."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        for end in (self.ours, self.theirs):
            end.setblocking(False)
        self.descriptor = self.ours.fileno()
        self.held = b""
        self.given: bytes | memoryview = b""  # at last
        self.closed_with: int | None = None

    @property
    def untaken(self) -> int:
        return len(self.held)

    def write(self, data: bytes | memoryview) -> None:
        self.held += data
        self.given = data

    def close(self, code: int, /) -> None:
        self.closed_with = code

    def fill(self, leave: int = 0) -> int:
        """Until it takes no more, then make room for about so many bytes; gives how many are in it."""
        size = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                size += self.ours.send(b"." * 1000)
        with contextlib.suppress(BlockingIOError):
            while True:
                size += self.ours.send(b".")
        return size - len(self.theirs.recv(leave)) if leave else size

    def arrived(self) -> bytes:
        heard = b""
        with contextlib.suppress(BlockingIOError):
            while piece := self.theirs.recv(1 << 16):
                heard += piece
        return heard

    def end(self) -> None:
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def wires() -> Iterator[list[Wire]]:
    wires = [Wire() for _ in range(12)]
    yield wires
    for wire in wires:
        wire.end()


def burst_of(wires: list[Wire]) -> Burst:
    many = Burst()
    for wire in wires:
        many.append(wire)
    return many


def test_everybody_gets_the_same(wires: list[Wire]) -> None:
    many = burst_of(wires)
    for data in (DATA, b"short", b"\0" * 1000):
        for start in range(0, len(wires), 5):
            many.write(data, start, start + 5, set(), set())
        assert [wire.arrived() + wire.held for wire in wires] == [data] * len(wires)
        for wire in wires:
            wire.held = b""


@NEEDS_CALL
def test_it_goes_straight_into_the_sockets(wires: list[Wire]) -> None:
    burst_of(wires).write(DATA, 0, len(wires), set(), set())
    assert [wire.arrived() for wire in wires] == [DATA] * len(wires)


def test_what_a_socket_does_not_take_goes_through_its_transport(wires: list[Wire]) -> None:
    before = wires[3].fill()
    burst_of(wires).write(DATA, 0, len(wires), set(), set())
    assert wires[3].held == DATA
    assert wires[3].arrived() == b"." * before
    assert [wire.arrived() + wire.held for wire in wires[4:]] == [DATA] * 8


def test_what_it_takes_in_part_goes_on_where_it_ended() -> None:
    with socket.create_server(("127.0.0.1", 0)) as place:
        wire = Wire()
        wire.end()
        wire.theirs = socket.create_connection(place.getsockname())
        wire.ours, _ = place.accept()
        wire.ours.setblocking(False)
        wire.theirs.setblocking(False)
        wire.descriptor = wire.ours.fileno()
    data = bytes(range(256)) * 64 * 1024  # 16 MB: more than any socket takes at once
    burst_of([wire]).write(data, 0, 1, set(), set())
    assert 0 < len(wire.held) <= len(data)
    assert isinstance(wire.given, memoryview)
    assert wire.given.obj is data, "no copy of it"
    heard = b""
    wire.theirs.setblocking(True)
    while len(heard) < len(data) - len(wire.held):
        heard += wire.theirs.recv(1 << 20)
    assert heard + wire.held == data
    wire.end()


def test_who_has_something_waiting_is_not_overtaken_and_who_left_gets_nothing(wires: list[Wire]) -> None:
    full, left = set(wires[2:4]), set(wires[3:5])
    burst_of(wires).write(DATA, 0, len(wires), full, left)
    assert [wire.held for wire in wires[2:5]] == [DATA, b"", b""]
    assert [wire.arrived() for wire in wires[2:5]] == [b""] * 3
    assert [wire.arrived() + wire.held for wire in wires[5:]] == [DATA] * 7


@pytest.mark.parametrize("seed", range(5))
def test_whoever_comes_and_goes_everybody_else_gets_the_same(wires: list[Wire], seed: int) -> None:
    chance, many, within = random.Random(seed), Burst(), list[Wire]()
    for _ in range(200):
        wire = chance.choice(wires)
        if wire in within:
            within.remove(wire)
            many.remove(wire)
        else:
            within.append(wire)
            many.append(wire)
        assert len(many) == len(within)
        many.write(DATA, 0, len(many), set(), set())
        assert all((wire.arrived() + wire.held == DATA) is (wire in within) for wire in wires)
        for wire in wires:
            wire.held = b""


def test_a_descriptor_that_is_none_any_more_takes_nobody_along(wires: list[Wire]) -> None:
    many = burst_of(wires)
    for at in (0, 5, 11):
        os.close(wires[at].ours.detach())
    many.write(DATA, 0, len(wires), set(), set())
    for at in (0, 5, 11):
        assert wires[at].held == DATA
    assert [wire.arrived() + wire.held for wire in wires[6:11]] == [DATA] * 5


def test_who_is_gone_at_the_other_end_takes_nobody_along(wires: list[Wire]) -> None:
    wires[1].theirs.close()
    burst_of(wires).write(DATA, 0, len(wires), set(), set())
    assert wires[1].held == DATA
    assert [wire.arrived() + wire.held for wire in wires[2:]] == [DATA] * 10


def test_where_bytes_have_another_way_to_go_it_goes_through_the_transport(wires: list[Wire]) -> None:
    wires[4].descriptor = -1
    burst_of(wires).write(DATA, 0, len(wires), set(), set())
    assert [wire.held for wire in wires] == [DATA] * len(wires)


def test_without_the_call_it_goes_one_by_one(wires: list[Wire], monkeypatch: pytest.MonkeyPatch) -> None:
    without = Kernel()
    without.give_up(0)
    monkeypatch.setattr(burst, "kernel", lambda: without)
    burst_of(wires).write(DATA, 0, 3, set(), {wires[1]})
    assert [wire.held for wire in wires[:4]] == [DATA, b"", DATA, b""]


def test_more_than_the_call_takes_goes_one_by_one(wires: list[Wire]) -> None:
    burst_of(wires[:1] * (MOST + 1)).write(DATA, 0, MOST + 1, set(), set())
    assert wires[0].held == DATA * (MOST + 1)


@NEEDS_CALL
def test_when_it_is_not_known_who_got_what_they_come_back(wires: list[Wire], monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Kernel()

    def outcomes(count: int, size: int) -> list[tuple[int, int]]:
        raise OSError(5, "io_getevents")

    monkeypatch.setattr(broken, "outcomes", outcomes)
    monkeypatch.setattr(burst, "kernel", lambda: broken)
    many = burst_of(wires)
    many.write(DATA, 0, len(wires), set(), set())
    assert [wire.closed_with for wire in wires] == [Close.SLOW] * len(wires)
    many.write(DATA, 0, len(wires), set(), set())
    assert [wire.held for wire in wires] == [DATA] * len(wires)
