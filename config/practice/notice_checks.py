"""Did every notice arrive that somebody was owed, none twice, none late? Judges an inbox by the retold day. Pure.

A notice that was not sent is right only where the resident is told so, and the day shows why. What is sent again where
nobody can know (`SENT_AGAIN`) may come twice.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from config.practice.nearness import Stretch
from config.practice.recording import Contact, History, Letter
from config.practice.retelling import Findings
from config.practice.seen import Seen
from hub.desk.notices import EACH_TIME, SENT_AGAIN, Carrier, NoticeState, Trigger
from hub.desk.ticket import ENDS, State
from hub.wire import messages as m
from workers import wording

# Who was called and served at once leaves no address, nor who comes faster than a hub takes them.
EXCUSED = frozenset({"TicketEnded", "TooManyTries"})
_SUBJECTS = {trigger: wording.mail(wording.Matter("", trigger, "", "", 0, "", "")).subject for trigger in Trigger}
_NAMES = {
    Trigger.REGISTERED: "登録の確認",
    Trigger.NEAR: "順番のお知らせ",
    Trigger.NOW: "お呼び出しのお知らせ",
    Trigger.MISSED: "お呼び済みのお知らせ",
    Trigger.READY: "交付の準備ができたお知らせ",
    Trigger.JUMP: "順番が早まったお知らせ",
    Trigger.DELAYED: "遅れのお知らせ",
}
# What happened to a ticket is told, each time or once, and is of use as long as it stands so.
_BY_FACT: Mapping[type[m.AnyFact], Trigger] = {
    m.TicketCalled: Trigger.NOW,
    m.TicketMarkedAbsent: Trigger.MISSED,
    m.TicketReady: Trigger.READY,
}
# Whoever is moved so, and is near no more, is told near once more.
_PLACED_ANEW = m.TicketPushedBack | m.TicketReturned | m.TicketTransferred
_USEFUL_IN = {Trigger.NOW: State.CALLED, Trigger.MISSED: State.ABSENT, Trigger.READY: State.WAITING}

# What may have been sent, as the resident is shown it.
SENT = frozenset({NoticeState.ACCEPTED, NoticeState.UNCERTAIN})
_LOOKS = (Trigger.REGISTERED, Trigger.NEAR, Trigger.JUMP, Trigger.DELAYED)  # by one text in LINE
_COMES = (Trigger.NOW, Trigger.MISSED, Trigger.READY)  # by the other

_Happened = Mapping[tuple[int, Trigger], Sequence[int]]  # arrival, what would be told → office times


def judge_notices(
    history: History, tickets: Mapping[int, Seen], near: Mapping[int, Sequence[Stretch]], findings: Findings
) -> None:
    """Counts into `findings`; nothing is asked about addresses that this run did not leave."""
    received: dict[str, list[Letter]] = defaultdict(list)
    for letter in _once(_ours(history), findings):
        received[letter.to].append(letter)
    happened, moved = _what_happened(history), _when_placed_anew(history)
    for contact in history.contacts:
        stretches = _told_apart(near.get(contact.arrival, ()), moved[contact.arrival])
        _Judge(contact, received[contact.address], tickets.get(contact.arrival), stretches, happened, findings).judge()


def _once(letters: Sequence[Letter], findings: Findings) -> Iterator[Letter]:
    """Each message once, where its carrier has a name for it; what came under one name again is counted here."""
    copies: Counter[str] = Counter()
    for letter in letters:
        name = letter.message_id
        copies[name] += 1
        if letter.carrier is Carrier.PHONE:  # no telephone carrier knows a message again
            yield letter
        elif not name:
            findings.blame("notices_doubled", "Message-ID か X-Line-Retry-Key のないお知らせが届きました")
            yield letter
        elif copies[name] == 1:
            yield letter
        elif copies[name] == 2 and letter.carrier is Carrier.EMAIL and trigger_of(letter.subject) in SENT_AGAIN:
            findings.notices_again += 1
        else:
            findings.blame("notices_doubled", f"{name} が {copies[name]} 通届きました")


def said_of(text: str) -> Trigger | None:
    """What a short message or a call is about."""
    return next((trigger for told in wording.TOLD.values() for trigger, says in told.items() if says in text), None)


def triggers_in_chat(
    texts: Sequence[str], contact: Contact, happened: Mapping[Trigger, int]
) -> Counter[Trigger | None]:
    """What LINE's two texts were about, as far as it can be told from outside: first what the resident is shown as
    sent, then what `happened`, and what is left has come too often.
    """
    found: Counter[Trigger | None] = Counter()
    states = {Trigger.REGISTERED: contact.registered, Trigger.NEAR: contact.near, **contact.since_then}
    sent = {Trigger(about) for about, state in states.items() if state in SENT}
    for words, triggers in ((wording.LOOK, _LOOKS), (wording.COME_NOW, _COMES)):
        count = sum(any(text.startswith(said) for said in words.values()) for text in texts)
        most = Counter({trigger: max(happened.get(trigger, 0), trigger in sent) for trigger in triggers})
        first = [trigger for trigger in triggers if trigger in sent]
        later = [trigger for trigger in triggers for _ in range(most[trigger] - (trigger in sent))]
        for trigger in [*first, *later, *[triggers[0]] * count][:count]:
            found[trigger] += 1
        found[None] -= count
    found[None] += len(texts)
    return found


def trigger_of(subject: str) -> Trigger | None:
    """What a mail is about. The subject names the office as well."""
    plain = _without_office(subject)
    return next((trigger for trigger, known in _SUBJECTS.items() if _without_office(known) == plain), None)


def _without_office(subject: str) -> str:
    return subject.rpartition("】")[2]


def _what_happened(history: History) -> _Happened:
    happened: dict[tuple[int, Trigger], list[int]] = defaultdict(list)
    for fact in history.facts.values():
        if isinstance(fact, m.TicketCalled | m.TicketMarkedAbsent | m.TicketReady):
            happened[fact.arrival, _BY_FACT[type(fact)]].append(fact.at)
    return happened


def _when_placed_anew(history: History) -> Mapping[int, Sequence[int]]:
    """By arrival; office times."""
    moved: dict[int, list[int]] = defaultdict(list)
    for fact in history.facts.values():
        if isinstance(fact, _PLACED_ANEW):
            moved[fact.arrival].append(fact.at)
    return moved


def _told_apart(stretches: Sequence[Stretch], moved: Sequence[int]) -> list[tuple[Stretch, bool]]:
    """Each with whether it is told of once more: its ticket was moved while it was not near."""
    ends = [None, *(stretch.until for stretch in stretches)]
    return [
        (stretch, end is not None and any(end <= at < stretch.since for at in moved))
        for end, stretch in zip(ends, stretches, strict=False)
    ]


def _ours(history: History) -> list[Letter]:
    ours = {contact.address for contact in history.contacts}
    return [letter for letter in history.letters if letter.to in ours]


class _Judge:
    """Of one address. When its turn was `near`, what `happened` and how the ticket stands at the end are what the day
    shows.
    """

    def __init__(
        self,
        contact: Contact,
        letters: Sequence[Letter],
        ticket: Seen | None,
        near: Sequence[tuple[Stretch, bool]],
        happened: _Happened,
        findings: Findings,
    ) -> None:
        self._contact, self._findings = contact, findings
        self._number = ticket.number if ticket else f"受付 {contact.arrival}"
        self._state = ticket.state if ticket else None
        self._has_ended = ticket is None or ticket.state in ENDS
        self._near = near
        self._stretches = [stretch for stretch, _ in near]
        self._nears = 1 + sum(is_again for _, is_again in near)  # at most
        self._happened = {trigger: happened.get((contact.arrival, trigger), ()) for trigger in _USEFUL_IN}
        self._letters = letters
        self._arrived = self._arrivals([letter.subject for letter in letters])

    def _arrivals(self, said: Sequence[str]) -> Counter[Trigger | None]:
        match self._contact.carrier:
            case Carrier.EMAIL:
                return Counter(map(trigger_of, said))
            case Carrier.PHONE:
                return Counter(map(said_of, said))
            case Carrier.LINE:
                times = {trigger: len(times) for trigger, times in self._happened.items()} | {Trigger.NEAR: self._nears}
                return triggers_in_chat(said, self._contact, times)
            case _:
                assert_never(self._contact.carrier)

    def judge(self) -> None:
        contact, findings = self._contact, self._findings
        if self._arrived[None]:
            findings.blame("unexplained", f"{self._number} の方に、知らないお知らせが届きました")
        if contact.at is None:
            if contact.refusal is not None and contact.refusal not in EXCUSED:
                findings.blame("unexplained", f"{self._number} の方の連絡先が断られました: {contact.refusal}")
            if contact.refusal is not None and self._arrived.total():
                findings.blame("unexplained", f"{self._number} の方は登録していないのに、お知らせが届きました")
            findings.contacts_refused += 1
            return
        findings.contacts += 1
        # A confirmation is of use at any time: nothing excuses a missing one, or a provider that was away all day.
        self._judge_one(Trigger.REGISTERED, contact.registered, is_due=True, is_over=False)
        since = contact.at
        due = [is_again for stretch, is_again in self._near if stretch.until is None or stretch.until > since]
        is_over = self._has_ended or any(stretch.until is not None for stretch in self._stretches)
        self._judge_each(Trigger.NEAR, contact.near, bool(due) + sum(due[1:]), self._nears, is_over=is_over)
        if self._arrived[Trigger.NEAR] and not self._stretches and not findings.unheard:
            findings.blame("unexplained", f"{self._number} の方は順番が近くないのに、お知らせが届きました")
        if self._contact.carrier is not Carrier.LINE:  # there nobody can tell which of them it was
            self._judge_late()
        for trigger in (Trigger.JUMP, Trigger.DELAYED):  # by the lane's pace, which the day does not show
            self._judge_one(trigger, contact.since_then.get(trigger), is_due=False, is_over=is_over)
        for trigger, times in self._happened.items():
            ever, later = len(times), sum(at > since for at in times)
            if trigger not in EACH_TIME:
                ever, later = min(ever, 1), min(later, 1)
            is_over = self._state is not _USEFUL_IN[trigger]
            self._judge_each(trigger, contact.since_then.get(trigger), later, ever, is_over=is_over)

    def _judge_late(self) -> None:
        """What came when the turn was near no longer, and cannot have been begun before that."""
        ends = [stretch.until for stretch in self._stretches]
        for letter in self._letters:
            about = trigger_of(letter.subject) or said_of(letter.subject)
            if about is Trigger.NEAR and ends and all(end is not None and end < letter.at for end in ends):
                self._findings.blame("notices_late", f"{self._number} の方への順番のお知らせが、過ぎてから届きました")

    def _judge_each(self, trigger: Trigger, state: str | None, times: int, most: int, *, is_over: bool) -> None:
        """Of what happened so many `times` since the office had the address, and `most` with what was before, when it
        may have had it already. `is_over`: the day shows why the latest may have come too late.
        """
        findings, arrived = self._findings, self._arrived[trigger]
        what = f"{self._number} の方への{_NAMES[trigger]}"
        if arrived > most and not findings.unheard:
            may_again = self._contact.carrier is Carrier.PHONE and trigger in SENT_AGAIN
            again = min(arrived - most, most) if may_again else 0
            findings.notices_again += again
            if arrived - most > again:
                findings.blame("notices_doubled", f"{what}が {most} 回のところ {arrived} 通届きました")
            arrived = most
        if arrived and most == 1 and state in (NoticeState.LAPSED, NoticeState.REFUSED):
            findings.blame("unexplained", f"{what}は届いたのに「{state}」と示されています")
        findings.notices_due += arrived
        findings.notices_arrived += arrived
        missing = max(times, state is not None) - arrived
        if missing > 0 and (not arrived or state != NoticeState.ACCEPTED):  # of the latest it is told how it stands
            missing -= 1
            self._count_missing(what, state, is_over=is_over)
        lapsed = max(missing, 0)  # earlier ones: what they were about was over by what followed
        findings.notices_due += lapsed
        findings.notices_lapsed += lapsed

    def _judge_one(self, trigger: Trigger, state: str | None, *, is_due: bool, is_over: bool) -> None:
        """`is_over`: the day shows why this notice may have come too late."""
        findings, count = self._findings, self._arrived[trigger]
        what = f"{self._number} の方への{_NAMES[trigger]}"
        if count > 1:
            findings.blame("notices_doubled", f"{what}が {count} 通届きました")
        if count:
            findings.notices_due += 1
            findings.notices_arrived += 1
            if state in (NoticeState.LAPSED, NoticeState.REFUSED):
                findings.blame("unexplained", f"{what}は届いたのに「{state}」と示されています")
            return
        if not is_due and state is None:
            return
        self._count_missing(what, state, is_over=is_over)

    def _count_missing(self, what: str, state: str | None, *, is_over: bool) -> None:
        findings = self._findings
        findings.notices_due += 1
        if state == NoticeState.UNCERTAIN:
            findings.notices_uncertain += 1
        elif is_over and (state == NoticeState.LAPSED or not self._contact.is_told):
            findings.notices_lapsed += 1
        else:
            findings.blame("notices_lost", f"{what}が届いていません（{state or '示されていません'}）")
