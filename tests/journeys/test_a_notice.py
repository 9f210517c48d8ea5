"""From the ticket machine to the mail that says "soon": slip, QR, address, three calls; all tell the same."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zxingcpp
from PIL import Image

from config.practice.inbox import Inbox, receiving
from tests.chaos.office import COUNTER, LANE, OfficeOfProcesses
from tests.eventually import eventually
from tests.journeys.conftest import Open
from tests.journeys.looking import sees, text
from tests.journeys.test_kiosk import BUTTON, kiosk_running, open_touch_screen
from tests.journeys.ward import Ward
from tests.mail_host import MailHost

if TYPE_CHECKING:
    from playwright.async_api import Page

ADDRESS = "hanako-suzuki@example.test"
PHONE = {"width": 390, "height": 844}

Letters = Callable[[], list[tuple[str, str]]]  # (subject, text) of every mail to ADDRESS, oldest first


@pytest.fixture(params=["aiosmtpd", "OpenSMTPD"])
async def post(request: pytest.FixtureRequest) -> AsyncIterator[tuple[int, Letters]]:
    """A mail server, by its port, and what it took for ADDRESS."""
    if request.param == "OpenSMTPD":
        host: MailHost = request.getfixturevalue("mail_host")

        def delivered() -> list[tuple[str, str]]:
            mine = [letter for letter in host.letters() if letter["To"] == ADDRESS]
            mine.sort(key=lambda letter: "まもなく" in letter["Subject"])  # dates of a second's precision tell nothing
            return [(letter["Subject"], letter.get_content()) for letter in mine]

        yield host.port, delivered
        return
    inbox = Inbox()
    async with receiving(inbox) as port:
        yield port, lambda: [(mail.subject, mail.text) for mail in reversed(inbox.mails) if ADDRESS in mail.to]


async def test_from_the_slip_to_the_mail_and_the_call(
    post: tuple[int, Letters], open_page: Open, tmp_path: Path
) -> None:
    port, letters = post
    (folder := tmp_path / "office").mkdir()
    office = OfficeOfProcesses(folder, port)
    office.start()
    try:
        inside = f"http://127.0.0.1:{office.inside_port}"
        ward = Ward(office.store, f"http://127.0.0.1:{office.port}", inside, office.doors)
        for _ in range(4):
            assert await office.take_number() is not None
        number, url = await _takes_a_slip(ward, open_page, tmp_path)
        wall, phone = await open_page(f"{ward.inside}/wall/lobby", ward.doors), await open_page(url)
        await phone.set_viewport_size(PHONE)  # type: ignore[arg-type]
        await sees(phone, "#own", number, "前に", "4")
        await _leaves_address(phone, ahead="1")
        await sees(phone, "#notice-states", ADDRESS, "確認のメールをお送りしました")
        await eventually(lambda: len(letters()) == 1)
        ((subject, told),) = letters()
        assert "受け付けました" in subject
        assert number not in subject + told

        current = None
        for _ in range(3):
            answer = await office.press_next(current)
            assert answer is not None
            current = answer.arrival
        await sees(phone, "#notice-states", "順番が近づいたお知らせを、メールでお送りしました")
        await sees(phone, "#own", "前に", "1")
        await eventually(lambda: len(letters()) == 2)
        _, (subject, told) = letters()
        assert "まもなく順番です" in subject
        assert number not in subject
        assert number in told
        assert "あと 1 人" in told
        assert office.office.lane(LANE).name in told

        for _ in range(2):
            answer = await office.press_next(current)
            assert answer is not None
            current = answer.arrival
        counter = office.office.counter(COUNTER).name
        await sees(phone, "#states", "お呼びしています", counter)
        await sees(wall, "#stage .call", number, counter)
        assert await text(phone, "#number") == number
        await eventually(lambda: len(letters()) == 3)
        assert counter in next(told for subject, told in letters() if "お呼びしています" in subject)
    finally:
        office.stop()


async def _takes_a_slip(ward: Ward, open_page: Open, folder: Path) -> tuple[str, str]:
    """Number and address on the slip, the address read from its picture as a phone does."""
    slips = folder / "slips"
    with kiosk_running(ward, folder, "--out", str(slips)) as (machine, _):
        screen = await open_touch_screen(open_page, machine)
        await screen.click(BUTTON)
        await sees(screen, "#about", "番号札をお取りください")
        number = await text(screen, "#number")
        (picture,) = await asyncio.to_thread(lambda: list(slips.glob("*.png")))
        (code,) = zxingcpp.read_barcodes(Image.open(picture).convert("L"))
        return number, code.text


async def _leaves_address(phone: "Page", ahead: str) -> None:
    await phone.get_by_text("メールでのお知らせを希望する").click()
    await phone.fill("#notice-address", f"  {ADDRESS} ")
    await phone.select_option("#notice-ahead", ahead)
    await phone.check("#notice-consent")
    await phone.click("#notice-form button")
