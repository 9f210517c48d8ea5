"""What a handler is: an account, a name, a role and two dates. Nothing here reads, writes or knows a password."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from hub.desk.refusals import BadMessage, WrongDates, WrongShown
from hub.ledger.kept import NAME
from hub.wire.roles import PEOPLE as ROLES
from hub.wire.roles import Role

SHOWN = 40  # characters of a name on a report
_NAME = re.compile(NAME, re.ASCII)


@dataclass(frozen=True, slots=True)
class Person:
    """`shown`: the handler's own name. `designated`, `trained`: YYYY-MM-DD or ''. `ended_at`: 0 while he is one."""

    name: str
    shown: str
    role: Role
    designated: str
    trained: str
    must_change: bool
    locked_until: int
    ended_at: int

    def has_access(self, today: str) -> bool:
        """Designated and trained, both by today; an account that has not ended."""
        return not self.ended_at and "" < self.designated <= today and "" < self.trained <= today


def person_of(row: sa.Row[Any]) -> Person:
    return Person(
        name=row.name,
        shown=row.shown,
        role=Role(row.role),
        designated=row.designated,
        trained=row.trained,
        must_change=bool(row.must_change),
        locked_until=row.locked_until,
        ended_at=row.ended_at,
    )


def is_name(text: str) -> bool:
    """Whether an account could be called so; what is none is not even asked for."""
    return _NAME.fullmatch(text) is not None


def checked(shown: str, role: Role, designated: str, trained: str, today: str) -> dict[str, str]:
    """The columns of a handler who may be written down. Raises BadMessage, WrongShown, WrongDates."""
    if role not in ROLES:
        raise BadMessage
    shown = shown.strip()
    if not 1 <= len(shown) <= SHOWN or not shown.isprintable():
        raise WrongShown
    for day in (designated, trained):
        if day and (not _is_date(day) or day > today):
            raise WrongDates
    return {"shown": shown, "role": str(role), "designated": designated, "trained": trained}


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
