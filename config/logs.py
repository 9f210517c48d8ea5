"""What this program writes about itself: one JSON object a line on standard error, fields from a list only.

A contact, a secret or a number can only get into a line under a name that stands below. Exceptions are told by their
type and place; their own words may quote what somebody sent.
"""

import logging
import re
import sys
import unicodedata
from pathlib import Path
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

FIELDS = frozenset(
    {
        "event",
        "level",
        "logger",
        "timestamp",
        "why",  # a sentence of our own about ids and states
        "code",  # of a refusal
        "day",
        "carrier",
        "notice",  # its id: random, and what it is about
        "state",
        "key",  # the id of a day's key pair
        "duty",  # of the keeper
        "request",  # the kind of a request, never its contents
        "act",  # what was refused to a role
        "role",  # likewise
        "path",  # of a page or form, with the id that it is about; never what was asked or typed
        "count",
        "seconds",
        "away_s",  # how long the store was
        "days",  # how many
        "error",  # an exception's type
        "where",  # its innermost places, file:line function
        "facts",
        "missing",  # how many facts
        "position",  # of a fact
        "seq",  # of an entry of the ledger
        "hash",  # likewise
        "dropped",  # names of fields that stand nowhere above, for whoever wrote the line
    }
)
# What looks like a contact is withheld under whatever name it comes: an address, a telephone number, a LINE id, also
# amid Japanese. Ten or eleven figures that begin with 0, with no hexadecimal letter and no decimal point beside them,
# are a telephone number: no id, hash, time, position or figure of ours looks like that.
_BETWEEN = "[ ()‐-―−ー-]{0,2}"  # what people write between figures, once it is normalised
_ADDRESS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}(?:@|%40)[A-Za-z0-9.-]+\.[A-Za-z]{2,}"
_ABROAD = rf"(?:\+|%2B)81(?:{_BETWEEN}[0-9]){{9,11}}"
_AT_HOME = (
    rf"(?<![0-9A-Fa-f.])0(?=(?:{_BETWEEN}[0-9]){{9,10}}(?![0-9A-Fa-f]))"
    rf"[0-9]{{1,4}}{_BETWEEN}[0-9]{{1,4}}{_BETWEEN}[0-9]{{3,4}}(?![0-9A-Fa-f])"
)
_LINE_ID = r"(?<![0-9A-Za-z])U[0-9a-f]{32}(?![0-9A-Za-z])"
CONTACT = re.compile("|".join((_ADDRESS, _ABROAD, _AT_HOME, _LINE_ID)))
WITHHELD = "?"
PLACES = 12  # frames of a traceback: ours and the library call that failed
FOREIGN_LENGTH = 200  # a library's line; what follows the first line end often prints objects


def set_up(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """From now on everything that is logged, by us or by a library, becomes such a line. May be repeated."""
    ours: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        tell_exception,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *ours,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*ours, shorten],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                allow,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells each look at the tables
    for noisy in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)  # their information is addresses of residents


def allow(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Only fields from the list, without what looks like a contact; the names of the others are told."""
    dropped = sorted(event.keys() - FIELDS)
    kept = {
        name: without_contact(value) if isinstance(value, str) else value
        for name, value in event.items()
        if name in FIELDS
    }
    return kept | {"dropped": dropped} if dropped else kept


def without_contact(text: str) -> str:
    """As it is; where something looks like a contact, also in wide letters, the plain text without that."""
    plain = unicodedata.normalize("NFKC", text)
    return CONTACT.sub(WITHHELD, plain) if CONTACT.search(plain) else text


def tell_exception(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """An exception as its type and places, without its words."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = " < ".join(_types(error))
        event["where"] = _places(error.__traceback__)
    return event


def shorten(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A library's message: its first line."""
    lines = str(event.get("event", "")).splitlines()
    event["event"] = lines[0][:FOREIGN_LENGTH] if lines else ""
    return event


def _types(error: BaseException) -> list[str]:
    """Its type, and those of what caused it."""
    names: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(names) < PLACES:
        names.append(type(cause).__name__)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return names


def _places(trace: TracebackType | None) -> list[str]:
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-PLACES:]
