"""What an auditor asks about contacts over HTTP: what became of each on a day, a certificate for a month, whether the
ledger was touched, and the ledger itself to take along. It holds no rule, and knows a contact by its random id alone.
"""

import asyncio
import io
import re
import secrets
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub.desk.refusals import BadMessage, LedgerAway, MonthNotOver, Refusal
from hub.edge.access import Principal
from hub.edge.answers import status_of
from hub.edge.staff import Staff
from hub.ledger.audits import Audits
from hub.ledger.certificate import Certified, certify
from hub.ledger.connection import LedgerUnusable
from hub.ledger.erasures import Erasures, Handled
from hub.ledger.export import VERIFIER, export
from hub.ledger.journal import Author, tokyo_day
from hub.ledger.operations import Ledger
from hub.ledger.people import People, Person
from hub.ledger.taken import CERTIFICATE, WHOLE, note_taken
from hub.ledger.verifying import Verdict, verify
from hub.wire.roles import Act

PATH = "/audit/contacts"
REQUEST_BYTES = 16
LONGEST_LINE = 80  # of what stands on a paper
WIDE_SPACE = "\N{IDEOGRAPHIC SPACE}"  # as between a title and 様
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)


class Pages(Protocol):
    """`verdict`: of the walk that was asked for, None otherwise. `is_owed`: no audit in this fiscal year."""

    def contacts(
        self,
        viewer: Principal,
        day: str,
        handled: Sequence[Handled],
        *,
        today: str,
        is_owed: bool,
        verdict: Verdict | None = None,
        refusal: str = "",
        status: int = 200,
    ) -> Response: ...

    def steps(self, steps: AsyncIterator[tuple[int, int] | Verdict | Refusal]) -> Response: ...

    def certificate(
        self, facts: Certified, people: Sequence[Person], *, issued: str, issuer: str, addressee: str
    ) -> Response: ...


