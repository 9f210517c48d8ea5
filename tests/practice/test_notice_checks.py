"""The checks of a day's notices: each that was owed came once, and each way of breaking it makes its count red."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from config.practice.checks import judge
from config.practice.notice_checks import trigger_of
from config.practice.recording import Contact, Letter
from config.practice.retelling import Findings
from hub.desk import requests
from hub.desk.notices import Carrier, NoticeState, Trigger
from hub.store.sealing import By, Language
from tests.practice.histories import Told, good_day
from workers import wording

OFFICE = "さくら区役所"
REGISTERED = wording.registered(OFFICE, "").subject


def subject_of(trigger: Trigger) -> str:
    return wording.mail(wording.Matter(OFFICE, trigger, "A1", "証明", 2, "", "")).subject


NEAR = subject_of(Trigger.NEAR)
NOW, MISSED, READY = (subject_of(trigger) for trigger in (Trigger.NOW, Trigger.MISSED, Trigger.READY))
ADDRESS = "r3@practice.invalid"
THIRD = Contact(  # waits behind two, so one is ahead from the first call on
    arrival=3,
    address=ADDRESS,
    ahead=1,
    at=3,
    is_told=True,
    registered=NoticeState.ACCEPTED,
    near=NoticeState.ACCEPTED,
    since_then={Trigger.NOW: NoticeState.ACCEPTED},
)
LETTERS = [
    Letter(ADDRESS, REGISTERED, "<3:registered>"),
    Letter(ADDRESS, NEAR, "<3:near>"),
    Letter(ADDRESS, NOW, "<3:now>"),
]
CONFIRMED, _, CALLED = LETTERS


def told_day(contact: Contact = THIRD, letters: list[Letter] | None = None) -> Told:
    told = good_day()
    told.contacts = [contact]
    told.letters = list(LETTERS if letters is None else letters)
    return told


def counts(findings: Findings) -> tuple[int, ...]:
    return (
        findings.notices_due,
        findings.notices_arrived,
        findings.notices_lapsed,
        findings.notices_uncertain,
        findings.notices_doubled,
        findings.notices_lost,
    )


@pytest.mark.parametrize("office", ["", OFFICE, "【】"])
def test_a_subject_tells_what_a_mail_is_about(office: str) -> None:
    near = wording.mail(wording.Matter(office, Trigger.NEAR, "", "", 0, "", ""))
    assert trigger_of(wording.registered(office, "").subject) is Trigger.REGISTERED
    assert trigger_of(near.subject) is Trigger.NEAR
    assert trigger_of("請求書") is trigger_of("") is None


def test_who_left_an_address_gets_each_mail_once() -> None:
    findings = judge(told_day().history())
    assert findings.complaints == []
    assert (findings.contacts, counts(findings)) == (1, (3, 3, 0, 0, 0, 0))


def test_who_was_never_near_is_owed_nothing_but_the_first_mail() -> None:
    told = good_day()
    last = 0
    for _ in range(3):
        last = told.issue()
    told.is_closed = True
    told.contacts = [replace(THIRD, arrival=last, at=999, near=None, since_then={})]
    told.letters = LETTERS[:1]
    findings = judge(told.history())
    assert (findings.complaints, counts(findings)) == ([], (1, 1, 0, 0, 0, 0))


def test_who_waits_with_nobody_ahead_to_the_end_is_near() -> None:
    told = good_day()
    last = told.issue()
    told.is_closed = True
    told.contacts = [replace(THIRD, arrival=last, at=999, near=None, since_then={})]
    told.letters = LETTERS[:1]
    assert judge(told.history()).notices_lost == 1


def test_who_was_called_before_the_address_was_left_is_owed_no_call() -> None:
    findings = judge(told_day(replace(THIRD, at=999, near=None, since_then={}), LETTERS[:1]).history())
    assert (findings.complaints, counts(findings)) == ([], (1, 1, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        (replace(THIRD, near=NoticeState.LAPSED), (3, 2, 1, 0, 0, 0)),
        (replace(THIRD, near=NoticeState.UNCERTAIN), (3, 2, 0, 1, 0, 0)),
        (replace(THIRD, is_told=False, registered=None, near=None, since_then={}), (3, 2, 1, 0, 0, 0)),
    ],
)
def test_a_mail_that_was_not_sent_is_right_where_it_is_told_and_the_day_shows_why(
    contact: Contact, expected: tuple[int, ...]
) -> None:
    findings = judge(told_day(contact, [CONFIRMED, CALLED]).history())
    assert (findings.complaints, counts(findings)) == ([], expected)


def test_a_mail_that_may_have_arrived_and_did_is_right() -> None:
    findings = judge(told_day(replace(THIRD, near=NoticeState.UNCERTAIN)).history())
    assert (findings.complaints, counts(findings)) == ([], (3, 3, 0, 0, 0, 0))


def called_twice(letters: list[Letter], **since_then: NoticeState) -> Told:
    """The second of the day is called, missed, comes back, and is called again."""
    return told_day(replace(THIRD, arrival=2, at=0, since_then=since_then), [*LETTERS[:2], *letters])


AGAIN, ABSENT = Letter(ADDRESS, NOW, "<3:now.2>"), Letter(ADDRESS, MISSED, "<3:missed>")
NEAR_AGAIN = Letter(ADDRESS, NEAR, "<3:near.2>")  # he came back behind more than he had wished
BOTH = {"now": NoticeState.ACCEPTED, "missed": NoticeState.ACCEPTED}


@pytest.mark.parametrize(
    ("letters", "since_then", "expected"),
    [
        ([CALLED, ABSENT, NEAR_AGAIN, AGAIN], BOTH, (6, 6, 0, 0, 0, 0)),
        ([CALLED, ABSENT, AGAIN], BOTH, (6, 5, 1, 0, 0, 0)),
        ([ABSENT, NEAR_AGAIN, AGAIN], BOTH, (6, 5, 1, 0, 0, 0)),  # the first call was over before its mail went out
        ([CALLED, ABSENT, NEAR_AGAIN], BOTH | {"now": NoticeState.LAPSED}, (6, 5, 1, 0, 0, 0)),
        ([CALLED, NEAR_AGAIN, AGAIN], BOTH | {"missed": NoticeState.UNCERTAIN}, (6, 5, 0, 1, 0, 0)),
    ],
)
def test_each_call_and_each_that_was_missed_is_told_or_was_over(
    letters: list[Letter], since_then: dict[str, NoticeState], expected: tuple[int, ...]
) -> None:
    findings = judge(called_twice(letters, **since_then).history())
    assert (findings.complaints, counts(findings)) == ([], expected)


def test_who_is_near_twice_is_told_so_no_third_time() -> None:
    third = replace(NEAR_AGAIN, message_id="<3:near.3>")
    assert judge(called_twice([CALLED, ABSENT, NEAR_AGAIN, AGAIN, third], **BOTH).history()).notices_doubled == 1


def test_calls_whose_mails_nobody_knows_of_are_lost() -> None:
    assert judge(called_twice([]).history()).notices_lost == 2  # the latest call, and the missed one


@pytest.mark.parametrize("refusal", ["TicketEnded", None])
def test_who_came_too_late_with_an_address_is_owed_nothing(refusal: str | None) -> None:
    findings = judge(told_day(replace(THIRD, at=None, refusal=refusal), []).history())
    assert (findings.complaints, findings.contacts, findings.contacts_refused) == ([], 0, 1)


# By other carriers, and what comes twice ---------------------------------------------------------------------------

CHAT = replace(THIRD, carrier=Carrier.LINE, address="U1")
PHONE = replace(THIRD, carrier=Carrier.PHONE, address="+819012345678")


def in_chat(trigger: Trigger, key: str, language: Language = Language.JAPANESE) -> Letter:
    text = wording.line(wording.Matter(OFFICE, trigger, "A1", "証明", 2, "https://ward", "", language=language)).body
    return Letter(CHAT.address, text, key, Carrier.LINE)


def by_phone(trigger: Trigger, by: By = By.SMS, language: Language = Language.JAPANESE) -> Letter:
    text = wording.telephone(wording.Matter(OFFICE, trigger, "A1", "証明", 2, "", "https://s", "", language, by)).body
    return Letter(PHONE.address, text, "", Carrier.PHONE)


ALL = (Trigger.REGISTERED, Trigger.NEAR, Trigger.NOW)


@pytest.mark.parametrize("language", Language)
def test_a_day_in_the_chat_is_judged_by_its_two_texts(language: Language) -> None:
    told = [in_chat(trigger, f"key-{trigger}", language) for trigger in ALL]
    findings = judge(told_day(CHAT, told).history())
    assert (findings.complaints, counts(findings)) == ([], (3, 3, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("letters", "red"),
    [
        ([in_chat(Trigger.REGISTERED, "a"), in_chat(Trigger.NOW, "c")], "notices_lost"),
        ([in_chat(Trigger.REGISTERED, "a"), in_chat(Trigger.NEAR, "b")], "notices_lost"),
        ([*(in_chat(trigger, trigger) for trigger in ALL), in_chat(Trigger.NEAR, "d")], "notices_doubled"),
        ([*(in_chat(trigger, trigger) for trigger in ALL), in_chat(Trigger.NOW, "d")], "notices_doubled"),
        ([*(in_chat(trigger, trigger) for trigger in ALL), in_chat(Trigger.NOW, "now")], "notices_doubled"),
        ([*(in_chat(trigger, trigger) for trigger in ALL), in_chat(Trigger.NOW, "")], "notices_doubled"),
        ([*(in_chat(trigger, trigger) for trigger in ALL), replace(in_chat(ALL[0], "e"), subject="?")], "unexplained"),
    ],
)
def test_a_day_in_the_chat_that_is_broken_turns_red(letters: list[Letter], red: str) -> None:
    findings = judge(told_day(CHAT, letters).history())
    assert getattr(findings, red), findings
    assert not findings.is_good


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("language", Language)
def test_a_day_by_telephone_is_judged_by_what_is_said(by: By, language: Language) -> None:
    told = [by_phone(trigger, by, language) for trigger in ALL]
    findings = judge(told_day(PHONE, told).history())
    assert (findings.complaints, counts(findings)) == ([], (3, 3, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("contact", "letters"),
    [
        (THIRD, [*LETTERS, CALLED]),  # under the same Message-ID
        (PHONE, [by_phone(trigger) for trigger in (*ALL, Trigger.NOW)]),
    ],
)
def test_a_call_may_be_told_once_more_where_nobody_could_know_and_is_counted_apart(
    contact: Contact, letters: list[Letter]
) -> None:
    findings = judge(told_day(contact, letters).history())
    assert (findings.complaints, findings.notices_again, counts(findings)) == ([], 1, (3, 3, 0, 0, 0, 0))
    findings = judge(told_day(contact, [*letters, letters[-1]]).history())
    assert (findings.notices_again, findings.notices_doubled) == (1, 1), "and no third time"


def test_what_is_near_once_is_told_once_also_by_telephone() -> None:
    assert judge(told_day(PHONE, [by_phone(trigger) for trigger in (*ALL, Trigger.NEAR)]).history()).notices_doubled


@pytest.mark.parametrize("letter", [LETTERS[1], by_phone(Trigger.NEAR)])
def test_what_came_when_the_turn_was_over_is_late(letter: Letter) -> None:
    contact = THIRD if letter.carrier is Carrier.EMAIL else PHONE
    letters = LETTERS if contact is THIRD else [by_phone(trigger) for trigger in ALL]
    in_time = [replace(one, at=1) for one in letters]
    assert judge(told_day(contact, in_time).history()).notices_late == 0
    late = [replace(one, at=10**6 if one.subject == letter.subject else 1) for one in letters]
    findings = judge(told_day(contact, late).history())
    assert (findings.notices_late, findings.is_good) == (1, False)


# Each breaks a good day in one way --------------------------------------------------------------------------------


def no_first_mail(told: Told) -> None:
    del told.letters[0]


def no_near_mail(told: Told) -> None:
    del told.letters[1]


def never_marked_as_due(told: Told) -> None:
    del told.letters[1]
    told.contacts[0] = replace(told.contacts[0], near=None)


def lapsed_although_the_ticket_waits(told: Told) -> None:
    last = told.issue()
    told.is_closed = True
    told.contacts = [replace(THIRD, arrival=last, at=0, near=NoticeState.LAPSED)]
    del told.letters[1]


def still_on_its_way(told: Told) -> None:
    del told.letters[1]
    told.contacts[0] = replace(told.contacts[0], near=NoticeState.SENDING)


def near_twice(told: Told) -> None:
    told.letters.append(Letter(ADDRESS, NEAR, "<another>"))


def no_mail_of_the_call(told: Told) -> None:
    del told.letters[2]


def call_never_marked_as_due(told: Told) -> None:
    del told.letters[2]
    told.contacts[0] = replace(told.contacts[0], since_then={})


def call_still_on_its_way(told: Told) -> None:
    del told.letters[2]
    told.contacts[0] = replace(told.contacts[0], since_then={Trigger.NOW: NoticeState.CLAIMED})


def told_of_one_call_twice(told: Told) -> None:
    told.letters.append(Letter(ADDRESS, NOW, "<3:now.2>"))


def told_of_papers_that_were_never_ready(told: Told) -> None:
    told.letters.append(Letter(ADDRESS, READY, "<3:ready>"))


def a_call_that_arrived_and_is_told_as_lapsed(told: Told) -> None:
    told.contacts[0] = replace(told.contacts[0], since_then={Trigger.NOW: NoticeState.LAPSED})


def said_to_be_late_and_not_sent(told: Told) -> None:
    known: dict[str, str] = dict.fromkeys((Trigger.NOW, Trigger.DELAYED), NoticeState.ACCEPTED)
    told.contacts[0] = replace(told.contacts[0], since_then=known)


def one_message_twice(told: Told) -> None:
    told.letters.append(told.letters[0])


def no_message_id(told: Told) -> None:
    told.letters[0] = replace(told.letters[0], message_id="")


def near_to_somebody_far(told: Told) -> None:
    last = 0
    for _ in range(3):
        last = told.issue()
    told.is_closed = True
    told.contacts = [replace(THIRD, arrival=last, at=0)]


def a_mail_about_something_else(told: Told) -> None:
    told.letters.append(Letter(ADDRESS, "請求書", "<x>"))


def arrived_but_told_as_lapsed(told: Told) -> None:
    told.contacts[0] = replace(told.contacts[0], near=NoticeState.LAPSED)


def refused_without_reason(told: Told) -> None:
    told.contacts[0] = replace(told.contacts[0], at=None, refusal="NoticesClosed")
    told.letters = []


def mails_to_one_who_was_refused(told: Told) -> None:
    told.contacts[0] = replace(told.contacts[0], at=None, refusal="TicketEnded")


@pytest.mark.parametrize(
    ("break_it", "red"),
    [
        (no_first_mail, "notices_lost"),
        (no_near_mail, "notices_lost"),
        (never_marked_as_due, "notices_lost"),
        (lapsed_although_the_ticket_waits, "notices_lost"),
        (still_on_its_way, "notices_lost"),
        (near_twice, "notices_doubled"),
        (no_mail_of_the_call, "notices_lost"),
        (call_never_marked_as_due, "notices_lost"),
        (call_still_on_its_way, "notices_lost"),
        (said_to_be_late_and_not_sent, "notices_lost"),
        (told_of_one_call_twice, "notices_doubled"),
        (told_of_papers_that_were_never_ready, "notices_doubled"),
        (a_call_that_arrived_and_is_told_as_lapsed, "unexplained"),
        (one_message_twice, "notices_doubled"),
        (no_message_id, "notices_doubled"),
        (near_to_somebody_far, "unexplained"),
        (a_mail_about_something_else, "unexplained"),
        (arrived_but_told_as_lapsed, "unexplained"),
        (refused_without_reason, "unexplained"),
        (mails_to_one_who_was_refused, "unexplained"),
    ],
)
def test_a_broken_day_turns_red(break_it: Callable[[Told], None], red: str) -> None:
    told = told_day()
    break_it(told)
    findings = judge(told.history())
    assert getattr(findings, red), findings
    assert not findings.is_good
    assert ADDRESS not in str(findings.complaints)


def test_a_transfer_makes_far_what_was_near() -> None:
    """Near in the lane of the number, called, and sent on to a lane where others wait: near is said once, at first."""
    told = Told()
    told.photograph(None)
    first, second = told.issue(), told.issue()
    for _ in range(3):
        told.issue("moves")
    told.contacts = [replace(THIRD, arrival=second, at=0)]
    told.letters = list(LETTERS)
    assert told.next() == first
    assert told.next("1", first) == second
    told.do(requests.Transfer(second, "moves"))
    told.is_closed = True
    findings = judge(told.history())
    assert (findings.complaints, counts(findings)) == ([], (3, 3, 0, 0, 0, 0))
