"""A typical day has the figures it was made from, and the same chance makes the same day."""

from datetime import time
from random import Random
from statistics import fmean, pstdev

import msgspec
import pytest

from config.practice.figures import TYPICAL, FaultyFigures, read_figures
from hub.forecast.day import Customer, Figures, seconds_of, typical_day, usual_service

FIGURES = read_figures()
MANY = 20_000


@pytest.fixture(scope="module")
def long_day() -> list[Customer]:
    """Twenty thousand customers: enough for shares to be told from chance."""
    return typical_day(FIGURES, MANY, Random(20))


def changed(**values: object) -> Figures:
    return msgspec.convert({**msgspec.to_builtins(FIGURES), **values}, Figures, strict=False)


def test_the_same_seed_gives_the_same_day_byte_for_byte() -> None:
    one, same, other = (repr(typical_day(FIGURES, 723, Random(seed))) for seed in (7, 7, 8))
    assert one.encode() == same.encode() != other.encode()


def test_a_day_stays_what_it_was_when_this_was_written() -> None:
    first = typical_day(FIGURES, 3, Random(1))[0]
    assert (first.arrived_at, first.lane, first.source, first.service_seconds) == (35450, "mynumber", "kiosk", 693)


def test_a_day_has_as_many_customers_as_asked_for_in_order_of_arrival() -> None:
    day = typical_day(FIGURES, 723, Random(1))
    assert len(day) == 723
    assert [customer.arrived_at for customer in day] == sorted(customer.arrived_at for customer in day)


def test_nobody_comes_before_opening_or_after_closing(long_day: list[Customer]) -> None:
    assert all(seconds_of(FIGURES.opens_at) <= c.arrived_at < seconds_of(FIGURES.closes_at) for c in long_day)
    early = changed(closes_at="17:00:00")
    assert max(c.arrived_at for c in typical_day(early, MANY, Random(2))) < 17 * 3600


def test_hours_lanes_and_sources_have_their_shares(long_day: list[Customer]) -> None:
    def share(count: int) -> float:
        return count / MANY

    for hour, expected in FIGURES.hours.items():
        assert share(sum(c.arrived_at // 3600 == hour for c in long_day)) == pytest.approx(expected, abs=0.01)
    for key, lane in FIGURES.lanes.items():
        assert share(sum(c.lane == key for c in long_day)) == pytest.approx(lane.share, abs=0.01)
    for source, expected in FIGURES.sources.items():
        assert share(sum(c.source == source for c in long_day)) == pytest.approx(expected, abs=0.01)


def test_service_times_have_the_mean_and_the_spread_of_their_lane(long_day: list[Customer]) -> None:
    for key, lane in FIGURES.lanes.items():
        seconds = [c.service_seconds or 0 for c in long_day if c.lane == key]
        assert min(seconds) >= 1
        assert fmean(seconds) == pytest.approx(lane.service_minutes * 60, rel=0.06)
        assert pstdev(seconds) / fmean(seconds) == pytest.approx(lane.service_cv, rel=0.12)


def test_half_come_back_some_are_transferred_and_a_few_cancel(long_day: list[Customer]) -> None:
    back = [c.back_after for c in long_day if c.back_after is not None]
    assert len(back) / MANY == pytest.approx(0.5, abs=0.02)
    assert max(back) <= 15 * 60
    transferred = [c for c in long_day if c.transfer_to is not None]
    assert len(transferred) / MANY == pytest.approx(FIGURES.transfer_share, abs=0.005)
    assert all(c.transfer_to != c.lane and c.cancels_after is None for c in transferred)
    cancelled = [c.cancels_after for c in long_day if c.cancels_after is not None]
    assert len(cancelled) / MANY == pytest.approx(FIGURES.cancel_share, abs=0.005)
    assert max(cancelled) <= 30 * 60


def test_a_quarter_leaves_a_contact_of_the_kinds_that_the_figures_name(long_day: list[Customer]) -> None:
    left = [customer.contact for customer in long_day if customer.contact]
    assert len(left) / MANY == pytest.approx(FIGURES.contact_share, abs=0.01)
    for kind, expected in FIGURES.contacts.items():
        assert left.count(kind) / len(left) == pytest.approx(expected, abs=0.03)


def test_whoever_waits_longer_is_more_often_absent_up_to_a_limit(long_day: list[Customer]) -> None:
    absence = FIGURES.absence
    assert absence.probability(0) == pytest.approx(0.03)
    assert absence.probability(50) == pytest.approx(0.11)
    assert absence.probability(1000) == pytest.approx(0.20)
    assert sum(c.absence < absence.probability(50) for c in long_day) / MANY == pytest.approx(0.11, abs=0.01)


def test_an_office_with_one_lane_transfers_nobody() -> None:
    lane = {"share": 1.0, "service_minutes": 4.0, "service_cv": 0.6, "counters_normal": 1, "counters_peak": 2}
    alone = changed(lanes={"certificates": lane}, transfer_share=0.5)
    assert {c.transfer_to for c in typical_day(alone, 200, Random(3))} == {None}


def test_hours_and_lanes_without_a_share_get_nobody() -> None:
    hours = dict.fromkeys(range(8, 19), 0.0) | {10: 1.0, 11: 0.0}
    assert {c.arrived_at // 3600 for c in typical_day(changed(hours=hours), 200, Random(4))} == {10}


def test_a_busy_day_is_staffed_as_a_peak_day() -> None:
    assert [FIGURES.is_peak(tickets) for tickets in (723, 1000, 1001)] == [False, False, True]
    assert FIGURES.counters("moves", is_peak=False) == 5
    assert FIGURES.counters("moves", is_peak=True) == 10
    assert FIGURES.counters("passports", is_peak=True) is None


def test_usual_service_is_the_mean_of_what_is_known() -> None:
    def customer(lane: str, seconds: int | None) -> Customer:
        return Customer(arrived_at=0, lane=lane, source="kiosk", service_seconds=seconds, left_at=9)

    known = [customer("moves", 100), customer("moves", 201), customer("moves", None), customer("koseki", None)]
    assert usual_service(known) == {"moves": 150}


def test_seconds_of_a_time_of_day() -> None:
    assert seconds_of(time(8, 30, 1)) == 30601


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"hours": {"9": 0.5}}, "hours"),
        ({"sources": {"kiosk": 0.9}}, "sources"),
        ({"contacts": {"email": 0.9}}, "contacts"),
        ({"lanes": {}}, "lanes"),
        ({"opens_at": "19:00:00"}, "opens_at"),
        ({"hours": {"3": 1.0}}, "no hour"),
        ({"tickets": 0}, "tickets"),
        ({"weather": 1}, "weather"),
    ],
)
def test_figures_that_contradict_themselves_are_refused(values: dict[str, object], why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        changed(**values)


def test_a_file_without_figures_is_refused_by_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("figures") / "mine.toml"
    for text in (None, "tickets = ", "tickets = 3"):
        if text is not None:
            file.write_text(text, encoding="utf-8")
        with pytest.raises(FaultyFigures, match=r"mine\.toml"):
            read_figures(file)
    file.write_text(TYPICAL.read_text(encoding="utf-8"), encoding="utf-8")
    assert read_figures(file) == FIGURES