class Auditing:
    """One hub's, on the inside listener only. `now_ms` is real time."""

    def __init__(
        self, staff: Staff, ledger: Ledger, people: People, pages: Pages, *, now_ms: Callable[[], int]
    ) -> None:
        self._staff, self._ledger, self._people, self._pages = staff, ledger, people, pages
        self._now_ms = now_ms

    def routes(self) -> list[BaseRoute]:
        page, act = self._staff.page, Act.SEE_OPERATIONS
        return [
            Route(PATH, page(act, self._see), methods=["GET"]),
            Route(f"{PATH}/verify", self._staff.form(act, PATH, self._verify, self._again), methods=["POST"]),
            Route(
                f"{PATH}/verify/steps", self._staff.form(act, PATH, self._verify_aloud, self._again), methods=["POST"]
            ),
            Route(f"{PATH}/certificate", page(act, self._certificate), methods=["GET"]),
            Route(f"{PATH}/ledger.zip", page(act, self._export), methods=["GET"]),
        ]

    async def _see(self, request: Request, viewer: Principal) -> Response:
        day = request.query_params.get("day", "").strip()
        if day and not _is_day(day):
            return await self._draw(viewer, refusal=BadMessage.sentence, status=400)
        return await self._draw(viewer, day)

    async def _verify(self, fields: Mapping[str, str], viewer: Principal) -> Response:
        verdict = await asyncio.to_thread(self._verdict)
        return await self._draw(viewer, verdict=verdict)

    async def _verify_aloud(self, fields: Mapping[str, str], viewer: Principal) -> Response:
        """The same, telling how far it has come."""
        return self._pages.steps(self._steps())

    async def _steps(self) -> AsyncIterator[tuple[int, int] | Verdict | Refusal]:
        """(entries walked, of how many), and at last what was found. Raises nothing: the answer has begun."""
        heard: asyncio.Queue[int | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def hear(seq: int) -> None:
            loop.call_soon_threadsafe(heard.put_nowait, seq)

        walking = asyncio.create_task(asyncio.to_thread(self._verdict, hear))
        walking.add_done_callback(lambda _: heard.put_nowait(None))
        try:
            whole = (await asyncio.to_thread(self._ledger.end) or (0, ""))[0]
            while (seq := await heard.get()) is not None:
                yield seq, max(whole, seq)
            yield await walking
        except LedgerUnusable:
            yield LedgerAway()

    async def _again(self, fields: Mapping[str, str], viewer: Principal, refusal: Refusal) -> Response:
        return await self._draw(viewer, refusal=refusal.sentence, status=status_of(refusal))

    async def _certificate(self, request: Request, viewer: Principal) -> Response:
        """Of one month that is over today, as PDF. Raises BadMessage."""
        asked = {
            name: request.query_params.get(name, "").strip() for name in ("month", "issued", "issuer", "addressee")
        }
        if not _MONTH.fullmatch(asked["month"]) or not _is_day(f"{asked['month']}-01") or not _is_day(asked["issued"]):
            raise BadMessage
        for line in (asked["issuer"], asked["addressee"]):
            if not line or len(line) > LONGEST_LINE or not line.replace(WIDE_SPACE, " ").isprintable():
                raise BadMessage
        first = date.fromisoformat(f"{asked['month']}-01")
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        if last.isoformat() >= tokyo_day(self._now_ms()) or asked["issued"] < last.isoformat():
            return await self._draw(viewer, refusal=MonthNotOver.sentence, status=status_of(MonthNotOver()))
        await self._note(CERTIFICATE, viewer, first.isoformat(), last.isoformat())
        facts = await asyncio.to_thread(certify, self._ledger, first.isoformat(), last.isoformat())
        people = await asyncio.to_thread(self._people.list)
        words = {name: asked[name] for name in ("issued", "issuer", "addressee")}
        return await asyncio.to_thread(lambda: self._pages.certificate(facts, people, **words))

    async def _export(self, request: Request, viewer: Principal) -> Response:
        await self._note(WHOLE, viewer)
        data = await asyncio.to_thread(self._zipped)
        headers = {"Content-Disposition": 'attachment; filename="ledger.zip"'}
        return Response(data, media_type="application/zip", headers=headers)

    async def _note(self, what: str, viewer: Principal, first_day: str = "", last_day: str = "") -> None:
        by, at = Author(viewer.who, secrets.token_urlsafe(REQUEST_BYTES)), self._now_ms()
        await asyncio.to_thread(note_taken, self._ledger, what, by, at, first_day=first_day, last_day=last_day)

    def _zipped(self) -> bytes:
        """The whole ledger, and the program that verifies it."""
        told = io.BytesIO()
        with tempfile.TemporaryDirectory(prefix="junban-") as folder:
            export(self._ledger, Path(folder, "ledger.jsonl"))
            with zipfile.ZipFile(told, "w", zipfile.ZIP_DEFLATED) as archive:
                for name in ("ledger.jsonl", VERIFIER):
                    archive.write(Path(folder, name), name)
        return told.getvalue()

    def _verdict(self, on_step: Callable[[int], None] = lambda seq: None) -> Verdict:
        return verify(self._ledger, [kept[:3] for kept in self._ledger.heads()], on_step)

    async def _draw(
        self, viewer: Principal, day: str = "", *, verdict: Verdict | None = None, refusal: str = "", status: int = 200
    ) -> Response:
        """Without a day: today; in practice, whose days run ahead, the last one in the ledger."""
        now = tokyo_day(self._now_ms())
        today = max(now, await asyncio.to_thread(self._ledger.last_day))
        handled = await asyncio.to_thread(Erasures(self._ledger).handled, day or today, day or today)
        is_owed = await asyncio.to_thread(Audits(self._ledger).is_owed, now)
        return self._pages.contacts(
            viewer, day or today, handled, today=today, is_owed=is_owed, verdict=verdict, refusal=refusal, status=status
        )


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False
