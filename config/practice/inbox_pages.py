"""What the practice inbox shows: the mails that arrived, and the slips of a ticket machine without paper.

For this machine's own browser alone. Nothing of a mail is drawn but its letters; no page loads anything from elsewhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from config.practice.deliveries import Deliveries, delivery_routes
from config.practice.inbox import Inbox, Mail
from config.practice.line_stand_in import LineStandIn
from config.practice.phone_stand_in import PhoneStandIn
from hub.edge.headers import SecurityHeaders
from kiosk_client.screen.own_browser import OwnBrowserOnly
from web.pages import static_routes

HERE = Path(__file__).parent
TOKYO = ZoneInfo("Asia/Tokyo")
NO_REFERRER = {"Referrer-Policy": "no-referrer"}  # a ticket's page need not learn where it was opened
WITH_FORMS = ("line.html", "phone.html")  # a form without a referrer names no page, and is refused
SLIPS_SHOWN = 60
PEOPLE = {"U" + f"{number:032x}": name for number, name in ((1, "練習 花子"), (2, "練習 太郎"), (3, "Practice Alex"))}
RELOAD_SECONDS = 10  # without JavaScript
NEWER_THAN = re.compile(r"([0-9a-f]{16})-([0-9]{1,9})", re.ASCII)

_LINK = re.compile(r"https?://[^\s<>\"'「」、。（）]+", re.ASCII)
_SLIP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[A-Z]{0,3}[0-9]{1,9}", re.ASCII)  # the day and the number

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class SlipFile:
    """One slip as the machine has left it: its picture is `NAME.png`, `url` opens its ticket."""

    name: str
    number: str
    made_at: datetime
    url: str


@dataclass(frozen=True, slots=True)
class StandIns:
    """The other carriers, where they are played here. `deliveries`: what both took, where both are."""

    line: LineStandIn | None = None
    phone: PhoneStandIn | None = None
    deliveries: Deliveries | None = None


def inbox_app(inbox: Inbox, slips: Path | None, stand_ins: StandIns = StandIns()) -> Starlette:
    """`slips`: where a paper-less ticket machine leaves its slips; None: there is no machine, and no page for it."""
    pages = {
        "has_slips": slips is not None,
        "has_line": stand_ins.line is not None,
        "has_phone": stand_ins.phone is not None,
    }

    async def mails(request: Request) -> Response:
        version = f"{inbox.name}-{inbox.received}"
        shown = [(mail, _clock(mail.received_at), parts_of(mail.text)) for mail in inbox.mails]
        return _page(request, "mails.html", version, mails=shown, received=inbox.received, **pages)

    async def mails_json(request: Request) -> Response:
        """All of them, newest first; `?after=INBOX-ID`: those that came later, all of another inbox."""
        found = NEWER_THAN.fullmatch(request.query_params.get("after", ""))
        after = int(found[2]) if found and found[1] == inbox.name else 0
        told = [as_fields(mail) for mail in inbox.mails if mail.id > after]
        return JSONResponse({"inbox": inbox.name, "received": inbox.received, "mails": told})

    async def slips_page(request: Request) -> Response:
        if slips is None:
            raise HTTPException(404)
        found = slips_in(slips)
        version = f"{found[0].name} {found[0].made_at.timestamp()}" if found else ""
        return _page(request, "slips.html", version, slips=found, **pages)

    async def picture(request: Request) -> Response:
        name = request.path_params["name"]
        path = None if slips is None or not _SLIP.fullmatch(name) else slips / f"{name}.png"
        if path is None or not path.is_file():
            raise HTTPException(404)
        return FileResponse(path)

    others: list[BaseRoute] = []
    if stand_ins.line is not None:
        others += [*stand_ins.line.routes(), *line_routes(stand_ins.line, pages)]
    if stand_ins.phone is not None:
        others += [*stand_ins.phone.routes(), *phone_routes(stand_ins.phone, pages)]
    if stand_ins.line is not None and stand_ins.deliveries is not None:
        others += delivery_routes(stand_ins.deliveries, stand_ins.line)
    return Starlette(
        routes=[
            *others,
            Route("/", mails),
            Route("/mails.json", mails_json),
            Route("/slips", slips_page),
            Route("/slips/{name}.png", picture),
            Mount("/own", StaticFiles(directory=HERE / "static")),
            *static_routes(),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(OwnBrowserOnly)],
    )


def line_routes(line: LineStandIn, pages: Mapping[str, bool]) -> list[BaseRoute]:
    """`/line`: what was said to whom, and somebody to write as."""

    async def chat(request: Request) -> Response:
        said = [(spoken, _clock(spoken.at), parts_of(spoken.text)) for spoken in reversed(line.said)]
        version = f"{len(line.said)} {line.said[-1].at.timestamp() if line.said else 0} {len(line.blocked)}"
        shown = {"said": said, "people": PEOPLE, "blocked": line.blocked, "used": line.used, **pages}
        return _page(request, "line.html", version, **shown)

    async def write(request: Request) -> Response:
        form = await _form(request)
        person, text, does = (form.get(name, "") for name in ("person", "text", "does"))
        if person in PEOPLE:
            if does == "block":
                await line.block(person)
            elif does == "follow":
                await line.follow(person)
            elif text:
                await line.write(person, text)
        return RedirectResponse("/line", 303)

    return [Route("/line", chat, methods=["GET"]), Route("/line", write, methods=["POST"])]


def phone_routes(phone: PhoneStandIn, pages: Mapping[str, bool]) -> list[BaseRoute]:
    """`/phone`: who was written to or called, and what was said; the key can be pressed."""

    async def log(request: Request) -> Response:
        told = [(one, _clock(one.at), parts_of(one.text)) for one in reversed(phone.told)]
        version = f"{len(phone.told)} {phone.told[-1].id if phone.told else ''}"
        return _page(request, "phone.html", version, told=told, **pages)

    async def press(request: Request) -> Response:
        form = await _form(request)
        for one in [one for one in phone.told if one.id == form.get("id") and one.is_call]:
            await phone.press(one, "1")
        return RedirectResponse("/phone", 303)

    return [Route("/phone", log, methods=["GET"]), Route("/phone", press, methods=["POST"])]


def slips_in(folder: Path) -> list[SlipFile]:
    """The last slips, newest first. One that cannot be read, or whose address is none, is left out."""
    found = []
    for picture in folder.glob("*.png"):
        try:
            made_at = datetime.fromtimestamp(picture.stat().st_mtime, TOKYO)
            url = picture.with_suffix(".url").read_text(encoding="ascii").strip()
        except (OSError, UnicodeError):
            continue
        if _SLIP.fullmatch(picture.stem) and _LINK.fullmatch(url):
            found.append(SlipFile(picture.stem, picture.stem.rpartition("-")[2], made_at, url))
    return sorted(found, key=lambda slip: slip.made_at, reverse=True)[:SLIPS_SHOWN]


def parts_of(text: str) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it is an address to open; put together they are the text."""
    parts: list[tuple[str, bool]] = []
    end = 0
    for found in _LINK.finditer(text):
        parts += [(text[end : found.start()], False), (found[0], True)]
        end = found.end()
    return [part for part in [*parts, (text[end:], False)] if part[0]]


def as_fields(mail: Mail) -> dict[str, Any]:
    """A mail for a program."""
    return {
        "id": mail.id,
        "to": list(mail.to),
        "subject": mail.subject,
        "message_id": mail.message_id,
        "received_at": mail.received_at.isoformat(),
        "text": mail.text,
    }


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


def _clock(moment: datetime) -> tuple[str, str]:
    """For people, and for programs."""
    here = moment.astimezone(TOKYO)
    return f"{here:%H:%M:%S}", here.isoformat(timespec="seconds")


def _page(request: Request, template: str, version: str, **told: Any) -> Response:
    """204 for a page that knows this version already: it asks all the time."""
    if request.query_params.get("seen") == version:
        return Response(status_code=204)
    page = _templates.get_template(template).render(version=version, reload=RELOAD_SECONDS, **told)
    return HTMLResponse(page, headers=None if template in WITH_FORMS else NO_REFERRER)
