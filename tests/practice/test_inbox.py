"""The practice inbox: it takes mail as a provider does, well or badly, and shows it without ever running it."""

import os
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
from starlette.testclient import TestClient

from config.practice.inbox import KEPT, Conduct, Inbox, receiving
from config.practice.inbox_pages import PEOPLE, StandIns, inbox_app, parts_of, slips_in
from config.practice.line_stand_in import LineStandIn
from config.practice.phone_stand_in import PhoneStandIn
from kiosk_client.printer import Paperless
from tests.kiosk_client.test_slip import ADDRESS, SLIP
from workers.carriers.phone import basic

BASE = "http://127.0.0.1:8082"


def mail(number: int = 1, text: str = "順番が近づいています。", to: str = "someone@example.jp") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "ward@example.jp", to, "まもなく順番です"
    made["Message-ID"] = f"<{number}@example.jp>"
    made.set_content(text)
    return made


async def send(port: int, *mails: EmailMessage) -> aiosmtplib.SMTP:
    """Over one line, which stays open."""
    line = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, timeout=5)
    await line.connect()
    for each in mails:
        await line.send_message(each)
    return line


def always(conduct: Conduct) -> Callable[[str], Conduct]:
    return lambda address: conduct


def seen(inbox: Inbox, slips: Path | None = None) -> TestClient:
    return TestClient(inbox_app(inbox, slips), base_url=BASE)


async def test_a_mail_is_kept_as_it_was_sent() -> None:
    inbox = Inbox()
    async with receiving(inbox) as port:
        (await send(port, mail())).close()
    (kept,) = inbox.mails
    assert (kept.to, kept.subject, kept.message_id) == (("someone@example.jp",), "まもなく順番です", "<1@example.jp>")
    assert kept.text == "順番が近づいています。\n"


async def test_only_the_last_are_kept_and_all_are_counted() -> None:
    inbox = Inbox()
    content = mail().as_bytes()
    for _ in range(KEPT + 3):
        inbox.put(["someone@example.jp"], content)
    assert (len(inbox.mails), inbox.received, inbox.mails[0].id, inbox.mails[-1].id) == (KEPT, KEPT + 3, KEPT + 3, 4)


@pytest.mark.parametrize(("conduct", "code"), [(Conduct.REFUSE, 550), (Conduct.DEFER, 451)])
@pytest.mark.parametrize("echo", [True, False])
async def test_a_recipient_is_refused_by_its_code_and_the_line_stays(conduct: Conduct, code: int, echo: bool) -> None:
    inbox = Inbox()
    bad = "bad@example.jp"
    async with receiving(inbox, 0, lambda to: conduct if to == bad else Conduct.TAKE, echo=echo) as port:
        line = await send(port)
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await line.send_message(mail(to=bad))
        assert refused.value.recipients[0].code == code
        assert (bad in refused.value.recipients[0].message) == echo
        await line.send_message(mail(2))
        line.close()
    assert [kept.message_id for kept in inbox.mails] == ["<2@example.jp>"]


@pytest.mark.parametrize(("conduct", "arrived"), [(Conduct.CUT_BEFORE_DOT, 0), (Conduct.CUT_AFTER_DOT, 1)])
async def test_a_line_breaks_before_or_after_the_mail_arrived(conduct: Conduct, arrived: int) -> None:
    inbox = Inbox()
    async with receiving(inbox, 0, always(conduct)) as port:
        line = await send(port)
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await line.send_message(mail())
    assert len(inbox.mails) == arrived


async def test_lines_that_are_open_end_with_the_inbox() -> None:
    async with receiving(Inbox()) as port:
        line = await send(port, mail())
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await line.noop()


def test_a_mail_that_nobody_can_read_is_kept_all_the_same() -> None:
    inbox = Inbox()
    for content in (
        b"",
        b"\xff\xfe",
        b"Content-Type: text/plain; charset=no-such\n\nhallo",
        b"Content-Type: image/png\n\n",
    ):
        inbox.put(["someone@example.jp"], content)
    assert [kept.text for kept in inbox.mails] == ["", "hallo", "\ufffd\ufffd", ""]


# Its pages ----------------------------------------------------------------------------------------------------------


def test_an_empty_inbox_says_what_to_do() -> None:
    page = seen(Inbox()).get("/")
    assert page.status_code == 200
    assert '<p class="empty" data-fresh="empty">' in page.text
    assert "番号札</a>" not in page.text, "there is no ticket machine"


def test_the_letters_of_a_mail_are_shown_and_never_run() -> None:
    inbox = Inbox()
    inbox.put(
        ["<script>@example.jp"], mail(text='<script>alert("x")</script> https://junban.example.jp/t?x=1&y=2').as_bytes()
    )
    page = seen(inbox).get("/")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;@example.jp" in page.text
    assert 'href="https://junban.example.jp/t?x=1&amp;y=2"' in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "no-store" in page.headers["cache-control"]


def test_a_text_in_pieces_is_the_same_text() -> None:
    text = "一つ https://a.example/b。二つ（http://c.example/?d=e#f）\njavascript:alert(1) https://g.example"
    parts = parts_of(text)
    assert "".join(part for part, _ in parts) == text
    links = [part for part, is_link in parts if is_link]
    assert links == ["https://a.example/b", "http://c.example/?d=e#f", "https://g.example"]


