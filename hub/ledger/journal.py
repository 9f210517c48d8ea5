"""What people and devices did, noted in one transaction with the doing; the archiver moves it into the chain.

An entry says who did what to whom, by names and roles; never a password, a token, a code or an address.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from hub.ledger.kept import kept_note
from hub.ledger.tables import JOURNAL

TOKYO = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True, slots=True)
class Author:
    """On whose account it is done: `staff:NAME`, `device:ID`, `cli:LOGIN`, or a part of the system (`hub`, `keeper`).

    `request`: the id it had, or ''.
    """

    who: str
    request: str = ""


def note(connection: sa.Connection, office: str, kind: str, at: int, by: Author, told: Mapping[str, str]) -> None:
    """Add one entry; `at` in real ms. Raises NotKept for a kind or a field that the allow-list does not name."""
    fields = kept_note(kind, told)
    connection.execute(
        sa.insert(JOURNAL).values(
            office=office, type=kind, at=at, who=by.who, request=by.request, fields=json.dumps(fields)
        )
    )


def tokyo_day(at: int) -> str:
    """The day (YYYY-MM-DD) of a real moment in ms, as the chain keeps it."""
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(TOKYO).date().isoformat()
