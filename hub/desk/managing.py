"""What a manager decides for the day: which lanes a counter serves, and what the walls say beside the calls.

Pure rules over `Ground`. Nothing here lasts longer than the day: the next one begins with what the office file says.
"""

import unicodedata

from hub.desk.facts import AnnouncementPosted, AnnouncementWithdrawn, CounterReassigned
from hub.desk.ground import Decision, Ground
from hub.desk.hours import MINUTE_MS
from hub.desk.refusals import NoAnnouncement, StillReserved, WrongAnnouncement
from hub.desk.requests import Announce, Answer, Reassign, Stamp, Withdraw
from hub.desk.ticket import ENDS

LONGEST_TEXT = 60  # two lines of a wall that are read from three metres
MOST_MINUTES = 720  # a day's work; what is true for longer belongs to a poster


def reassign(ground: Ground, stamp: Stamp, request: Reassign, at: int) -> Decision:
    """Who waits for this counter alone must not be left where it serves no more."""
    former = ground.lanes_of(request.counter)
    lanes = ground.office.in_order(request.lanes)
    left = [
        ticket
        for ticket in ground.picture.tickets.values()
        if ticket.for_counter == request.counter and ticket.state not in ENDS and ticket.lane not in lanes
    ]
    if left:
        first = min(left, key=lambda ticket: ticket.arrival)
        raise StillReserved(number=first.number, lane=first.lane)
    fact = CounterReassigned(
        at=at, who=stamp.who, request=stamp.request, counter=request.counter, lanes=lanes, former=former
    )
    return Answer(), [fact]


def announce(ground: Ground, stamp: Stamp, request: Announce, at: int) -> Decision:
    """In place of what the walls said before."""
    text, until = text_of(request), at + request.minutes * MINUTE_MS
    return Answer(), [AnnouncementPosted(at=at, who=stamp.who, request=stamp.request, text=text, until=until)]


def withdraw(ground: Ground, stamp: Stamp, request: Withdraw, at: int) -> Decision:
    if ground.picture.announcement is None:
        raise NoAnnouncement()
    return Answer(), [AnnouncementWithdrawn(at=at, who=stamp.who, request=stamp.request)]


def text_of(request: Announce) -> str:
    """One line without anything that is not seen: control characters and those that turn the direction of writing.

    Raises WrongAnnouncement.
    """
    text = request.text
    is_seen = all(unicodedata.category(letter)[0] not in "CZ" or letter in " 　" for letter in text)
    if text != text.strip() or not 1 <= len(text) <= LONGEST_TEXT or not is_seen:
        raise WrongAnnouncement()
    if not 1 <= request.minutes <= MOST_MINUTES:
        raise WrongAnnouncement()
    return text
