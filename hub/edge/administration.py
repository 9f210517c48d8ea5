"""What staff administers over HTTP: designated handlers, devices, and the operations log to read. It holds no rule.

Each form says what it is about by fields; the answer is the page anew, or the page with the refusal and what was typed.
A one-time password is shown once, on the answer to its form.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hub.desk.refusals import BadMessage, CodeTries, Refusal, UnknownCode, UnknownPerson
from hub.edge.access import Principal
from hub.edge.answers import status_of
from hub.edge.staff import Show, Staff, to
from hub.edge.tries import Tries
from hub.ledger.devices import Device, Devices, Waiting
from hub.ledger.journal import Author
from hub.ledger.kept import NAME
from hub.ledger.log import Log, LogPage
from hub.ledger.people import People, Person
from hub.wire.roles import PEOPLE, Act, Role

WRONG_CODES, CODES_SECONDS = 5, 600.0  # an author: forty bits stay out of reach
LONGEST_FIELD = 80  # of what is typed again into a page
SIGNED_OUT_BY = "by_staff"
FILTERS = ("day", "who", "type")
_NAME = re.compile(NAME, re.ASCII)
_WHO = re.compile(r"[a-z][a-z0-9:._-]{0,63}", re.ASCII)
_TYPE = re.compile(r"[A-Za-z]{1,40}", re.ASCII)
_SEQ = re.compile(r"[0-9]{1,15}", re.ASCII)
WRONG_FILTER = "絞り込みの日付などを読み取れません。入れ直してください。"

Fields = Mapping[str, str]


class Pages(Protocol):
    """`typed`: what the form had. `given`: (account, one-time password), never drawn a second time."""

    def admin(self, viewer: Principal) -> Response: ...
    def people(
        self,
        viewer: Principal,
        people: Sequence[Person],
        *,
        now_ms: int,
        news: str = "",
        refusal: str = "",
        typed: Fields | None = None,
        given: tuple[str, str] | None = None,
        status: int = 200,
    ) -> Response: ...
    def person(
        self,
        viewer: Principal,
        person: Person,
        *,
        now_ms: int,
        refusal: str = "",
        typed: Fields | None = None,
        status: int = 200,
    ) -> Response: ...
    def devices(
        self,
        viewer: Principal,
        devices: Sequence[Device],
        waiting: Sequence[Waiting],
        *,
        now_ms: int,
        news: str = "",
        refusal: str = "",
        typed: Fields | None = None,
        status: int = 200,
    ) -> Response: ...
    def audit(
        self,
        viewer: Principal,
        page: LogPage,
        people: Sequence[Person],
        asked: Fields,
        *,
        refusal: str = "",
        status: int = 200,
    ) -> Response: ...


class Administration:
    """One hub's, on the inside listener only. `now_ms` is real time."""

    def __init__(
        self,
        staff: Staff,
        people: People,
        devices: Devices,
        log: Log,
        pages: Pages,
        *,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._staff, self._people, self._devices, self._log, self._pages = staff, people, devices, log, pages
        self._now_ms = now_ms
        self._wrong = Tries(WRONG_CODES, CODES_SECONDS, monotonic)

    def routes(self) -> list[BaseRoute]:
        staff = self._staff
        shown: dict[str, tuple[Act, Show]] = {
            "/admin": (Act.SEE_ADMIN, self._see_admin),
            "/admin/people": (Act.SEE_PEOPLE, self._see_people),
            "/admin/devices": (Act.SEE_DEVICES, self._see_devices),
            "/audit": (Act.SEE_OPERATIONS, self._see_log),
        }
        of_people = {
            "add": (Act.CHANGE_PEOPLE, self._add, self._people_again),
            "change": (Act.CHANGE_PEOPLE, self._change, self._person_again),
            "end": (Act.CHANGE_PEOPLE, self._end, self._person_again),
            "restore": (Act.CHANGE_PEOPLE, self._restore, self._person_again),
            "reset": (Act.CHANGE_PEOPLE, self._reset, self._person_again),
            "unlock": (Act.UNLOCK_PEOPLE, self._unlock, self._person_again),
            "sign-out": (Act.UNLOCK_PEOPLE, self._sign_out, self._person_again),
        }
        of_devices = {"let-in": (Act.CHANGE_DEVICES, self._let_in), "revoke": (Act.CHANGE_DEVICES, self._revoke)}
        routes: list[BaseRoute] = [
            Route(path, staff.page(act, show), methods=["GET"]) for path, (act, show) in shown.items()
        ]
        for name, (act, do, again) in of_people.items():
            path = f"/admin/people/{name}"
            routes.append(Route(path, staff.form(act, "/admin/people", do, again), methods=["POST"]))
            routes.append(Route(path, to("/admin/people"), methods=["GET"]))
        for name, (act, do) in of_devices.items():
            path = f"/admin/devices/{name}"
            routes.append(Route(path, staff.form(act, "/admin/devices", do, self._devices_again), methods=["POST"]))
            routes.append(Route(path, to("/admin/devices"), methods=["GET"]))
        return routes

    async def _see_admin(self, request: Request, viewer: Principal) -> Response:
        return self._pages.admin(viewer)

    # -------------------------------------------------------------------------------------------------------- people

    async def _see_people(self, request: Request, viewer: Principal) -> Response:
        people = await asyncio.to_thread(self._people.list)
        name = request.query_params.get("name")
        if name is None:
            news = request.query_params.get("done", "")
            return self._pages.people(viewer, people, now_ms=self._now_ms(), news=news)
        return self._pages.person(viewer, _named(people, name), now_ms=self._now_ms())

    async def _add(self, fields: Fields, viewer: Principal) -> Response:
        told = (_field(fields, "name"), _field(fields, "shown"), _role(fields), *_dates(fields))
        password = await self._staff.hashing.run(self._people.add, *told, _author(viewer))
        return await self._given(viewer, told[0], password)

    async def _change(self, fields: Fields, viewer: Principal) -> Response:
        designated, trained = _dates(fields)

        def change() -> None:
            self._people.change(
                _name(fields),
                shown=_field(fields, "shown"),
                role=_role(fields),
                designated=designated,
                trained=trained,
                by=_author(viewer),
            )

        await asyncio.to_thread(change)
        return _done("/admin/people", "changed")

    async def _reset(self, fields: Fields, viewer: Principal) -> Response:
        name = _name(fields)
        password = await self._staff.hashing.run(self._people.reset_password, name, _author(viewer))
        return await self._given(viewer, name, password)

    async def _end(self, fields: Fields, viewer: Principal) -> Response:
        await asyncio.to_thread(self._people.end, _name(fields), _author(viewer))
        return _done("/admin/people", "ended")

    async def _restore(self, fields: Fields, viewer: Principal) -> Response:
        await asyncio.to_thread(self._people.restore, _name(fields), _author(viewer))
        return _done("/admin/people", "restored")

    async def _unlock(self, fields: Fields, viewer: Principal) -> Response:
        await asyncio.to_thread(self._people.unlock, _name(fields), _author(viewer))
        return _done("/admin/people", "unlocked")

    async def _sign_out(self, fields: Fields, viewer: Principal) -> Response:
        await asyncio.to_thread(self._people.end_sessions, _name(fields), _author(viewer), SIGNED_OUT_BY)
        return _done("/admin/people", "signed-out")

    async def _given(self, viewer: Principal, name: str, password: str) -> Response:
        people = await asyncio.to_thread(self._people.list)
        return self._pages.people(viewer, people, now_ms=self._now_ms(), given=(name, password))

    async def _people_again(self, fields: Fields, viewer: Principal, refusal: Refusal) -> Response:
        people = await asyncio.to_thread(self._people.list)
        return self._pages.people(
            viewer,
            people,
            now_ms=self._now_ms(),
            refusal=refusal.sentence,
            typed=_typed(fields),
            status=status_of(refusal),
        )

    async def _person_again(self, fields: Fields, viewer: Principal, refusal: Refusal) -> Response:
        people = await asyncio.to_thread(self._people.list)
        person = next((person for person in people if person.name == fields.get("name")), None)
        if person is None:
            return await self._people_again(fields, viewer, refusal)
        return self._pages.person(
            viewer,
            person,
            now_ms=self._now_ms(),
            refusal=refusal.sentence,
            typed=_typed(fields) if "shown" in fields else None,
            status=status_of(refusal),
        )

    # ------------------------------------------------------------------------------------------------------- devices

    async def _see_devices(self, request: Request, viewer: Principal) -> Response:
        return await self._draw_devices(viewer, news=request.query_params.get("done", ""))

    async def _let_in(self, fields: Fields, viewer: Principal) -> Response:
        if not self._wrong.take(viewer.who):
            raise CodeTries
        try:
            await asyncio.to_thread(
                self._devices.let_in, _field(fields, "code"), _field(fields, "place"), _author(viewer)
            )
        except UnknownCode:
            raise
        except Refusal:
            self._wrong.give_back(viewer.who)
            raise
        self._wrong.give_back(viewer.who)
        return _done("/admin/devices", "let-in")

    async def _revoke(self, fields: Fields, viewer: Principal) -> Response:
        await asyncio.to_thread(self._devices.revoke, _field(fields, "device"), _author(viewer))
        return _done("/admin/devices", "revoked")

    async def _devices_again(self, fields: Fields, viewer: Principal, refusal: Refusal) -> Response:
        return await self._draw_devices(
            viewer, refusal=refusal.sentence, typed=_typed(fields), status=status_of(refusal)
        )

    async def _draw_devices(
        self, viewer: Principal, *, news: str = "", refusal: str = "", typed: Fields | None = None, status: int = 200
    ) -> Response:
        devices = await asyncio.to_thread(self._devices.list)
        waiting = await asyncio.to_thread(self._devices.waiting)
        return self._pages.devices(
            viewer, devices, waiting, now_ms=self._now_ms(), news=news, refusal=refusal, typed=typed, status=status
        )

    # ----------------------------------------------------------------------------------------------------- operations

    async def _see_log(self, request: Request, viewer: Principal) -> Response:
        asked = {name: request.query_params.get(name, "").strip() for name in (*FILTERS, "before")}
        people = await asyncio.to_thread(self._people.list)
        if not _is_filter(asked):
            nothing, typed = LogPage((), None, 0), _typed(asked)
            return self._pages.audit(viewer, nothing, people, typed, refusal=WRONG_FILTER, status=400)
        before = int(asked["before"]) if asked["before"] else None
        page = await asyncio.to_thread(
            self._log.page, asked["day"] or None, asked["who"] or None, asked["type"] or None, before
        )
        return self._pages.audit(viewer, page, people, asked)


def _author(viewer: Principal) -> Author:
    return Author(viewer.who, secrets.token_urlsafe(16))


def _named(people: Sequence[Person], name: str) -> Person:
    for person in people:
        if person.name == name:
            return person
    raise UnknownPerson


def _field(fields: Fields, name: str) -> str:
    """Raises BadMessage where the form lacks it."""
    text = fields.get(name)
    if text is None:
        raise BadMessage
    return text.strip()


def _name(fields: Fields) -> str:
    """The account that a form of our own names. Raises UnknownPerson."""
    name = _field(fields, "name")
    if _NAME.fullmatch(name) is None:
        raise UnknownPerson
    return name


def _role(fields: Fields) -> Role:
    text = _field(fields, "role")
    for role in PEOPLE:
        if role == text:
            return role
    raise BadMessage


def _dates(fields: Fields) -> tuple[str, str]:
    return _field(fields, "designated"), _field(fields, "trained")


def _typed(fields: Fields) -> Fields:
    """What a page may show again: no password, nothing unseen, nothing long."""
    return {name: text[:LONGEST_FIELD] for name, text in fields.items() if name != "password" and text.isprintable()}


def _is_filter(asked: Fields) -> bool:
    if asked["day"]:
        try:
            if date.fromisoformat(asked["day"]).isoformat() != asked["day"]:
                return False
        except ValueError:
            return False
    shapes = {"who": _WHO, "type": _TYPE, "before": _SEQ}
    return all(not asked[name] or shape.fullmatch(asked[name]) for name, shape in shapes.items())


def _done(path: str, what: str) -> Response:
    return RedirectResponse(f"{path}?done={what}", 303)
