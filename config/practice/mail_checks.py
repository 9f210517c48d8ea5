"""Did every mail arrive that somebody was owed, and none twice? Judges what the inbox received by the retold day. Pure.

A notice that was not sent is right only where the resident is told so, and the day shows why.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from config.practice.nearness import Stretch
from config.practice.recording import Contact, History, Letter
from config.practice.retelling import Findings
from config.practice.seen import Seen
from hub.desk.notices import NoticeState, Trigger
from hub.desk.ticket import ENDS
from workers import wording

# Who was called and served at once leaves no address, nor who comes faster than a hub takes them.
EXCUSED = frozenset({"TicketEnded", "TooManyTries"})
_SUBJECTS = {trigger: wording.mail(wording.Matter("", trigger, "", "", 0, "", "")).subject for trigger in Trigger}
_NAMES = {Trigger.REGISTERED: "登録の確認", Trigger.NEAR: "順番のお知らせ"}


def judge_mails(
    history: History, tickets: Mapping[int, Seen], near: Mapping[int, Sequence[Stretch]], findings: Findings
) -> None:
    """Counts into `findings`; nothing is asked about addresses that this run did not leave."""
    received: dict[str, list[Letter]] = defaultdict(list)
    for letter in history.letters:
        received[letter.to].append(letter)
    for message, count in Counter(letter.message_id for letter in _ours(history)).items():
        if count > 1 or not message:
            findings.blame("mails_doubled", f"Message-ID {message or 'のないメール'} が {count} 通あります")
    for contact in history.contacts:
        _Judge(contact, received[contact.address], tickets.get(contact.arrival), near, findings).judge()


def trigger_of(subject: str) -> Trigger | None:
    """What a mail is about. The subject names the office as well."""
    plain = _without_office(subject)
    return next((trigger for trigger, known in _SUBJECTS.items() if _without_office(known) == plain), None)


def _without_office(subject: str) -> str:
    return subject.rpartition("】")[2]


def _ours(history: History) -> list[Letter]:
    ours = {contact.address for contact in history.contacts}
    return [letter for letter in history.letters if letter.to in ours]


class _Judge:
    """Of one address. `near` and the ticket's end are what the day shows."""

    def __init__(
        self,
        contact: Contact,
        letters: Sequence[Letter],
        ticket: Seen | None,
        near: Mapping[int, Sequence[Stretch]],
        findings: Findings,
    ) -> None:
        self._contact, self._findings = contact, findings
        self._number = ticket.number if ticket else f"受付 {contact.arrival}"
        self._has_ended = ticket is None or ticket.state in ENDS
        self._stretches = near.get(contact.arrival, [])
        self._arrived = Counter(trigger_of(letter.subject) for letter in letters)

    def judge(self) -> None:
        contact, findings = self._contact, self._findings
        if self._arrived[None]:
            findings.blame("unexplained", f"{self._number} の方に、知らない件名のメールが届きました")
        if contact.at is None:
            if contact.refusal is not None and contact.refusal not in EXCUSED:
                findings.blame("unexplained", f"{self._number} の方の連絡先が断られました: {contact.refusal}")
            if contact.refusal is not None and self._arrived.total():
                findings.blame("unexplained", f"{self._number} の方は登録していないのに、メールが届きました")
            findings.contacts_refused += 1
            return
        findings.contacts += 1
        # A confirmation is of use at any time: nothing excuses a missing one, or a provider that was away all day.
        self._judge_one(Trigger.REGISTERED, contact.registered, is_due=True, is_over=False)
        since = contact.at
        is_due = any(stretch.until is None or stretch.until > since for stretch in self._stretches)
        is_over = self._has_ended or any(stretch.until is not None for stretch in self._stretches)
        self._judge_one(Trigger.NEAR, contact.near, is_due=is_due, is_over=is_over)
        if self._arrived[Trigger.NEAR] and not self._stretches and not findings.unheard:
            findings.blame("unexplained", f"{self._number} の方は順番が近くないのに、お知らせが届きました")

    def _judge_one(self, trigger: Trigger, state: str | None, *, is_due: bool, is_over: bool) -> None:
        """`is_over`: the day shows why this notice may have come too late."""
        findings, count = self._findings, self._arrived[trigger]
        what = f"{self._number} の方への{_NAMES[trigger]}"
        if count > 1:
            findings.blame("mails_doubled", f"{what}が {count} 通届きました")
        if count:
            findings.mails_due += 1
            findings.mails_arrived += 1
            if state in (NoticeState.LAPSED, NoticeState.REFUSED):
                findings.blame("unexplained", f"{what}は届いたのに「{state}」と示されています")
            return
        if not is_due and state is None:
            return
        findings.mails_due += 1
        if state == NoticeState.UNCERTAIN:
            findings.mails_uncertain += 1
        elif is_over and (state == NoticeState.LAPSED or not self._contact.is_told):
            findings.mails_lapsed += 1
        else:
            findings.blame("mails_lost", f"{what}が届いていません（{state or '示されていません'}）")
