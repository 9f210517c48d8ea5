"""How staff comes in and goes: sign-in, sign-out, the own password; and what every page of staff goes through.

Who asks is known by a cookie, so a form counts from our own pages only. What a role may stands in hub.wire.roles.
Never in an address, a log line or a page that is drawn again: a password.
"""

import asyncio
import time
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hub.desk.refusals import LedgerAway, MustChange, NotAllowed, NotSignedIn, Refusal, SignInBusy, SignInWrong
from hub.edge.access import SESSION_COOKIE, Access, Principal
from hub.edge.answers import status_of
from hub.edge.commands import FAULT
from hub.edge.forms import check_page, own_path, read_form
from hub.edge.guards import Guard
from hub.edge.hashing import Hashing
from hub.edge.tries import MINUTE_S, Tries
from hub.ledger.connection import LedgerUnusable
from hub.ledger.people import People
from hub.wire.roles import Act, Role, may

_log = structlog.get_logger("hub.edge.staff")

# A minute and process. Each account is counted by itself: who guesses at one keeps nobody else out.
SIGN_INS = 60  # of one account; a practice office has one for all of its counters
STRANGERS = 60  # of all names without an account: what is compared for them is nobody's loss
NAME_SHOWN = 64  # letters of what was typed as a name that are shown again
REPLACED = "replaced"  # why a session was ended
UNLIKE = "新しいパスワードが 2 回とも同じになるように入れてください。"
OLD_WRONG = "いまのパスワードが違います。もう一度入れてください。"

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
Show: TypeAlias = Callable[[Request, Principal], Awaitable[Response]]
Do: TypeAlias = Callable[[Mapping[str, str], Principal], Awaitable[Response]]
ShowAgain: TypeAlias = Callable[[Mapping[str, str], Principal, Refusal], Awaitable[Response]]


class Pages(Protocol):
    """The pages of everybody who signs in. What was typed comes back with a refusal."""

    def sign_in(
        self, *, then: str, is_first: bool, name: str = "", news: str = "", refusal: str = "", status: int = 200
    ) -> Response: ...
    def password(
        self, viewer: Principal, *, is_done: bool = False, refusal: str = "", status: int = 200
    ) -> Response: ...
    def refused(self, viewer: Principal | None, refusal: str, status: int) -> Response: ...


