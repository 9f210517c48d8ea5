"""What no day of this office allows: a lane, a counter, a reason or a text that it does not know.

Said first of all, by the rules as by the store, whatever the request's id was used for before.
"""

from hub.desk import requests as ask
from hub.desk.lane import Office
from hub.desk.managing import text_of
from hub.desk.requests import Request


def check_known(office: Office, request: Request) -> None:
    """Raises UnknownLane, LaneNotOffered, UnknownCounter, UnknownReason, UnknownPriority, PriorityNotGiven, NoLanes,
    TooManyPlaces, WrongAnnouncement.
    """
    match request:
        case ask.Issue():
            office.offered_lane(request.lane)
            if request.priority:
                office.priority(request.priority, request.source)
        case ask.Next():
            office.counter(request.counter)
            office.known_lanes(request.lanes)
        case ask.Call():
            office.counter(request.counter)
            if request.reason:
                office.call_reason(request.reason)
        case ask.TakeBack() | ask.Recall() | ask.MarkAbsent() | ask.Done() | ask.Hold() | ask.Review():
            office.counter(request.counter)
        case ask.PushBack():
            office.places_back(request.places)
        case ask.Transfer():
            office.lane(request.lane)
            if request.counter:
                office.counter(request.counter)
        case ask.Pause():
            office.lane(request.lane)
            office.pause_reason(request.reason)
        case ask.Resume() | ask.AnnounceClosing():
            office.lane(request.lane)
        case ask.Reassign():
            office.counter(request.counter)
            office.in_order(request.lanes)
        case ask.Announce():
            text_of(request)
        case _:
            pass
