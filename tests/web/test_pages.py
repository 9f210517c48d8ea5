"""The first state is drawn on the server, complete, escaped, and with nothing from another host."""

import re
from collections.abc import Mapping
from dataclasses import replace as replace_office
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.testclient import TestClient

from hub.desk.lane import Counter, Office, Purpose
from hub.desk.notices import Carrier
from hub.wire import messages as m
from hub.wire.messages import FURTHEST_AHEAD, RefusalBody
from hub.wire.tickets import FURTHEST_MINUTES, Notice, Told
from tests.web.site import AT, OFFICE, for_all, for_handler, of_none, snapshot
from web.models import EM_STEPS, MISSED_PAGE, ROOMS, TOKYO, Board, em_of, room_for
from web.pages import HERE, inside_routes, public_routes, static_routes
from web.tickets import ENDED, NEAR, REGISTERED, SHOWN, ResidentPages

FILES = sorted(path for folder in ("templates", "static") for path in (HERE / folder).rglob("*.*"))
OUR_PAGES = ["/", "/t", "/t?openExternalBrowser=1", "/wall/lobby", "/desk", "/desk?counter=2"]


def visitor(whole: m.Snapshot | None, office: Office = OFFICE) -> TestClient:
    routes = [*public_routes(lambda: whole, office), *ResidentPages(lambda: whole, office).routes()]
    routes += [
        *inside_routes(lambda: whole, for_desk=for_handler, for_wall=for_all, counter_of=of_none),
        *static_routes(),
    ]
    return TestClient(Starlette(routes=routes))


def words(html: str) -> str:
    """What can be read: no tags, no hidden parts, single spaces."""
    seen = re.sub(r"<(\w+)[^>]*\shidden[^>]*>.*?</\1>|<head>.*?</head>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", seen).split())


@pytest.mark.parametrize("path", OUR_PAGES)
@pytest.mark.parametrize("whole", [None, snapshot(), snapshot(calls=3, missed=2)], ids=["away", "empty", "busy"])
def test_every_page_opens_in_every_state(path: str, whole: m.Snapshot | None) -> None:
    answer = visitor(whole).get(path)
    assert answer.status_code == 200
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=|javascript:", answer.text)


