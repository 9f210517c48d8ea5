"""Where a carrier hands its messages over, as values; settings make them, and need no carrier's library for that."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. `tls`: from the first byte, by STARTTLS or not at all; `password` is never printed."""

    host: str
    port: int
    tls: Literal["starttls", "always", "never"] = "starttls"
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port}, {self.tls})"


@dataclass(frozen=True, slots=True)
class LineServer:
    """LINE's Messaging API. `token` (the channel's, long-lived) is never printed."""

    url: str
    token: str

    def __repr__(self) -> str:
        return f"LineServer({self.url})"


@dataclass(frozen=True, slots=True)
class PhoneServer:
    """Who speaks Twilio's REST form. `sender`: the number that calls and writes; `token` is never printed."""

    url: str
    account: str
    token: str
    sender: str

    def __repr__(self) -> str:
        return f"PhoneServer({self.url}, {self.account})"
