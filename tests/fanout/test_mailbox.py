"""A mailbox never lets the sender wait, never grows beyond its depth, and tells its listener to come back."""

import asyncio

import pytest

from hub.fanout.mailbox import Depth, Frame, Mailbox, MailboxClosed
from hub.wire.messages import Away, Close

pytestmark = pytest.mark.anyio


def frame(text: str) -> Frame:
    return Frame(text, len(text.encode()))


def test_a_frame_is_encoded_once_and_knows_its_bytes() -> None:
    told = Frame.of(Away())
    assert (told.text, told.size) == ('{"type":"away"}', 15)


async def test_what_was_put_comes_out_in_order() -> None:
    mailbox = Mailbox(Depth())
    for text in ("one", "two"):
        mailbox.put(frame(text))
    assert [(await mailbox.get()).text, (await mailbox.get()).text] == ["one", "two"]


async def test_a_writer_waits_for_the_next_frame() -> None:
    mailbox = Mailbox(Depth())
    waiting = asyncio.create_task(mailbox.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    mailbox.put(frame("one"))
    mailbox.put(frame("two"))
    assert (await waiting).text == "one"
    assert len(mailbox) == 1


async def test_a_writer_takes_along_what_is_there_up_to_so_many_bytes() -> None:
    mailbox = Mailbox(Depth())
    for text in ("one", "two", "3", "four"):
        mailbox.put(frame(text))
    assert [each.text for each in mailbox.more(7)] == ["one", "two", "3"]
    assert mailbox.more(3) == []
    assert [each.text for each in mailbox.more(4)] == ["four"]
    assert mailbox.more(100) == []


async def test_what_was_taken_along_makes_room() -> None:
    mailbox = Mailbox(Depth(size=6))
    mailbox.put(frame("one"))
    mailbox.put(frame("two"))
    mailbox.more(3)
    assert not mailbox.put(frame("six"))


async def test_too_many_frames_empty_it_and_close_it_with_come_back() -> None:
    mailbox = Mailbox(Depth(frames=2))
    assert [mailbox.put(frame("x")) for _ in range(4)] == [False, False, True, False]
    assert len(mailbox) == 0
    with pytest.raises(MailboxClosed) as closed:
        await mailbox.get()
    assert closed.value.code == Close.SLOW == 4000


async def test_too_many_bytes_do_the_same() -> None:
    mailbox = Mailbox(Depth(size=10))
    assert not mailbox.put(frame("あいう"))
    assert mailbox.put(frame("か"))
    assert mailbox.code == Close.SLOW


async def test_what_was_taken_makes_room() -> None:
    mailbox = Mailbox(Depth(frames=2, size=10))
    for _ in range(20):
        assert not mailbox.put(frame("0123456789"))
        await mailbox.get()


def test_one_frame_larger_than_the_depth_still_fits_an_empty_mailbox() -> None:
    mailbox = Mailbox(Depth(size=10))
    assert not mailbox.put(frame("a snapshot of a very full day"))
    assert mailbox.code is None


async def test_closing_wakes_the_writer_and_the_first_code_stays() -> None:
    mailbox = Mailbox(Depth())
    waiting = asyncio.create_task(mailbox.get())
    await asyncio.sleep(0)
    mailbox.close(Close.BAD_MESSAGE)
    mailbox.close(Close.RESTART)
    with pytest.raises(MailboxClosed) as closed:
        await waiting
    assert closed.value.code == Close.BAD_MESSAGE


async def test_a_writer_that_gave_up_waiting_leaves_the_mailbox_whole() -> None:
    mailbox = Mailbox(Depth())
    waiting = asyncio.create_task(mailbox.get())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    mailbox.put(frame("one"))
    assert (await mailbox.get()).text == "one"