def test_a_program_reads_all_mails_or_those_that_came_later() -> None:
    inbox = Inbox()
    for number in (1, 2, 3):
        inbox.put(["someone@example.jp"], mail(number).as_bytes())
    pages = seen(inbox)
    told = pages.get("/mails.json").json()
    assert [each["message_id"] for each in told["mails"]] == ["<3@example.jp>", "<2@example.jp>", "<1@example.jp>"]
    assert set(told["mails"][0]) == {"id", "to", "subject", "message_id", "received_at", "text"}
    later = pages.get("/mails.json", params={"after": f"{inbox.name}-2"}).json()
    assert [each["id"] for each in later["mails"]] == [3]
    of_another = pages.get("/mails.json", params={"after": f"{'0' * 16}-2"}).json()
    assert len(of_another["mails"]) == 3


def test_a_page_that_knows_everything_is_not_drawn_again() -> None:
    inbox = Inbox()
    pages = seen(inbox)
    assert pages.get("/", params={"seen": f"{inbox.name}-0"}).status_code == 204
    inbox.put(["someone@example.jp"], mail().as_bytes())
    assert pages.get("/", params={"seen": f"{inbox.name}-0"}).status_code == 200


@pytest.mark.parametrize("headers", [{"host": "ward.example.jp"}, {"origin": "https://elsewhere.example"}])
def test_a_page_from_elsewhere_reads_no_mail(headers: dict[str, str]) -> None:
    assert seen(Inbox()).get("/mails.json", headers=headers).status_code == 403


def test_a_slip_opens_its_ticket(tmp_path: Path) -> None:
    Paperless(tmp_path).print(SLIP)
    pages = seen(Inbox(), tmp_path)
    page = pages.get("/slips").text
    assert f'href="{ADDRESS}"' in page
    assert "A103 の画面を開く" in page
    picture = pages.get("/slips/2026-11-24-A103.png")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")


def test_a_machine_that_has_given_nothing_yet_has_an_empty_page(tmp_path: Path) -> None:
    pages = seen(Inbox(), tmp_path / "not yet")
    assert "まだ番号札はありません" in pages.get("/slips").text
    assert seen(Inbox()).get("/slips").status_code == 404


@pytest.mark.parametrize("name", ["..%2F..%2Fetc%2Fpasswd", "2026-11-24-A103.url", "request", "2026-11-24-A999"])
def test_nothing_but_pictures_of_slips_comes_out_of_the_folder(tmp_path: Path, name: str) -> None:
    Paperless(tmp_path).print(SLIP)
    assert seen(Inbox(), tmp_path).get(f"/slips/{name}.png").status_code == 404


def test_a_slip_whose_address_is_none_is_left_out(tmp_path: Path) -> None:
    Paperless(tmp_path).print(SLIP)
    address = tmp_path / "2026-11-24-A103.url"
    assert len(slips_in(tmp_path)) == 1
    address.write_text("javascript:alert(1)")
    assert slips_in(tmp_path) == []
    os.unlink(address)
    assert slips_in(tmp_path) == []


def played() -> tuple[TestClient, LineStandIn, PhoneStandIn]:
    line, phone = LineStandIn("token", "secret", "http://127.0.0.1:9/line/webhook"), PhoneStandIn("practice", "token")
    client = TestClient(inbox_app(Inbox(), None, StandIns(line, phone)), base_url=BASE)
    return client, line, phone


def test_a_chat_shows_what_was_said_and_runs_none_of_it() -> None:
    client, line, _ = played()
    headers = {"Authorization": "Bearer token", "X-Line-Retry-Key": "k"}
    (user, name), *_ = PEOPLE.items()
    body = {"to": user, "messages": [{"type": "text", "text": "<b>順番</b> https://junban.example.jp/n"}]}
    assert client.post("/v2/bot/message/push", json=body, headers=headers).status_code == 200
    assert client.post("/v2/bot/message/push", json=body, headers=headers).status_code == 409
    page = client.get("/line")
    assert page.text.count("&lt;b&gt;順番&lt;/b&gt;") == 1
    assert name in page.text
    assert 'href="https://junban.example.jp/n"' in page.text
    assert "今月の送信 1 通" in page.text
    assert client.post("/line", data={"person": "stranger", "text": "x"}).status_code in (200, 303)
    assert len(line.said) == 1, "nobody writes as a stranger"


def test_a_call_is_shown_with_what_was_said() -> None:
    client, _, phone = played()
    phone.tells = False
    form = {"To": "+81312345678", "From": "+815000000000", "StatusCallback": "http://127.0.0.1:9/x", "Timeout": "25"}
    form["Twiml"] = "<Response><Gather><Say>順番です</Say><Say>順番です</Say><Say>1 を</Say></Gather></Response>"
    answer = client.post(
        "/2010-04-01/Accounts/practice/Calls.json", data=form, headers={"Authorization": basic("practice", "token")}
    )
    assert answer.status_code == 201
    page = client.get("/phone")
    assert "順番です 1 を" in page.text
    assert "1 を押す" in page.text


def test_without_their_secrets_nobody_plays_line_or_the_telephone() -> None:
    client = seen(Inbox())
    for path in ("/line", "/phone", "/v2/bot/message/quota"):
        assert client.get(path).status_code == 404
    assert 'href="/line"' not in client.get("/").text
