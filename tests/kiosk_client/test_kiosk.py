"""What follows what on the touch screen, from the table and no other way."""

import itertools

import pytest

from kiosk_client.kiosk import MOVES, SHOWN_SECONDS, Dialled, Event, Kiosk, NotNow, State, Ticket

TICKET = Ticket("A103", 12, "7KX2M9QD")


def test_a_resident_takes_a_number_and_leaves() -> None:
    kiosk = Kiosk().after(Event.CHOSEN, lane="certificates")
    assert (kiosk.state, kiosk.lane, kiosk.ticket) == (State.ASKING, "certificates", None)
    kiosk = kiosk.after(Event.ANSWERED, ticket=TICKET)
    assert (kiosk.state, kiosk.ticket) == (State.SAFE, TICKET)
    kiosk = kiosk.after(Event.PRINTED)
    assert (kiosk.state, kiosk.ticket) == (State.PRINTED, TICKET)
    assert kiosk.after(Event.LEFT) == Kiosk()


def test_a_number_whose_slip_fails_stays_on_the_screen_and_can_be_printed_again() -> None:
    kiosk = Kiosk().after(Event.CHOSEN, lane="certificates").after(Event.ANSWERED, ticket=TICKET)
    kiosk = kiosk.after(Event.PRINTER_FAILED)
    assert (kiosk.state, kiosk.ticket) == (State.UNPRINTED, TICKET)
    assert kiosk.after(Event.PRINT_AGAIN).after(Event.PRINTED).state is State.PRINTED


def test_a_refusal_is_told_once() -> None:
    kiosk = Kiosk().after(Event.CHOSEN, lane="certificates").after(Event.REFUSED, sentence="終了しました。")
    assert kiosk.sentence == "終了しました。"
    assert kiosk.after(Event.LEFT) == Kiosk()


def test_a_number_from_home_is_typed_and_nothing_is_printed() -> None:
    kiosk = Kiosk().after(Event.FROM_HOME).after(Event.TOUCHED).after(Event.TYPED)
    assert kiosk.state is State.CHECKING
    there = kiosk.after(Event.ANSWERED, lane="certificates", ticket=Ticket("A103", 2))
    assert (there.state, there.lane, there.ticket) == (State.CHECKED_IN, "certificates", Ticket("A103", 2))
    assert there.after(Event.LEFT) == Kiosk()
    again = kiosk.after(Event.REFUSED, sentence="お確かめください。", why="NotYours")
    assert (again.state, again.why) == (State.NOT_CHECKED_IN, "NotYours")
    assert again.after(Event.FROM_HOME).why is None


DIALLED = Dialled("090-1234-5678", ("sms", "voice"))


def with_number() -> Kiosk:
    kiosk = Kiosk().after(Event.CHOSEN, lane="certificates").after(Event.ANSWERED, ticket=TICKET).after(Event.PRINTED)
    kiosk = kiosk.after(Event.BY_PHONE).after(Event.AGREED).after(Event.TOUCHED).after(Event.TYPED)
    return kiosk.after(Event.ANSWERED, dialled=DIALLED)


def test_a_telephone_number_is_agreed_to_dialled_read_back_and_left() -> None:
    kiosk = with_number()
    assert (kiosk.state, kiosk.dialled, kiosk.ticket) == (State.READ_BACK, DIALLED, TICKET)
    assert "1234" not in repr(kiosk)
    kiosk = kiosk.after(Event.CONFIRMED)
    assert (kiosk.state, kiosk.dialled) == (State.LEAVING, DIALLED)
    assert kiosk.after(Event.ANSWERED).state is State.LEFT_NUMBER


@pytest.mark.parametrize(
    "events", [[Event.DIAL_AGAIN], [Event.LEFT], [Event.CONFIRMED, Event.ANSWERED], [Event.CONFIRMED, Event.REFUSED]]
)
def test_whatever_comes_after_it_knows_no_telephone_number_any_more(events: list[Event]) -> None:
    kiosk = with_number()
    for event in events:
        kiosk = kiosk.after(event)
    assert kiosk.dialled is None


def test_no_screen_with_a_telephone_number_stands_for_a_minute_with_nobody_there() -> None:
    for state in (State.DIALLING, State.READ_BACK):
        assert 30 <= SHOWN_SECONDS[state] <= 60


@pytest.mark.parametrize(("state", "event"), [pair for pair in itertools.product(State, Event) if pair not in MOVES])
def test_whatever_is_not_in_the_table_changes_nothing(state: State, event: Event) -> None:
    with pytest.raises(NotNow):
        Kiosk(state).after(event)


def test_nothing_is_printed_before_the_answer() -> None:
    assert {state for (state, event) in MOVES if event is Event.PRINTED} == {State.SAFE}
    assert {state for (state, _), after in MOVES.items() if after is State.SAFE} == {State.ASKING, State.UNPRINTED}


def test_no_screen_stands_for_ever() -> None:
    """It ends by itself, or by what the hub or the printer says; only the lanes wait for somebody."""
    by_touch = {Event.CHOSEN, Event.PRINT_AGAIN, Event.FROM_HOME, Event.TOUCHED, Event.TYPED, Event.LEFT}
    by_touch |= {Event.BY_PHONE, Event.AGREED, Event.CONFIRMED, Event.DIAL_AGAIN}
    for state in set(State) - {State.CHOOSING}:
        assert state in SHOWN_SECONDS or any(event not in by_touch for (s, event) in MOVES if s is state)
