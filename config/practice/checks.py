"""Was it a good day? Judges a recorded `History`: every number given once, called once, in order, and accounted for.

Pure, and from outside: it knows what listeners heard and askers were answered, nothing of what the hub thinks.
"""

import re
from collections import Counter
from itertools import pairwise

from config.practice.nearness import Nearness
from config.practice.notice_checks import judge_notices
from config.practice.recording import History, Visitor
from config.practice.retelling import Answers, Findings, Retelling
from config.practice.seen import Seen
from hub.desk.ticket import State

# The band or the day's numbers are used up, the lane gives none just now, or the office day was over.
EXPLAINED = frozenset({"LaneExhausted", "LaneFull", "LaneClosed", "LaneIsPaused", "closed"})

_NUMBER = re.compile(r"(\D*)([0-9]+)")


def judge(history: History) -> Findings:
    """Every check that can be made from outside; `Findings.is_good` when none complains."""
    findings, answers = Findings(), Answers(history)
    nearness = Nearness({contact.arrival: contact.ahead for contact in history.contacts})
    retelling = Retelling(history, answers, findings, nearness.look if history.contacts else None)
    retelling.tell()
    tickets = retelling.tickets
    for contradiction in history.contradictions:
        findings.blame("unexplained", contradiction)
    _check_visitors(history, tickets, answers, findings)
    _check_numbers(tickets, findings)
    _check_bands(tickets, findings)
    _check_calls(tickets, answers, findings)
    _account(history, tickets, answers, findings)
    judge_notices(history, tickets, nearness.stretches, findings)
    return findings


def _check_visitors(history: History, tickets: dict[int, Seen], answers: Answers, findings: Findings) -> None:
    """Every customer exactly one number, and every number a customer."""
    held: Counter[int] = Counter()
    for visitor in history.visitors:
        if visitor.arrival is None:
            _check_refusal(visitor, findings)
            continue
        held[visitor.arrival] += 1
        ticket = tickets.get(visitor.arrival)
        if ticket is None:
            findings.unheard += 1
            end = answers.ends.get(visitor.arrival)
            if end is None:
                findings.blame("lost", f"{visitor.number} は発券されたのに、どの画面にもありません")
            tickets[visitor.arrival] = Seen(visitor.number or "", visitor.lane or "", visitor.lane, end or State.LAPSED)
        elif ticket.number != visitor.number:
            findings.blame("unexplained", f"番号札は {visitor.number}、画面は {ticket.number} です")
    for arrival, count in held.items():
        if count > 1:
            findings.blame("doubled", f"受付 {arrival} を {count} 人が持っています")
    strangers = sorted(arrival for arrival in tickets if arrival not in held)
    unanswered = sum(visitor.refusal == "closed" for visitor in history.visitors)
    if history.is_shared:
        findings.strangers = len(strangers)
    elif len(strangers) > unanswered:  # at the end of the office day a number may be given and its answer not awaited
        for arrival in strangers:
            findings.blame("doubled", f"{tickets[arrival].number} は誰の番号でもありません")


def _check_refusal(visitor: Visitor, findings: Findings) -> None:
    if visitor.refusal is None:
        findings.blame("lost", "発券を頼んで返事のない方がいます")
        return
    findings.turned_away += 1
    if visitor.refusal not in EXPLAINED:
        findings.blame("unexplained", f"発券が断られました: {visitor.refusal}")


def _check_numbers(tickets: dict[int, Seen], findings: Findings) -> None:
    """Arrivals 1 … N without a hole, no number twice."""
    for arrival in sorted(set(range(1, max(tickets, default=0) + 1)) - set(tickets)):
        findings.blame("lost", f"受付 {arrival} が欠けています")
    for number, count in Counter(ticket.number for ticket in tickets.values()).items():
        if count > 1:
            findings.blame("doubled", f"{number} が {count} 回発券されました")


def _check_bands(tickets: dict[int, Seen], findings: Findings) -> None:
    """The numbers of a lane keep their prefix and rise by its step with each arrival, so a band never wraps."""
    given: dict[str, list[tuple[str, int]]] = {}
    unheard: set[str] = {ticket.number for ticket in tickets.values() if ticket.issued_in is None}
    for _, ticket in sorted(tickets.items()):
        found = _NUMBER.fullmatch(ticket.number)
        if found is None:
            findings.blame("unexplained", f"{ticket.number!r} は番号の形ではありません")
        elif ticket.issued_in is not None:
            given.setdefault(ticket.issued_in, []).append((found[1], int(found[2])))
    for lane, numbers in given.items():
        step = min((high - low for (_, low), (_, high) in pairwise(numbers) if high > low), default=1)
        for (before, low), (prefix, figure) in pairwise(numbers):
            between = {f"{prefix}{missing}" for missing in range(low + step, figure, step)}
            if prefix != before or figure <= low or (figure - low) % step or not between <= unheard:
                findings.blame("unexplained", f"{lane} で {before}{low} の次が {prefix}{figure} です")


def _check_calls(tickets: dict[int, Seen], answers: Answers, findings: Findings) -> None:
    """Once per stint of waiting, by what was told and by what was answered."""
    for arrival, ticket in tickets.items():
        stints = 1 + max(ticket.waited_anew, answers.waited_anew[arrival])
        calls = max(ticket.calls, answers.calls[arrival])
        if calls > stints:
            findings.blame("doubled", f"{ticket.number} は {stints} 回待って {calls} 回呼ばれました")


def _account(history: History, tickets: dict[int, Seen], answers: Answers, findings: Findings) -> None:
    """How every ticket ended. Who is absent to the end lapses with the day; who waits to the end is lost."""
    findings.tickets = len(tickets)
    ours = {visitor.arrival for visitor in history.visitors}
    for arrival, ticket in tickets.items():
        promised = answers.ends.get(arrival)
        if promised is not None and ticket.state is not promised:
            findings.blame("lost", f"{ticket.number} は {promised} と返事があったのに {ticket.state} です")
        elif ticket.state is State.SERVED:
            findings.served += 1
        elif ticket.state is State.CANCELLED:
            findings.cancelled += 1
        elif ticket.state is State.LAPSED:
            continue  # counted by its fact, or blamed already
        elif ticket.state is State.ABSENT or history.is_closed or (history.is_shared and arrival not in ours):
            findings.closed_out += 1
        else:
            findings.blame("lost", f"{ticket.number} は一日の終わりにまだ {ticket.state} です")
