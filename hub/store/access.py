"""Who may do what inside the store: one closed table of parts and families of keys. Nothing here asks the store.

A part of the system signs in as a user of its own. Functions run with the rights of who calls them, so the table holds
for what they touch as well: a hub writes sealed contacts and reads none, a worker reads them, the keeper erases them.
"""

from collections.abc import Mapping
from enum import StrEnum


class Part(StrEnum):
    """A user of the store; the name is what it signs in with."""

    HUB = "hub"
    WORKER = "worker"
    KEEPER = "keeper"
    AUDITOR = "auditor"


class Family(StrEnum):
    """Keys that are alike; the value is their pattern, `OFFICE` stands for the office."""

    CLOCK = "{OFFICE}:clock"
    DAY = "{OFFICE}:day"
    DAYS = "{OFFICE}:days"
    OF_THE_DAY = "{OFFICE}:????-??-??:*"
    ARCHIVE = "{OFFICE}:archive"
    TENURES = "{OFFICE}:tenures"
    PUBLIC_KEYS = "{OFFICE}:public_keys"
    CONTACT = "{OFFICE}:contact:*"
    ERASURES = "{OFFICE}:erasures"
    TRACES = "{OFFICE}:traces"
    OWNERS = "{OFFICE}:owners"
    ERASING = "{OFFICE}:erasing"
    LINK = "{OFFICE}:link:*"
    LINE_EVENT = "{OFFICE}:line_event:*"
    LINE_LEFT = "{OFFICE}:line_left"
    LINE_ANSWERS = "{OFFICE}:line_answers"
    JOBS = "rq:*"

    def pattern(self, office: str) -> str:
        return self.value.replace("OFFICE", office)


READ, WRITE, BOTH = "R", "W", "RW"

MAY: Mapping[Part, Mapping[Family, str]] = {
    Part.HUB: {
        Family.CLOCK: BOTH,
        Family.DAY: BOTH,
        Family.DAYS: BOTH,
        Family.OF_THE_DAY: BOTH,
        Family.ARCHIVE: READ,
        Family.PUBLIC_KEYS: READ,
        Family.CONTACT: WRITE,
        Family.ERASURES: BOTH,
        Family.TRACES: BOTH,
        Family.OWNERS: BOTH,
        Family.ERASING: READ,
        Family.LINK: BOTH,
        Family.LINE_EVENT: BOTH,
        Family.LINE_LEFT: BOTH,
        Family.LINE_ANSWERS: BOTH,
        Family.JOBS: BOTH,
    },
    Part.WORKER: {
        Family.CLOCK: READ,
        Family.DAY: READ,
        Family.OF_THE_DAY: BOTH,
        Family.TENURES: BOTH,
        Family.CONTACT: BOTH,
        Family.ERASURES: BOTH,
        Family.TRACES: BOTH,
        Family.OWNERS: WRITE,
        Family.LINE_ANSWERS: BOTH,
        Family.JOBS: BOTH,
    },
    Part.KEEPER: {
        Family.CLOCK: READ,
        Family.DAY: READ,
        Family.DAYS: BOTH,
        Family.OF_THE_DAY: BOTH,
        Family.ARCHIVE: BOTH,
        Family.PUBLIC_KEYS: BOTH,
        Family.CONTACT: WRITE,
        Family.ERASURES: BOTH,
        Family.TRACES: BOTH,
        Family.OWNERS: WRITE,
        Family.ERASING: BOTH,
        Family.JOBS: BOTH,
    },
    Part.AUDITOR: {
        Family.PUBLIC_KEYS: READ,
        Family.ERASURES: READ,
        Family.TRACES: READ,
        Family.ERASING: READ,
    },
}

# Beside what needs a key. `-@all` comes first; what is named nowhere is refused.
_EVERYBODY = ("+@connection", "-client|kill", "-client|list", "-client|pause", "-client|unpause", "-client|no-evict")
_OF_DATA = (
    "+@read",
    "+@write",
    "+@transaction",
    "+time",
    "+info",
    "-@dangerous",
    "-@scripting",
    "-scan",
    "-randomkey",
    "-dbsize",
)
_FUNCTIONS = ("+fcall", "+fcall_ro")
_OF_JOBS = ("+eval", "+evalsha", "+script|load", "+publish")  # RQ's own scripts
COMMANDS: Mapping[Part, tuple[str, ...]] = {
    Part.HUB: (*_EVERYBODY, *_OF_DATA, *_FUNCTIONS, *_OF_JOBS, "+info", "+function|load", "+function|list"),
    Part.WORKER: (*_EVERYBODY, *_OF_DATA, *_FUNCTIONS, *_OF_JOBS, "+info"),
    Part.KEEPER: (
        *(*_EVERYBODY, *_OF_DATA, *_FUNCTIONS, *_OF_JOBS, "+info", "+scan"),
        *("+config|get", "+bgrewriteaof", "+bgsave", "+shutdown"),
    ),
    Part.AUDITOR: (
        *_EVERYBODY,
        "+@read",
        "-@dangerous",
        "-scan",
        "-randomkey",
        "-dbsize",
        "+time",
        "+info",
        "+config|get",
    ),
}
# A function's keys are handed in together: whoever may call one must be let through with any key of the office, and is
# asked again for each command inside.
_CALLS = "(+fcall +fcall_ro ~{OFFICE}:*)"
_CHANNELS = "&rq:*"


def rules(part: Part, office: str) -> list[str]:
    """The words of ACL SETUSER after name and password; the office's own keys alone."""
    keys = [f"%{right}~{family.pattern(office)}" for family, right in MAY[part].items()]
    calls = [] if part is Part.AUDITOR else [_CALLS.replace("OFFICE", office)]
    channels = [] if part is Part.AUDITOR else [_CHANNELS]
    return ["reset", "-@all", *COMMANDS[part], "resetkeys", *keys, "resetchannels", *channels, *calls]


def acl_lines(office: str) -> list[str]:
    """For an ACL file of a server of one's own; a password stands where `PASSWORD` does."""
    return ["user default off", *(f"user {part} on >PASSWORD {' '.join(rules(part, office)[1:])}" for part in Part)]


def access_table() -> str:
    """The table as Markdown."""
    lines = [f"| keys | {' | '.join(Part)} |", f"| --- |{' --- |' * len(Part)}"]
    for family in Family:
        cells = (MAY[part].get(family, "–") for part in Part)
        lines.append(f"| `{family}` | {' | '.join(cells)} |")
    special = {"function load": "+function|load", "scan": "+scan", "rewrite, save, shutdown": "+shutdown"}
    for words, command in (special | {"config get": "+config|get"}).items():
        lines.append(f"| {words} | {' | '.join('●' if command in COMMANDS[part] else '–' for part in Part)} |")
    return "\n".join(lines)
