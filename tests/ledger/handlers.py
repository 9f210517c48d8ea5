"""The handlers of an office in its ledger, with cheap hashes and a clock that a story moves."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from hub.desk.refusals import Refusal
from hub.ledger.connection import transaction
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.ledger.tables import JOURNAL
from hub.wire.roles import Role

CLI = Author("cli")
DAY = "2026-04-01"
GOOD = "こまつな と 7 本の傘"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # ten thousand tries are about counting


@dataclass
class Clock:
    ms: int = 1_790_000_000_000  # September 2026

    def __call__(self) -> int:
        return self.ms


@dataclass
class House:
    ledger: Ledger
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.people = People(self.ledger, hasher=CHEAP, now_ms=self.clock)
        self.given: dict[str, str] = {}

    def add(self, name: str, role: Role = Role.COUNTER, designated: str = DAY, trained: str = DAY) -> str:
        self.given[name] = self.people.add(name, f"{name}さん", role, designated, trained, CLI)
        return self.given[name]

    def sign_in(self, name: str) -> str:
        return self.people.sign_in(name, self.given[name]).token

    def is_in(self, token: str) -> bool:
        return self.people.session(token, is_used=False) is not None

    def noted(self) -> list[tuple[str, str, str]]:
        """Kind, who, and about whom and why."""
        with transaction(self.ledger.engine, writes=False) as connection:
            rows = connection.execute(
                sa.select(JOURNAL).where(JOURNAL.c.office == self.ledger.office).order_by(JOURNAL.c.id)
            ).all()
        told = [(row.type, row.who, json.loads(row.fields)) for row in rows]
        return [
            (kind, who, " ".join(fields.get(name, "") for name in ("name", "why")).strip())
            for kind, who, fields in told
        ]

    def of_kind(self, *kinds: str) -> list[tuple[str, str, str]]:
        return [one for one in self.noted() if one[0] in kinds]


@pytest.fixture
def house(ledger: Ledger) -> House:
    return House(ledger)


def refused(kind: type[Refusal], act: Callable[..., object], *told: object) -> None:
    with pytest.raises(kind):
        act(*told)
