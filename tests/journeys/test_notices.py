"""A resident leaves an address on the page of his ticket, sees what was understood, and takes it back."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from config.office_file import PRACTICE_OFFICE, read_office
from hub.desk.lane import Office
from hub.desk.notices import Carrier, NoticeState
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.keys import Keys
from hub.store.lanes import Lanes
from hub.store.outbox import Outbox
from hub.store.sealing import Contact, PublicKey, open_sealed
from tests.eventually import eventually
from tests.journeys.conftest import Open
from tests.journeys.looking import sees, text
from tests.journeys.test_a_ticket import PHONE, is_at, take
from tests.journeys.ward import Ward, ward_office, ward_running

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

FIRST_LOAD_BYTES = 60_000  # seconds, not minutes, on the 128 kbit/s that are left when a month's data is used up
ADDRESS = "taro..yamada@docomo.example"


@dataclass
class NoticeWard:
    """A ward that offers notices. The test is its key host and its worker."""

    ward: Ward
    office: Office
    private: X25519PrivateKey

    async def contact(self) -> Contact | None:
        """The one contact that is kept."""
        client = connect(self.ward.store.url)
        try:
            contacts = Contacts(client, self.office)
            kept = [str(name) for name in await client.zrange(Keys(self.office.key).erasures(), 0, -1)]
            assert len(kept) <= 1
            sealed = await contacts.sealed(kept[0]) if kept else None
            return open_sealed(sealed, self.private, kept[0]) if sealed else None
        finally:
            await client.aclose()

    async def send(self, state: NoticeState) -> None:
        """Everything that is due comes to this end."""
        client = connect(self.ward.store.url)
        try:
            outbox = Outbox(client, self.office)
            day = await outbox.day()
            tenure = await outbox.take_over(Carrier.EMAIL, day)
            for claimed in await outbox.claim(day, Carrier.EMAIL, tenure):
                await outbox.mark(day, Carrier.EMAIL, tenure, claimed.notice)
                await outbox.settle(day, Carrier.EMAIL, tenure, claimed.notice, state)
        finally:
            await client.aclose()

    async def begin_next_day(self) -> None:
        client = connect(self.ward.store.url)
        try:
            await Lanes(client, self.office).start_practice_day(9 * 3600, 1.0)
        finally:
            await client.aclose()


@asynccontextmanager
async def notices_offered(folder: Path) -> AsyncIterator[NoticeWard]:
    office = replace(ward_office(), purpose=read_office(PRACTICE_OFFICE).purpose)
    async with ward_running(folder, office, (Carrier.EMAIL,)) as ward:
        offered = NoticeWard(ward, office, X25519PrivateKey.generate())
        client = connect(ward.store.url)
        contacts = Contacts(client, office)
        public = PublicKey(secrets.token_hex(8), offered.private.public_key().public_bytes_raw())
        await contacts.publish(await contacts.today(), public)
        await client.aclose()
        yield offered


@pytest.fixture
async def offered(tmp_path: Path) -> AsyncIterator[NoticeWard]:
    async with notices_offered(tmp_path) as offered:
        yield offered


async def fill(phone: "Page", address: str, ahead: str = "3") -> None:
    await phone.fill("#notice-address", address)
    await phone.select_option("#notice-ahead", ahead)
    await phone.check("#notice-consent")
    await phone.get_by_role("button", name="登録する").click()


async def test_an_address_is_left_shown_back_followed_and_taken_back(offered: NoticeWard, open_page: Open) -> None:
    await offered.ward.issue()
    phone = await open_page(f"{offered.ward.public}/")
    await phone.set_viewport_size(PHONE)
    await take(phone)
    await sees(phone, "#notice", "順番が近づいたらメールでお知らせ")
    await phone.get_by_text("メールでのお知らせを希望する").click()
    await sees(phone, ".purpose", "順番が近づいた", "翌日", "消します")

    await fill(phone, "taro@@docomo", "10")
    await sees(phone, "#notice-form .refusal", "メールアドレスを確かめて")
    assert await phone.input_value("#notice-address") == "taro@@docomo"
    assert await phone.input_value("#notice-ahead") == "10"
    assert await offered.contact() is None

    await fill(phone, f'"{ADDRESS.partition("@")[0]}"@docomo.example', "1")
    await sees(phone, "#notice-to", ADDRESS)
    await sees(phone, "#notice-states", "確認のメールをお送りしています", "お知らせを、メールでお送りしています")
    assert await phone.input_value("#notice-address") == ""
    assert await phone.locator("#notice-form .refusal").is_hidden()
    contact = await offered.contact()
    assert contact is not None
    assert contact.to == ADDRESS
    kept = await phone.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "docomo" not in kept
    assert await phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    await offered.send(NoticeState.ACCEPTED)
    await sees(phone, "#notice-states", "確認のメールをお送りしました", "お知らせを、メールでお送りしました")
    await phone.reload()
    await sees(phone, "#notice-states", "お知らせを、メールでお送りしました")
    assert ADDRESS not in await text(phone, "body")

    await phone.get_by_role("button", name="お知らせをやめてアドレスを消す").click()
    await sees(phone, "#notice-states", "お知らせをやめ、アドレスを消しました")
    assert await offered.contact() is None
    await phone.get_by_text("メールでのお知らせを希望する").click()
    await fill(phone, ADDRESS)
    await sees(phone, "#notice-to", ADDRESS)


async def test_what_was_not_delivered_is_said_and_an_end_closes_the_form(offered: NoticeWard, open_page: Open) -> None:
    phone = await open_page(f"{offered.ward.public}/")
    await take(phone)
    await phone.get_by_text("メールでのお知らせを希望する").click()
    await fill(phone, ADDRESS)
    await sees(phone, "#notice-to", ADDRESS)
    await offered.send(NoticeState.REFUSED)
    await sees(phone, "#notice-states", "メールは届きませんでした", "入れ直してください")
    await phone.get_by_text("番号を取り消す").click()
    await phone.get_by_role("button", name="はい、取り消します").click()
    await is_at(phone, "cancelled")
    assert await phone.locator("#notice-part").is_hidden()
    await phone.get_by_role("button", name="お知らせをやめてアドレスを消す").click()
    await sees(phone, "#notice-states", "お知らせをやめ、アドレスを消しました")
    assert await offered.contact() is None


async def test_on_another_day_nothing_is_left_to_be_stopped(offered: NoticeWard, open_page: Open) -> None:
    phone = await open_page(f"{offered.ward.public}/")
    await take(phone)
    await phone.get_by_text("メールでのお知らせを希望する").click()
    await fill(phone, ADDRESS)
    await sees(phone, "#notice-to", ADDRESS)
    await offered.begin_next_day()
    await sees(phone, "#states", "この番号の受付は終わりました")
    assert await phone.locator("#notice").is_hidden()
    assert ADDRESS not in str(await phone.locator("#notice-to").text_content())


async def test_without_javascript_an_address_is_left_and_taken_back_by_the_link(
    offered: NoticeWard, browser: "Browser"
) -> None:
    context = await browser.new_context(locale="ja-JP", java_script_enabled=False, viewport=PHONE)
    try:
        phone = await context.new_page()
        await phone.goto(f"{offered.ward.public}/")
        await take(phone)
        await phone.get_by_text("メールでのお知らせを希望する").click()
        await fill(phone, "taro@@docomo")
        await sees(phone, "#refusal", "メールアドレスを確かめて")
        await fill(phone, "ｔａｒｏ＠example.jp")
        await sees(phone, ".news", "taro@example.jp", "入れ直してください")
        await sees(phone, "#notice-states", "確認のメールをお送りしています")
        contact = await offered.contact()
        assert contact is not None
        assert contact.to == "taro@example.jp"

        await phone.get_by_role("button", name="お知らせをやめてアドレスを消す").click()
        await sees(phone, "#notice-states", "お知らせをやめ、アドレスを消しました")
        assert await offered.contact() is None

        await phone.get_by_text("メールでのお知らせを希望する").click()
        await fill(phone, ADDRESS)
        await sees(phone, ".news", ADDRESS)
        contact = await offered.contact()
        assert contact is not None
        await phone.goto(f"{offered.ward.public}/stop/{contact.stop}")
        assert await offered.contact() is not None
        await phone.get_by_role("button", name="お知らせをやめて連絡先を消す").click()
        await sees(phone, ".news", "お知らせをやめ、お預かりした連絡先を消しました")
        assert await offered.contact() is None
    finally:
        await context.close()


async def test_the_first_load_of_a_ticket_is_small_enough_for_a_bad_line(
    offered: NoticeWard, browser: "Browser"
) -> None:
    context = await browser.new_context(locale="ja-JP")
    try:
        phone = await context.new_page()
        await phone.goto(f"{offered.ward.public}/")
        await take(phone)
        address = phone.url
        await context.close()
        context = await browser.new_context(locale="ja-JP")
        phone, names, loaded = await context.new_page(), dict[str, str](), dict[str, float]()
        line = await context.new_cdp_session(phone)
        await line.send("Network.enable")
        line.on("Network.responseReceived", lambda said: names.update({said["requestId"]: said["response"]["url"]}))
        line.on(  # as they go over the wire, headers and all
            "Network.loadingFinished",
            lambda said: loaded.update({names[said["requestId"]]: said["encodedDataLength"]}),
        )
        await phone.goto(address)
        await is_at(phone, "waiting")
        ward = offered.ward.public
        await eventually(lambda: {f"{ward}/static/notice.js", f"{ward}/t/find"} <= loaded.keys())
        assert f"{ward}/static/ticket.css" in loaded
        assert sum(loaded.values()) <= FIRST_LOAD_BYTES, loaded
    finally:
        await context.close()