class Staff:
    """One hub's, on the inside listener only. Other pages of staff are built with `page` and `form`."""

    def __init__(
        self,
        people: People,
        access: Access,
        hashing: Hashing,
        pages: Pages,
        guard: Guard,
        *,
        is_secure: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.access, self.hashing = access, hashing
        self._people, self._pages, self._guard, self._is_secure = people, pages, guard, is_secure
        self._tries = Tries(SIGN_INS, MINUTE_S, monotonic)
        self._strangers = Tries(STRANGERS, MINUTE_S, monotonic)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/sign-in", self._sign_in_page, methods=["GET"]),
            Route("/sign-in", self._open_form(self._sign_in), methods=["POST"]),
            Route("/sign-out", to("/sign-in"), methods=["GET"]),
            Route("/sign-out", self._open_form(self._sign_out), methods=["POST"]),
            Route("/password", self.page(None, self._password_page), methods=["GET"]),
            Route("/password", self._open_form(self._change_password), methods=["POST"]),
            Route("/session/here", self._here, methods=["POST"]),
        ]

    def page(self, act: Act | None, show: Show) -> Endpoint:
        """GET of a page for who is signed in and may `act`; None: everybody who is signed in, also to change a
        password that was given.
        """

        async def answer(request: Request) -> Response:
            viewer = await self._let_in(request, act)
            return await show(request, viewer)

        return self._answering(answer, _path_of)

    def form(self, act: Act, back: str, do: Do, again: ShowAgain) -> Endpoint:
        """POST of a form by who may `act`. `again` draws the page with the refusal; `back` is the page's own path."""

        async def answer(request: Request) -> Response:
            check_page(request, self._guard)
            viewer = await self._let_in(request, act)
            fields = await read_form(request)
            try:
                return await do(fields, viewer)
            except Refusal as refusal:
                return await again(fields, viewer, refusal)

        return self._answering(answer, lambda request: back)

    async def _let_in(self, request: Request, act: Act | None) -> Principal:
        """Raises NotSignedIn, MustChange, NotAllowed, LedgerAway."""
        viewer = await self.access.person(request, is_used=True)
        if viewer is None:
            raise NotSignedIn
        if act is None:
            return viewer
        if viewer.must_change:
            raise MustChange
        if not may(viewer.role, act):
            self.access.refused(viewer, act)
            raise NotAllowed
        return viewer

    # ------------------------------------------------------------------------------------------ sign-in and sign-out

    async def _sign_in_page(self, request: Request) -> Response:
        then = own_path(request.query_params.get("next", ""))
        try:
            viewer = await self.access.person(request, is_used=False)
            is_first = await asyncio.to_thread(self._people.is_empty)
        except Refusal as refusal:
            return self._pages.sign_in(then=then, is_first=False, refusal=refusal.sentence, status=status_of(refusal))
        if viewer is not None:
            return _go("/password" if viewer.must_change else onward(viewer.role, then))
        news = "サインアウトしました。" if request.query_params.get("done") == "out" else ""
        return self._pages.sign_in(then=then, is_first=is_first, news=news)

    async def _sign_in(self, request: Request, fields: Mapping[str, str]) -> Response:
        typed, then = fields.get("name", ""), own_path(fields.get("next", ""))
        try:
            name = unicodedata.normalize("NFKC", typed).strip().lower()
            if not await asyncio.to_thread(self._people.is_known, name):
                if not self._strangers.take(""):
                    raise SignInWrong  # as it would be found to be
            elif not self._tries.take(name):
                raise SignInBusy
            signed_in = await self.hashing.run(self._people.sign_in, name, fields.get("password", ""))
            held = request.cookies.get(SESSION_COOKIE)
            if held:
                await asyncio.to_thread(self._people.sign_out, held, REPLACED)  # one browser, one session
        except Refusal as refusal:
            shown = typed[:NAME_SHOWN] if typed.isprintable() else ""
            return self._pages.sign_in(
                then=then, is_first=False, name=shown, refusal=refusal.sentence, status=status_of(refusal)
            )
        person = signed_in.person
        return self._with_session(
            _go("/password" if person.must_change else onward(person.role, then)), signed_in.token
        )

    async def _sign_out(self, request: Request, fields: Mapping[str, str]) -> Response:
        held = request.cookies.get(SESSION_COOKIE)
        if held:
            await asyncio.to_thread(self._people.sign_out, held)
        response = _go("/sign-in?done=out")
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict", secure=self._is_secure)
        return response

    # -------------------------------------------------------------------------------------------------- the password

    async def _password_page(self, request: Request, viewer: Principal) -> Response:
        return self._pages.password(viewer, is_done=request.query_params.get("done") == "changed")

    async def _change_password(self, request: Request, fields: Mapping[str, str]) -> Response:
        viewer = await self._let_in(request, None)
        old, new = fields.get("old", ""), fields.get("new", "")
        if new != fields.get("again", ""):
            return self._pages.password(viewer, refusal=UNLIKE, status=400)
        try:
            if not self._tries.take(viewer.who):
                raise SignInBusy
            held = request.cookies.get(SESSION_COOKIE, "")
            token = await self.hashing.run(self._people.change_password, held, old, new)
        except NotSignedIn:
            raise
        except SignInWrong as refusal:
            return self._pages.password(viewer, refusal=OLD_WRONG, status=status_of(refusal))
        except Refusal as refusal:
            return self._pages.password(viewer, refusal=refusal.sentence, status=status_of(refusal))
        return self._with_session(_go("/password?done=changed"), token)

    # ---------------------------------------------------------------------------------------------------- still here

    async def _here(self, request: Request) -> Response:
        """Somebody sits there: 204; 401 where the session is over."""
        try:
            check_page(request, self._guard)
            viewer = await self.access.person(request, is_used=True)
        except Refusal as refusal:
            return Response(status_code=status_of(refusal))
        return Response(status_code=401 if viewer is None else 204)

    def _open_form(self, do: Callable[[Request, Mapping[str, str]], Awaitable[Response]]) -> Endpoint:
        """POST of a form that finds out itself who asks."""

        async def answer(request: Request) -> Response:
            check_page(request, self._guard)
            return await do(request, await read_form(request))

        return self._answering(answer, lambda request: "/password")

    def _answering(self, answer: Endpoint, back: Callable[[Request], str]) -> Endpoint:
        """What is refused as a page; `back` is where a sign-in leads."""

        async def endpoint(request: Request) -> Response:
            try:
                return await answer(request)
            except NotSignedIn:
                return _go(f"/sign-in?next={quote(back(request), safe='/')}")
            except MustChange:
                return _go("/password")
            except Refusal as refusal:
                return await self._refuse(request, refusal.sentence, status_of(refusal))
            except LedgerUnusable:
                return self._pages.refused(None, LedgerAway.sentence, 503)
            except Exception:
                _log.exception("request failed", path=request.url.path)
                return self._pages.refused(None, FAULT.sentence, 500)

        return endpoint

    async def _refuse(self, request: Request, sentence: str, status: int) -> Response:
        """With the ways that are open to who asks, where that can be known."""
        try:
            viewer = await self.access.person(request, is_used=False)
        except Refusal:
            viewer = None
        return self._pages.refused(viewer, sentence, status)

    def _with_session(self, response: Response, token: str) -> Response:
        response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="strict", secure=self._is_secure)
        return response


def home_of(role: Role) -> str:
    """Where somebody of this role begins."""
    if may(role, Act.OPEN_DESK):
        return "/desk"
    return "/admin" if may(role, Act.SEE_ADMIN) else "/password"


def onward(role: Role, then: str) -> str:
    """`then`, or home: also in place of the desk, whose address everybody knows, where it is not for this role."""
    is_desk = then.partition("?")[0] == "/desk"
    return then if then and (may(role, Act.OPEN_DESK) or not is_desk) else home_of(role)


def to(path: str) -> Endpoint:
    """Whoever loads the address of a form anew comes to its page."""

    async def endpoint(request: Request) -> Response:
        return _go(path)

    return endpoint


def _go(path: str) -> Response:
    return RedirectResponse(path, 303)


def _path_of(request: Request) -> str:
    query = request.url.query
    return own_path(request.url.path + (f"?{query}" if query else "")) or own_path(request.url.path)
