"""A contact that somebody puts where none may be is caught: in a log line, a fact, a job, the ledger, a page."""

import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import pytest
import structlog
from rq.exceptions import NoSuchJobError

from config import logs
from hub.desk.facts import FACTS, ContactErased, ContactGiven, ContactUsed, TicketCalled
from hub.ledger.kept import KEPT, NOTED, NotKept, kept_note, kept_of
from hub.ledger.tables import METADATA
from hub.store.keys import Keys
from tests.house.documents import ROOT
from workers.jobs import FUNCTION, wake_up_for

PLANTED = [
    "taro..yamada@docomo.ne.jp",
    "ｔａｒｏ＠ｄｏｃｏｍｏ．ｎｅ．ｊｐ",
    "090-1234-5678",
    "09012345678",
    "+819012345678",
    "03-1234-5678",
    "0312345678",
    "０３－１２３４－５６７８",
    "０９０１２３４５６７８",
    "U" + "4af49806" * 4,
]
LIKE_A_CONTACT = re.compile(r"address|mail|phone|tel(?:ephone)?$|line_id|contact$|user_agent|remote|^ip$|^to$|plain")
TEMPLATES = sorted([*ROOT.glob("web/templates/*.html"), ROOT / "kiosk_client" / "screen" / "page.html"])


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level, written = root.handlers, root.level, io.StringIO()
    logs.set_up(written)
    yield written
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


@pytest.mark.parametrize("contact", PLANTED)
def test_a_line_of_the_log_tells_no_contact_under_any_name(stream: io.StringIO, contact: str) -> None:
    log = structlog.get_logger("hub.somewhere")
    log.error("notice not sent", to=contact, why=f"550 {contact} unknown", notice=contact, code=contact)
    log.error(f"sent to {contact}")
    logging.getLogger("aiosmtplib").error("refused: %s", contact)
    text = stream.getvalue()
    assert contact not in text
    assert len(text.splitlines()) == 3


def test_what_lines_need_is_not_taken_for_a_contact(stream: io.StringIO) -> None:
    told = {"day": "2026-11-24", "position": "1795708680911-0", "key": "0123456789abcdef", "hash": "09" * 32}
    structlog.get_logger("hub.somewhere").info("key destroyed", **told)
    assert told.items() <= json.loads(stream.getvalue()).items()


def test_no_fact_no_entry_and_no_table_has_a_field_for_a_contact() -> None:
    told = {field.name for kind in FACTS.values() for field in fields(kind)}
    told |= {name for names in (*KEPT.values(), *NOTED.values()) for name in names}
    told |= {column.name for table in METADATA.sorted_tables for column in table.columns}
    told |= set(logs.FIELDS)
    assert {name for name in told if LIKE_A_CONTACT.search(name)} == set()
    assert LIKE_A_CONTACT.search("mail_address"), "the looking itself must see something"


@pytest.mark.parametrize("contact", PLANTED)
def test_a_contact_in_a_fact_is_not_kept(contact: str) -> None:
    stamp: dict[str, Any] = {"at": 1, "who": contact, "request": contact}
    given = ContactGiven(**stamp, arrival=1, carrier=contact, subscription=contact, ahead=1, purpose=contact)
    about: dict[str, Any] = {"carrier": contact, "subscription": contact, "trigger": contact, "outcome": contact}
    used = ContactUsed(**stamp, arrival=1, **about, times=1)
    erased = ContactErased(**stamp, arrival=1, carrier=contact, subscription=contact, ending=contact)
    called = TicketCalled(**stamp, arrival=1, number=contact, lane=contact, counter=contact)
    for fact in (given, used, erased, called):
        assert contact not in kept_of(fact).values(), fact


@pytest.mark.parametrize("contact", PLANTED)
@pytest.mark.parametrize("kind", NOTED)
def test_a_contact_in_a_note_is_not_kept(kind: str, contact: str) -> None:
    assert contact not in kept_note(kind, dict.fromkeys(NOTED[kind], contact)).values()
    with pytest.raises(NotKept):
        kept_note(kind, {**dict.fromkeys(NOTED[kind], ""), "contact": contact})


@pytest.mark.parametrize("contact", PLANTED)
def test_a_job_that_carries_a_contact_is_no_job(contact: str) -> None:
    made = wake_up_for(lambda: None)
    planted: list[list[Any]] = [
        [FUNCTION, None, [contact], {}],
        [FUNCTION, None, ["email", contact], {}],
        [FUNCTION, None, ["email"], {"to": contact}],
        [contact, None, ["email"], {}],
    ]
    for words in planted:
        job = made.__new__(made)
        job._id, job.connection, job.serializer = "one", cast(Any, None), json  # type: ignore[assignment]
        with pytest.raises(NoSuchJobError):
            job.restore({b"data": json.dumps(words).encode(), b"created_at": b"2026-11-24T00:00:00.000000Z"})


def test_no_name_of_a_key_has_a_place_for_a_contact() -> None:
    import inspect

    for name, method in inspect.getmembers(Keys, inspect.isfunction):
        wanted = set(inspect.signature(method).parameters) - {"self"}
        known = {"day", "lane", "arrival", "state", "carrier", "subscription"}
        known |= {"code", "event"}  # the SHA-256 of a random code; LINE's own id of something that happened
        assert name.startswith("_") or wanted <= known


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_browser_keeps_nothing_that_residents_type(path: Path) -> None:
    """Accounts of staff excepted, which a password manager may know."""
    for tag in re.findall(r"<input[^>]*>", path.read_text(encoding="utf-8")):
        is_typed = not re.search(r'type="(?:hidden|radio|checkbox|submit|range)"', tag)
        if is_typed and path.stem not in ("sign_in", "password"):
            assert 'autocomplete="off"' in tag, tag