def test_crowding_tells_the_present_state_without_javascript() -> None:
    page = visitor(snapshot(calls=3, missed=2, waiting=4)).get("/").text
    told = words(page)
    assert "さくら区役所 戸籍住民課" in told
    assert "11月24日（火）9:00:00 現在" in told
    assert "証明 4 人" in told
    assert "合わせて 12 人" in told
    assert "A101 → 1番窓口 証明" in told
    assert "C103 → 3番窓口" in told
    assert "B202 1番窓口" in told
    assert re.search(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript>', page)


def test_crowding_of_an_empty_office_says_that_nobody_is_called() -> None:
    told = words(visitor(snapshot()).get("/").text)
    assert "お呼びしている番号はありません。" in told
    assert "お呼び済みの番号" not in told


def test_crowding_without_a_store_is_honest() -> None:
    told = words(visitor(None).get("/").text)
    assert "ただいま混雑状況を確かめられません" in told
    assert "現在" not in told


def test_a_wall_shows_the_newest_call_and_all_others() -> None:
    page = visitor(snapshot(calls=32, missed=3, waiting=4)).get("/wall/lobby").text
    assert re.findall(r'fit number"><span[^>]*>(\w+)<', page) == [
        *(f"{'ABC'[i % 3]}{101 + i}" for i in range(32)),
        "A201",
        "B202",
        "C203",
    ]
    assert 'data-room="32"' in page
    assert 'data-missed="8"' in page


def test_a_wall_in_the_morning_asks_kindly_to_wait() -> None:
    assert "順番になりましたら、 こちらに番号を表示します。" in words(visitor(snapshot()).get("/wall/lobby").text)


def test_a_wall_without_a_store_says_so() -> None:
    told = words(visitor(None).get("/wall/lobby").text)
    assert "ただいま表示を更新できません。番号は最新ではないことがあります。" in told
    assert "窓口の職員にお尋ねください" in told
    assert "順番になりましたら" not in told


@pytest.mark.parametrize("screen", ["LOBBY", "a b", "x" * 33, "%E2%80%AE", "lobby%0a", "<b>"])
def test_a_wall_has_a_plain_name(screen: str) -> None:
    assert visitor(snapshot()).get(f"/wall/{screen}").status_code == 404


def test_the_desk_asks_for_a_counter_and_keeps_it_in_the_address() -> None:
    page = visitor(snapshot()).get("/desk").text
    assert re.findall(r'href="/desk\?counter=(\d+)"', page) == [str(i + 1) for i in range(40)]
    assert "2番窓口" in words(visitor(snapshot()).get("/desk?counter=2").text)


def test_an_unknown_counter_is_refused_with_the_choice() -> None:
    told = words(visitor(snapshot()).get("/desk?counter=99").text)
    assert "その窓口はありません。" in told
    assert "1番窓口" in told


def test_without_a_store_the_desk_opens_with_the_counter_asked_for() -> None:
    assert 'data-counter="2"' in visitor(None).get("/desk?counter=2").text
    assert "接続できません" in words(visitor(None).get("/desk?counter=%22%3E%3Cb%3E").text)


def test_names_are_escaped() -> None:
    evil = '<script>alert("1")</script>'
    whole = snapshot(calls=1, missed=1)
    whole = replace(
        whole,
        office=evil,
        lanes=[replace(lane, name=evil) for lane in whole.lanes],
        counters=[replace(counter, name=evil) for counter in whole.counters],
        called=[replace(call, number=evil) for call in whole.called],
    )
    office = replace_office(OFFICE, name=evil)
    for path in OUR_PAGES:
        page = visitor(whole, office).get(path).text
        assert "<script>" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_loaded_from_another_host(path: Path) -> None:
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    assert not re.search(r"""//[a-z0-9-]+\.[a-z]|@import|url\(|https?:""", text)


@pytest.mark.parametrize("path", sorted((HERE / "static").iterdir()), ids=lambda path: path.name)
def test_static_files_are_typed_and_asked_for_anew(path: Path) -> None:
    answer = visitor(None).get(f"/static/{path.name}")
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    assert answer.headers["content-type"].split(";")[0] == kinds[path.suffix]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", sorted((HERE / "static").iterdir()), ids=lambda path: path.name)
def test_static_files_are_packed_for_whoever_takes_them_so_and_are_the_same(path: Path) -> None:
    site = visitor(None)
    packed, plain, other = (
        site.get(f"/static/{path.name}", headers={"Accept-Encoding": takes})
        for takes in ("br, gzip", "identity", "gzip;q=0")
    )
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers | other.headers
    assert packed.content == plain.content == other.content == path.read_bytes()
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert {answer.headers["vary"] for answer in (packed, plain, other)} == {"Accept-Encoding"}
    known = site.get(f"/static/{path.name}", headers={"If-None-Match": packed.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


def test_a_page_is_never_packed() -> None:
    """Its length would tell what stands in it beside somebody's own words (BREACH)."""
    for path in ("/", "/t"):
        assert "content-encoding" not in visitor(snapshot()).get(path, headers={"Accept-Encoding": "gzip"}).headers


def test_office_time_is_shown_in_tokyo() -> None:
    board = Board.of(snapshot())
    assert board.made_at.utcoffset() == timedelta(hours=9)
    assert (board.made_at.tzinfo, board.minutes_text, board.date_text) == (TOKYO, "9:00", "11月24日（火）")


@pytest.mark.parametrize(("missed", "room", "page"), [(0, 0, ""), (8, 8, ""), (9, 16, ""), (17, 16, "1／2")])
def test_missed_numbers_take_turns_when_there_are_many(missed: int, room: int, page: str) -> None:
    board = Board.of(snapshot(missed=missed))
    assert (board.missed_room, board.missed_page) == (room, page)


def test_the_server_and_the_browser_know_the_same_sizes() -> None:
    script = (HERE / "static" / "fit.js").read_text("utf-8")
    sizes = (HERE / "static" / "fit.css").read_text("utf-8")
    rooms = (HERE / "static" / "rooms.css").read_text("utf-8")
    assert re.search(rf"EM_STEPS = \[{', '.join(f'{step:g}' for step in EM_STEPS)}\]", script)
    assert re.search(rf"ROOMS = \[{', '.join(map(str, ROOMS))}\]", script)
    assert f"MISSED_PAGE = {MISSED_PAGE};" in script
    assert {float(step) for step in re.findall(r'^\[data-em="([\d.]+)"\] \{', sizes, re.MULTILINE)} == set(EM_STEPS)
    assert {int(room) for room in re.findall(r'data-room="(\d+)"', rooms)} == set(ROOMS)


@pytest.mark.parametrize(
    ("text", "em"), [("A1", "2"), ("A101", "2.75"), ("1番窓口", "4"), ("", "2"), ("番" * 99, "40")]
)
def test_a_text_takes_a_step_of_room(text: str, em: str) -> None:
    assert em_of(text) == em


@pytest.mark.parametrize(("count", "room"), [(0, 1), (5, 6), (32, 32), (33, 40), (999, 64)])
def test_so_many_calls_take_a_room(count: int, room: int) -> None:
    assert room_for(count) == room


def test_a_number_can_be_taken_by_a_plain_form_of_each_lane() -> None:
    page = visitor(snapshot()).get("/").text
    forms = re.findall(r'<form method="post" action="/tickets" data-lane="(\w+)">(.*?)</form>', page)
    assert [lane for lane, _ in forms] == [lane.key for lane in OFFICE.lanes]
    fields = [value for _, form in forms for value in re.findall(r'name="(?:id|secret)" value="([\w-]{22})"', form)]
    assert len(set(fields)) == 2 * len(forms)
    assert "受付時間は 8:30〜17:00 です。" in words(page)


def test_outside_the_hours_the_page_says_so_instead() -> None:
    told = words(visitor(replace(snapshot(), at=AT - 3_600_000)).get("/").text)
    assert "ただいまは受付時間外です。番号は 8:30〜17:00 にお取りいただけます。" in told
    assert "ご用件を押すと" not in told
    always = words(visitor(snapshot(), replace_office(OFFICE, web_open=0, web_close=24 * 60)).get("/").text)
    assert "受付時間" not in always


TOLD = Told("2026-11-24", 7, "A105", "certificates", "waiting", "7K3D9QXM", ahead=3)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (TOLD, "前に 3 人お待ちです まもなくお呼びします。 窓口の近くでお待ちください。"),
        (structs.replace(TOLD, ahead=4), "前に 4 人お待ちです お呼びするときは"),
        (structs.replace(TOLD, ahead=0), "次 にお呼びします"),
        (structs.replace(TOLD, state="expected", ahead=None), "区役所に着いたら"),
        (structs.replace(TOLD, state="called", ahead=None, counter="1"), "1番窓口 へお越しください。"),
        (structs.replace(TOLD, state="absent", ahead=None, counter="1"), "1番窓口 の職員に"),
        (structs.replace(TOLD, state="served", ahead=None), "お手続きが終わりました"),
        (structs.replace(TOLD, state="cancelled", ahead=None), "番号を取り消しました"),
        (structs.replace(TOLD, state="lapsed", ahead=None), "この番号の受付は終わりました"),
    ],
    ids=lambda told: told.state if isinstance(told, Told) else "",
)
def test_a_ticket_is_told_in_every_state_without_javascript(told: Told, says: str) -> None:
    office = replace_office(OFFICE, counters=(Counter("1", "1番窓口", ("certificates",)),))
    page = bytes(ResidentPages(lambda: snapshot(), office).ticket(told).body).decode()
    shown = words(page)
    assert "A105" in shown
    assert "証明" in shown
    is_of_use = told.state in ("expected", "waiting", "called", "absent")
    assert ("7K3D-9QXM" in shown) == is_of_use
    assert says in shown
    assert shown.count("番号を取り消す") == is_of_use
    assert "<title>受付番号</title>" in page
    assert "http-equiv" not in page


OFFERING = replace_office(OFFICE, purpose=Purpose("7", "何のために\nお預かりするか"))
WISH = Notice("email", 5, "accepted", None, "")


def notice_page(told: Told, office: Office = OFFERING, *offers: Carrier) -> str:
    return bytes(ResidentPages(lambda: snapshot(), office, offers).ticket(told).body).decode()


def test_notices_are_offered_with_their_purpose_before_the_field_while_somebody_may_come_nearer() -> None:
    for state in ("expected", "waiting"):
        page = notice_page(structs.replace(TOLD, state=state), OFFERING, Carrier.EMAIL)
        shown = words(page)
        assert "順番が近づいたらメールでお知らせ" in shown
        assert shown.index("何のために お預かりするか") < shown.index("メールアドレス")
        assert f'name="purpose" value="{OFFERING.purpose.mark if OFFERING.purpose else ""}"' in page
        people, minutes = (page.split(f'name="{name}"')[1].split("</select>")[0] for name in ("ahead", "minutes"))
        assert re.findall(r'<option value="(\d+)"( selected)?', people) == [
            *[("1", ""), ("2", ""), ("3", " selected"), ("5", ""), ("10", ""), ("20", "")]
        ]
        assert re.findall(r'<option value="(\d+)" selected', minutes) == ["0"]
        furthest = [int(re.findall(r'<option value="(\d+)"', choice)[-1]) for choice in (people, minutes)]
        assert furthest == [FURTHEST_AHEAD, FURTHEST_MINUTES], "as far as the hub lets anybody wish"
        assert re.search(r'<input type="checkbox"[^>]* required', page)
        assert re.search(r'name="address" type="text" inputmode="email"[^>]* autocomplete="off"', page)
        assert "やめて" not in shown


def test_notices_are_not_offered_where_nobody_sends_them_or_nobody_comes_nearer() -> None:
    away = "順番が近づいたらメールでお知らせ"
    assert away not in words(notice_page(TOLD, OFFERING))
    assert away not in words(notice_page(TOLD, OFFICE, Carrier.EMAIL))
    for state in ("called", "absent", "served", "cancelled", "lapsed"):
        told = structs.replace(TOLD, state=state, ahead=None)
        assert away not in words(notice_page(told, OFFERING, Carrier.EMAIL))


@pytest.mark.parametrize(
    ("wish", "state", "says"),
    [
        (structs.replace(WISH, registered="pending"), "waiting", "確認のメールをお送りしています"),
        (structs.replace(WISH, registered=None), "waiting", "確認のメールをお送りしています"),
        (WISH, "waiting", "確認のメールをお送りしました。 ○ 前にお待ちの方が 5 人以下"),
        (structs.replace(WISH, registered="uncertain"), "waiting", "届いていない場合があります"),
        (structs.replace(WISH, registered="lapsed", near="pending"), "waiting", "お知らせを、メールでお送りしています"),
        (structs.replace(WISH, near="accepted"), "called", "お知らせを、メールでお送りしました"),
        (structs.replace(WISH, near="uncertain"), "waiting", "お知らせは、届いていない場合があります"),
        (structs.replace(WISH, near="lapsed"), "served", "お送りできませんでした"),
        (structs.replace(WISH, registered="refused"), "waiting", "届きませんでした。 → アドレスを確かめて"),
        (structs.replace(WISH, ended="refused"), "waiting", "アドレスは消しました。 → アドレスを確かめて"),
        (structs.replace(WISH, ended="resident"), "waiting", "お知らせをやめ、アドレスを消しました"),
    ],
)
def test_where_a_notice_stands_is_told_in_words_and_it_can_be_stopped(wish: Notice, state: str, says: str) -> None:
    shown = words(notice_page(structs.replace(TOLD, state=state, notices=[wish]), OFFERING))
    assert says in shown
    assert ("お知らせをやめてアドレスを消す" in shown) == (not wish.ended)


def test_the_page_behind_the_link_of_a_message_asks_and_says_what_was_done() -> None:
    pages = ResidentPages(lambda: None, OFFERING, (Carrier.EMAIL,))
    asks, done = (words(bytes(pages.stop(is_done=is_done).body).decode()) for is_done in (False, True))
    assert "お知らせをやめて連絡先を消す" in asks
    assert "お知らせをやめ、お預かりした連絡先を消しました。" in done
    assert "消す" not in done
    fault = RefusalBody("StoreAway", "少しお待ちください。", again=True, details={})
    refused = pages.stop_refused(fault, 503)
    assert (refused.status_code, "少しお待ちください。" in words(bytes(refused.body).decode())) == (503, True)


def test_a_ticket_of_a_lane_that_is_no_more_is_told_by_its_key() -> None:
    told = structs.replace(TOLD, lane="gone", state="called", ahead=None, counter="9", code="")
    page = bytes(ResidentPages(lambda: None, OFFICE).ticket(told).body).decode()
    assert "gone" in words(page)


def test_the_first_load_of_a_ticket_is_small_enough_for_a_bad_line() -> None:
    site, waiting, loaded = visitor(snapshot()), ["/t"], dict[str, int]()
    while waiting:
        path = waiting.pop()
        text = site.get(path).text
        loaded[path] = len(text.encode())
        found = re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
        found += [f"/static/{name}" for name in re.findall(r'from "\./([\w.]+)"', text)]
        waiting += [name for name in found if name not in loaded]
    assert "/static/picture.js" in loaded
    assert sum(loaded.values()) <= 60_000, loaded


def test_the_server_and_the_browser_call_states_alike() -> None:
    script = (HERE / "static" / "ticket.js").read_text("utf-8")
    table = script.split("const SHOWN = {")[1].split("}")[0]
    assert dict(re.findall(r'(\w+): "(\w+)"', table)) == {str(state): shown for state, shown in SHOWN.items()}


@pytest.mark.parametrize(("name", "table"), [("REGISTERED", REGISTERED), ("NEAR", NEAR), ("ENDED", ENDED)])
def test_the_server_and_the_browser_say_where_a_notice_stands_alike(name: str, table: Mapping[str, str]) -> None:
    script = (HERE / "static" / "notice.js").read_text("utf-8")
    written = script.split(f"const {name} = {{")[1].split("}")[0]
    assert dict(re.findall(r'(\w+): "([\w-]+)"', written)) == {str(state): shown for state, shown in table.items()}
    sentences = re.findall(r'call line\(own, "([\w-]+)"', (HERE / "templates" / "notice.html").read_text("utf-8"))
    assert set(table.values()) <= set(sentences)
