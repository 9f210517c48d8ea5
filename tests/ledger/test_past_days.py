"""What the ledger keeps of a day is enough to explain it."""

from contextlib import closing

from hub.desk.chronicle import Chronicle
from hub.desk.explanation import Reason
from hub.desk.requests import Call, Issue, MarkAbsent, Next, Reassign, Recall, Return
from hub.ledger.operations import Ledger
from hub.ledger.past_days import PastDays
from tests.ledger.office import ArchivedOffice, later
from tests.model.desks import CERTIFICATES, DAY, MOVES


async def test_an_archived_day_is_explained_as_the_open_day_was(office: ArchivedOffice) -> None:
    for _ in range(4):
        await office.desk.ask(Issue(CERTIFICATES, "kiosk"))
    await office.desk.ask(Call("2", 3, None, "health"))
    await office.desk.ask(Recall("2", 3))
    await office.desk.ask(Next("2", 3))
    await office.desk.ask(MarkAbsent("2", 1))
    await office.desk.ask(Return(1))
    await office.desk.ask(Next("2", None))
    await office.desk.ask(Next("2", 2))
    await office.turn()

    kept = PastDays(office.ledger).facts(DAY)
    assert kept == await office.desk.facts()
    chronicle = Chronicle(office.desk.office)
    for fact in kept:
        chronicle.learn(fact)
    told = {arrival: [p.reason for p in chronicle.passed_by(arrival)] for arrival in (1, 2, 4)}
    assert told == {1: [Reason.CHOSEN, Reason.YOU_RETURNED, Reason.YOU_RETURNED], 2: [Reason.CHOSEN], 4: []}


async def test_an_archived_call_is_explained_by_the_lanes_that_its_counter_served_then(office: ArchivedOffice) -> None:
    for lane in (MOVES, CERTIFICATES, CERTIFICATES):
        await office.desk.ask(Issue(lane, "kiosk"))
    await office.desk.ask(Next("2", None))
    await office.desk.ask(Reassign("2", (CERTIFICATES, MOVES)))
    await office.desk.ask(Next("2", 2, (CERTIFICATES,)))
    await office.turn()

    kept = PastDays(office.ledger).facts(DAY)
    assert kept == await office.desk.facts()
    chronicle = Chronicle(office.desk.office)
    for fact in kept:
        chronicle.learn(fact)
    assert [passing.reason for passing in chronicle.passed_by(1)] == [Reason.ANOTHER_LANE, Reason.LANE_CHOSEN]


async def test_of_another_day_or_another_office_nothing_is_known(office: ArchivedOffice, ledger_url: str) -> None:
    await office.work(1)
    await office.turn()
    assert PastDays(office.ledger).facts(later(1)) == []
    with closing(Ledger(ledger_url, "another")) as another:
        assert PastDays(another).facts(DAY) == []
