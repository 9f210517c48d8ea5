"""When a notice is due, by places and by time; each story on plain values."""

import pytest

from hub.desk.notices import (
    CALLED_SINCE,
    FEWEST_CALLS,
    LATE_MS,
    USUAL_PACE_MS,
    Carrier,
    HowTold,
    NoticeState,
    Subscription,
    Trigger,
    by_place,
    first_allowed,
    how_told,
    notice_id,
    of_this_call,
    pace_ms,
)

MINUTE = 60_000


def wish(ahead: int = 1, minutes: int = 0) -> Subscription:
    return Subscription("s", 1, Carrier.EMAIL, ahead, minutes)


def test_a_lane_goes_as_fast_as_its_last_calls() -> None:
    assert pace_ms([]) == USUAL_PACE_MS
    assert pace_ms([0] * (FEWEST_CALLS - 1)) == USUAL_PACE_MS
    assert pace_ms([0, 1000, 2000, 6000]) == 2000
    assert pace_ms([0, *range(100_000, 108_000, 1000)]) == 1000, "what was before the last eight is forgotten"


@pytest.mark.parametrize(
    ("ahead", "minutes", "place", "pace", "due"),
    [
        (3, 0, 4, MINUTE, None),
        (3, 0, 3, MINUTE, Trigger.NEAR),
        (1, 10, 10, MINUTE, None),
        (1, 10, 9, MINUTE, Trigger.NEAR),
        (1, 10, 19, 31_000, Trigger.NEAR),
        (1, 10, 2, 5 * MINUTE, None),
        (1, 10, 1, 30 * MINUTE, Trigger.NEAR),
    ],
)
def test_near_is_by_people_or_by_minutes(ahead: int, minutes: int, place: int, pace: int, due: Trigger | None) -> None:
    assert by_place(wish(ahead, minutes), place, pace, at=0)[1] is due


def test_who_was_told_near_is_told_of_a_jump_when_the_turn_comes_far_sooner() -> None:
    told, _ = by_place(wish(1, 30), 10, 2 * MINUTE, at=0)
    assert (told.near_at, told.expected_ms) == (0, 20 * MINUTE)
    assert by_place(told, 2, 2 * MINUTE, at=5 * MINUTE)[1] is None
    assert by_place(told, 1, 2 * MINUTE, at=5 * MINUTE)[1] is Trigger.JUMP
    assert by_place(told, 1, 2 * MINUTE, at=10 * MINUTE)[1] is None, "half of it has passed"


def test_who_had_little_to_wait_for_is_told_of_no_jump() -> None:
    told, _ = by_place(wish(3), 2, MINUTE, at=0)
    assert by_place(told, 0, MINUTE, at=1)[1] is None


def test_who_stands_still_in_a_slow_lane_is_told_of_no_jump() -> None:
    told, _ = by_place(wish(1), 1, 6 * MINUTE, at=0)
    assert by_place(told, 1, 6 * MINUTE, at=1)[1] is None
    assert by_place(told, 0, 6 * MINUTE, at=2 * MINUTE)[1] is Trigger.JUMP


def test_who_was_told_near_is_told_of_a_delay_when_the_turn_does_not_come() -> None:
    told, _ = by_place(wish(3), 3, 2 * MINUTE, at=0)
    assert by_place(told, 3, 2 * MINUTE, at=LATE_MS)[1] is None
    assert by_place(told, 3, 2 * MINUTE, at=LATE_MS + 1)[1] is Trigger.DELAYED
    far, _ = by_place(wish(20), 20, 2 * MINUTE, at=0)
    assert by_place(far, 9, 2 * MINUTE, at=80 * MINUTE)[1] is None
    assert by_place(far, 9, 2 * MINUTE, at=80 * MINUTE + 1)[1] is Trigger.DELAYED


def test_who_was_called_since_is_told_no_more_of_places() -> None:
    called = Subscription("s", 1, Carrier.EMAIL, 3, 0, near_at=0, expected_ms=CALLED_SINCE)
    assert by_place(called, 3, MINUTE, at=100 * LATE_MS) == (called, None)


def test_line_is_asked_before_mail_and_mail_before_the_telephone() -> None:
    phone, mail, line = (Subscription(name, 1, Carrier(name), 3) for name in ("phone", "email", "line"))
    assert first_allowed([phone, mail, line]) is line
    assert first_allowed([phone, mail]) is mail
    assert first_allowed([]) is None


def test_what_comes_each_time_has_a_name_for_each_time() -> None:
    assert [notice_id("s", Trigger.NOW, time) for time in (1, 2)] == ["s:now", "s:now.2"]


ACCEPTED, PENDING, UNCERTAIN = NoticeState.ACCEPTED, NoticeState.PENDING, NoticeState.UNCERTAIN
LAPSED, REFUSED = NoticeState.LAPSED, NoticeState.REFUSED


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ([], HowTold.UNWISHED),
        ([{}], HowTold.NOT_TOLD),
        ([{Trigger.REGISTERED: ACCEPTED}], HowTold.NOT_TOLD),
        ([{Trigger.NEAR: ACCEPTED}], HowTold.TOLD),
        ([{Trigger.NEAR: ACCEPTED, Trigger.NOW: UNCERTAIN}], HowTold.UNSURE),
        ([{Trigger.NEAR: ACCEPTED, Trigger.NOW: REFUSED}], HowTold.NOT_TOLD),
        ([{Trigger.NOW: LAPSED}, {Trigger.NOW: ACCEPTED}], HowTold.TOLD),
        ([{Trigger.NOW: LAPSED}, {Trigger.NOW: PENDING}], HowTold.SENDING),
        ([{Trigger.NOW: UNCERTAIN}, {Trigger.NOW: LAPSED}], HowTold.UNSURE),
    ],
)
def test_staff_learns_whether_he_was_told_and_nothing_else(
    wishes: list[dict[Trigger, NoticeState]], told: HowTold
) -> None:
    assert how_told(wishes) is told


@pytest.mark.parametrize(
    ("notices", "since", "called_at", "counts"),
    [
        ({Trigger.NEAR: ACCEPTED}, {Trigger.NEAR: 3}, None, True),
        ({Trigger.NEAR: ACCEPTED}, {Trigger.NEAR: 3}, 5, True),
        ({Trigger.NOW: PENDING}, {Trigger.NOW: 5}, 5, True),
        ({Trigger.NOW: ACCEPTED}, {Trigger.NOW: 6}, 5, True),
        ({Trigger.NEAR: ACCEPTED, Trigger.NOW: ACCEPTED}, {Trigger.NEAR: 3, Trigger.NOW: 4}, 5, False),
    ],
)
def test_what_was_told_of_an_earlier_call_does_not_count(
    notices: dict[Trigger, NoticeState], since: dict[Trigger, int], called_at: int | None, counts: bool
) -> None:
    assert of_this_call(notices, since, called_at) == (notices if counts else {})
