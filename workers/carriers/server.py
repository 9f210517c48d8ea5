"""Where a carrier hands its messages over, as a value; settings make it, and need no mail library for that."""

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
