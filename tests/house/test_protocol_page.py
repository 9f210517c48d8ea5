"""hub/wire/README.md against the code: every example is a frame, every frame has an example, every code its reason."""

import json
import re
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest
from starlette.routing import Route, WebSocketRoute

from config.office_file import PRACTICE_OFFICE, read_office
from hub.desk.refusals import TelephoneUsedUp
from hub.edge.commands import AnyRequest, Commands
from hub.edge.devices import Gate
from hub.edge.guards import Guard
from hub.edge.line import WEBHOOK_BYTES, LineLinks
from hub.edge.practice import practice_routes
from hub.edge.routes import Edge, inside_routes, public_routes
from hub.edge.staff import Staff
from hub.edge.telephones import A_NUMBER, DAY, Telephones
from hub.edge.walls import Walls
from hub.fanout.relay import Relay
from hub.wire import codec, codes
from hub.wire.messages import CLIENT_FRAME_BYTES, Close, DeskRequest, KioskRequest, OfTelephone, WallRequest
from hub.wire.position import Position
from hub.wire.tickets import Notice
from tests.house.documents import ROOT
from web import pages
from web.tickets import ResidentPages

PAGE = (ROOT / "hub" / "wire" / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def examples(title: str) -> list[str]:
    blocks = re.findall(r"```json\n(.*?)```", section(title), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


FRAMES = examples("From the hub")
REQUESTS = examples("To the hub")


def tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def type_of(line: str) -> str:
    return str(json.loads(line)["type"])


@pytest.mark.parametrize("line", FRAMES, ids=type_of)
def test_an_example_from_the_hub_is_a_frame_and_stays_the_same(line: str) -> None:
    frame = codec.read_frame(line)
    assert frame is not None
    assert json.loads(codec.encode(frame)) == json.loads(line)


def test_every_frame_of_the_hub_has_an_example() -> None:
    assert {type_of(line) for line in FRAMES} == codec.KNOWN_TYPES


def test_a_reply_is_shown_with_an_answer_and_with_a_refusal() -> None:
    replies = [set(json.loads(line)) - {"type", "id"} for line in FRAMES if type_of(line) == "reply"]
    assert replies == [{"answer"}, {"answer"}, {"answer"}, {"refusal"}]


def test_the_examples_tell_one_story_without_a_gap() -> None:
    told = [json.loads(line) for line in FRAMES]
    snapshot, *facts = [frame for frame in told if "position" in frame and frame["type"] != "beat"]
    mine = snapshot["position"]
    for fact in facts:
        assert fact["prev"] == mine
        assert Position.parse(fact["position"])
        mine = fact["position"]


@pytest.mark.parametrize("line", REQUESTS, ids=type_of)
def test_an_example_to_the_hub_is_a_request_and_stays_the_same(line: str) -> None:
    told = json.loads(codec.encode(reader_of(line)(line)))
    default: dict[str, Any] = {"lanes": []} if "lanes" in told and "lanes" not in json.loads(line) else {}
    assert told == json.loads(line) | default


def reader_of(line: str) -> Callable[[str], AnyRequest]:
    if type_of(line) == tag(WallRequest):
        return codec.read_wall_request
    of_kiosk = {tag(kind) for kind in OfTelephone.__args__}
    is_kiosk = "code" in json.loads(line) or type_of(line) in of_kiosk
    return codec.read_kiosk_request if is_kiosk else codec.read_desk_request


def test_every_request_has_an_example() -> None:
    kinds = (*DeskRequest.__args__, *KioskRequest.__args__, WallRequest)
    assert {type_of(line) for line in REQUESTS} == {tag(kind) for kind in kinds}


@pytest.mark.parametrize(
    ("socket", "read"), [("kiosk", codec.read_kiosk_request), ("wall/SCREEN", codec.read_wall_request)]
)
def test_what_a_device_may_ask_is_what_the_page_says(socket: str, read: Callable[[str], AnyRequest]) -> None:
    taken = set()
    for line in REQUESTS:
        try:
            read(line)
        except codec.NotAMessage:
            continue
        taken.add(type_of(line))
    (row,) = re.findall(rf"^\| `/ws/{socket}` .* \| (.*) \|$", PAGE, re.MULTILINE)
    assert taken == set(re.findall(r"`(\w+)`", row))


def test_the_close_codes_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (\d{4}) \|.*\| (yes|no)\b", section("Why the hub closes"), re.MULTILINE)
    known = {code for name, code in vars(Close).items() if name.isupper()}
    of_the_server = {1001, 1007, 1011}  # said by uvicorn and wsproto for us
    assert {int(code) for code, _ in rows} == known | of_the_server
    for code, comes_back in rows:
        assert (comes_back == "yes") == (int(code) in (1001, 1011, 1012) or 4000 <= int(code) <= 4099)


def test_the_longest_request_is_as_long_as_the_page_says() -> None:
    assert set(re.findall(r"([\d,]+) bytes", PAGE)) == {f"{CLIENT_FRAME_BYTES:,}"}


def test_the_secret_of_the_examples_has_the_digest_and_the_code_that_the_page_says() -> None:
    told = {json.loads(line)["secret"] for line in REQUESTS if "secret" in json.loads(line)}
    (secret,) = re.findall(r"`([A-Za-z0-9_-]{22})`", section("To the hub"))
    assert secret == codes.secret_text(bytes(range(16)))
    digest = codes.digest_of(secret)
    assert told == {digest, secret}, "a machine that asks for a notice shows the secret itself"
    assert f"`{codes.code_of(digest)}`" in section("To the hub")


def test_the_notices_of_a_ticket_are_shown_as_they_are_told() -> None:
    (line,) = re.findall(r"```\n(\[.*\])\n```", section("A resident's ticket, over HTTP"))
    told = msgspec.json.decode(line, type=list[Notice], strict=True)
    assert json.loads(msgspec.json.encode(told)) == json.loads(line)
    assert json.loads(line)[0].keys() == {field.name for field in msgspec.structs.fields(Notice)}


def test_every_way_in_is_on_the_page() -> None:
    nobody = cast(Any, None)
    routes = [
        *Staff(nobody, nobody, nobody, nobody, Guard()).routes(),
        *Gate(nobody, nobody, Guard(), version="").routes(),
        *practice_routes(nobody, Guard()),
    ]
    made = {route.path for route in routes if isinstance(route, Route) and "POST" in (route.methods or ())}
    assert set(re.findall(r"^\| `(/[^`]*)`", section("Coming in, over HTTP"), re.MULTILINE)) == made


def test_everything_that_carriers_tell_is_on_the_page() -> None:
    line, telephones = object.__new__(LineLinks), object.__new__(Telephones)  # routes are made, nothing is asked
    made = {upper(route.path) for route in (*line.webhook_routes(), *telephones.heard_routes())}
    assert set(re.findall(r"^\| `(/[^`]*)`", section("What carriers tell, over HTTP"), re.MULTILINE)) == made
    assert f"at most {WEBHOOK_BYTES // 1024} KiB, signed" in PAGE
    assert f"three a telephone number and day (`{TelephoneUsedUp.code}`)" in PAGE
    assert (A_NUMBER, DAY) == (3, 24 * 3600)


def test_every_public_page_is_named_by_the_readme() -> None:
    nobody = cast(Any, None)
    office = read_office(PRACTICE_OFFICE)
    routes = [
        *pages.public_routes(nobody, office),
        *ResidentPages(nobody, office, []).routes(),
        *object.__new__(LineLinks).webhook_routes(),
        *object.__new__(Telephones).heard_routes(),
    ]
    told = (ROOT / "README.md").read_text(encoding="utf-8").split("Public pages are ")[1].split("Inside")[0]
    wanted = {upper(route.path) for route in routes if isinstance(route, Route)} - {"/phone/TOKEN/keys"} | {
        "/stop/TOKEN"
    }
    assert wanted <= set(re.findall(r"`(/[^`]*)`", told))


def upper(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: found[1].upper(), path)


def test_every_socket_is_on_the_page_under_its_listener() -> None:
    nobody = cast(Any, None)  # routes are made, nothing is asked
    relay = Relay(nobody, read_office(PRACTICE_OFFICE))
    commands = Commands(nobody, lambda: None, relay.arrival_of, nobody, nobody)
    edge = Edge(relay, commands, nobody, Walls(relay, nobody, nobody))
    rows = re.findall(r"^\| `(/ws/[^`]*)` \| ([a-z, ]+) \|", section("Sockets"), re.MULTILINE)
    told = {path: set(listeners.split(", ")) for path, listeners in rows}
    made: dict[str, set[str]] = {}
    for listener, routes in (("public", public_routes(edge, Guard())), ("inside", inside_routes(edge, Guard()))):
        for route in routes:
            if isinstance(route, WebSocketRoute):
                made.setdefault(upper(route.path), set()).add(listener)
    assert told == made
