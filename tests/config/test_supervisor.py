"""Whoever ends is brought back, sooner at first than later; everything stops in the opposite order of starting."""

import pytest

from config.supervisor import (
    ASK_EVERY_S,
    FIRST_ANSWER_WITHIN_S,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    SILENT_TIMES,
    STEADY_S,
    Supervisor,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Role:
    """A post that does as it is told."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.name = name
        self.is_running = False
        self.is_willing = True
        self.is_silent = False
        self.trouble: Exception = RuntimeError("動けません。")
        self.cannot_be_ended = False
        self._diary = diary

    def start(self) -> None:
        if not self.is_willing:
            raise self.trouble
        self._diary.append(f"start {self.name}")
        self.is_running = True

    def stop(self) -> None:
        if self.cannot_be_ended:
            raise RuntimeError("終われません。")
        self._diary.append(f"stop {self.name}")
        self.is_running = False

    def kill(self) -> None:
        if self.cannot_be_ended:
            raise RuntimeError("終われません。")
        self._diary.append(f"kill {self.name}")
        self.is_running = False

    def answers(self) -> bool:
        return not self.is_silent

    def last_words(self) -> str:
        return "シグナル 9"


class Row:
    """Two posts, their supervisor, what they did and what was said."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.diary: list[str] = []
        self.said: list[str] = []
        self.store, self.hub = Role("store", self.diary), Role("hub", self.diary)
        self.supervisor = Supervisor([self.store, self.hub], self.said.append, self.clock)

    def tend_after(self, seconds: float) -> None:
        self.clock.now += seconds
        self.supervisor.tend()


@pytest.fixture
def row() -> Row:
    return Row()


def test_posts_start_in_order_and_stop_the_other_way_round(row: Row) -> None:
    row.supervisor.start()
    row.supervisor.tend()
    row.supervisor.stop()
    assert row.diary == ["start store", "start hub", "stop hub", "stop store"]
    assert row.said == []


def test_if_one_cannot_start_none_is_left_running(row: Row) -> None:
    row.hub.is_willing = False
    with pytest.raises(RuntimeError, match="動けません"):
        row.supervisor.start()
    assert not row.store.is_running


def test_whoever_ended_is_brought_back_and_it_is_said(row: Row) -> None:
    row.supervisor.start()
    row.hub.is_running = False
    row.tend_after(0)
    assert not row.hub.is_running
    row.tend_after(FIRST_PAUSE_S)
    assert row.hub.is_running
    assert row.said == ["hubが止まりました（シグナル 9）。起動し直します。", "hubを起動し直しました。"]
    assert row.diary.count("start store") == 1


def test_whoever_ends_again_and_again_is_brought_back_less_often(row: Row) -> None:
    row.supervisor.start()
    pauses = []
    for _ in range(8):
        row.hub.is_running = False
        began = row.clock.now
        row.tend_after(0)
        while not row.hub.is_running:
            row.tend_after(0.1)
        pauses.append(row.clock.now - began)
    assert pauses == sorted(pauses)
    assert pauses[0] < 1
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE_S, abs=0.2)


def test_an_end_after_a_long_time_is_a_new_one(row: Row) -> None:
    row.supervisor.start()
    for steady in (0.0, 0.0, STEADY_S):
        row.clock.now += steady
        row.hub.is_running = False
        row.tend_after(0)
        row.tend_after(FIRST_PAUSE_S if steady else LONGEST_PAUSE_S)
        assert row.hub.is_running


@pytest.mark.parametrize("trouble", [RuntimeError("動けません。"), OSError("動けません。")])
def test_a_post_that_cannot_come_back_is_tried_again_and_the_others_go_on(row: Row, trouble: Exception) -> None:
    row.supervisor.start()
    row.store.trouble = trouble
    row.store.is_running = row.store.is_willing = False
    row.tend_after(0)
    row.tend_after(FIRST_PAUSE_S)
    assert row.said[-1] == "storeを起動できません: 動けません。"
    row.store.is_willing = True
    row.tend_after(0)
    row.tend_after(LONGEST_PAUSE_S)
    assert row.store.is_running


def test_whoever_hangs_is_ended_and_brought_back(row: Row) -> None:
    row.supervisor.start()
    row.tend_after(0)  # it has answered once
    row.hub.is_silent = True
    for _ in range(SILENT_TIMES - 1):
        row.tend_after(ASK_EVERY_S)
    assert row.said == []
    row.tend_after(ASK_EVERY_S)
    assert row.said == [f"hubが {SILENT_TIMES} 回続けて応答しません。強制終了します。"]
    assert row.diary[-1] == "kill hub"
    row.tend_after(0)
    row.tend_after(FIRST_PAUSE_S)
    assert row.hub.is_running
    assert row.store.is_running


def test_one_answer_makes_up_for_the_silence_before(row: Row) -> None:
    row.supervisor.start()
    for turn in range(20):
        row.hub.is_silent = turn % SILENT_TIMES != 0
        row.tend_after(ASK_EVERY_S)
    assert row.said == []


def test_whoever_is_still_starting_may_be_silent_for_a_while(row: Row) -> None:
    row.supervisor.start()
    row.hub.is_silent = True
    spent = 0.0
    while spent + ASK_EVERY_S < FIRST_ANSWER_WITHIN_S:
        row.tend_after(ASK_EVERY_S)
        spent += ASK_EVERY_S
    assert row.hub.is_running
    for _ in range(SILENT_TIMES):
        row.tend_after(ASK_EVERY_S)
    assert not row.hub.is_running


def test_one_that_cannot_be_ended_holds_up_nobody(row: Row) -> None:
    row.supervisor.start()
    row.hub.cannot_be_ended = row.hub.is_silent = True
    for _ in range(SILENT_TIMES * 4):
        row.tend_after(FIRST_ANSWER_WITHIN_S)
    assert row.said[-1] == "終われません。"
    with pytest.raises(RuntimeError, match="終われません"):
        row.supervisor.stop()
    assert not row.store.is_running
    row.store.is_running = True
    row.supervisor.kill()
    assert not row.store.is_running
