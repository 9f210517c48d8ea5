"""What a carrier is given, and what it says became of it. Never a contact, never a provider's own words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hub.store.sealing import Contact
from workers.wording import Text


class Fate(StrEnum):
    """What became of one try to send."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # and will be, however often it is tried
    AGAIN = "again"  # certainly not sent; later it may be
    ELSEWHERE = "elsewhere"  # certainly not sent, and not within the day: another carrier should
    UNCERTAIN = "uncertain"  # nobody can know; who knows a notice again may be asked once more


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code`: the provider's number, or a word of ours for where it ended. `is_silent`: the carrier said nothing for as
    long as it is waited for, and would not to the next message either.
    """

    fate: Fate
    code: str = ""
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One notice on its way. `stop_url` opens "stop and erase" and nothing else; by `token` a carrier names the message
    when it tells what became of it, at `heard_url`.
    """

    notice: str
    text: Text
    stop_url: str
    date: datetime
    heard_url: str = ""
    token: str = ""


class Sender(Protocol):
    """A carrier with one connection of its own; never two messages at once.

    `knows_again`: it sends a notice once, however often it is handed over.
    """

    @property
    def knows_again(self) -> bool: ...

    async def send(self, contact: Contact, message: Message) -> Outcome:
        """Raises nothing but what cancels it."""

    async def close(self) -> None: ...
