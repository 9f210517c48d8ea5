"""Where a topic stands: `EPOCH:MS-SEQ`. Positions of one epoch are ordered; another means "forget what you knew"."""

import re
from dataclasses import dataclass

_FORM = re.compile(r"([0-9A-Za-z.-]{1,64}):([0-9]{1,15})-([0-9]{1,15})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Position:
    """`epoch` names one run of the store on one business day; `ms`, `seq` are the fact's place in the day's stream."""

    epoch: str
    ms: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.ms}-{self.seq}"

    @property
    def place(self) -> tuple[int, int]:
        """What orders positions within one epoch."""
        return self.ms, self.seq

    @classmethod
    def parse(cls, text: str) -> "Position | None":
        """The position that a text names, or None where it names none."""
        found = _FORM.fullmatch(text)
        return cls(found[1], int(found[2]), int(found[3])) if found else None
