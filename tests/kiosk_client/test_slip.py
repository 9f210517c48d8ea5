"""The slip is right as a picture, and the same once more in the bytes that a printer gets."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageFont

from kiosk_client.printer import Paperless, PrinterFailed, escpos_bytes, printer_at
from kiosk_client.slip import FONT, WIDTH, Slip, draw
from tests.kiosk_client.raster import CUT, pictures_of, whole_paper

SLIP = Slip(
    office="さくら区役所 戸籍住民課",
    lane="証明",
    number="A103",
    ahead=12,
    at_ms=1795478400123,  # 2026-11-24 09:00 in Tokyo
    secret="q3oZ4lqWlT0mW1x7mBv2aA",
    code="7KX2M9QD",
    public_url="https://junban.example.jp",
)
ADDRESS = "https://junban.example.jp/t?openExternalBrowser=1#q3oZ4lqWlT0mW1x7mBv2aA"


def read_qr(picture: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(picture.convert("L"))]


def differs(one: Image.Image, other: Image.Image) -> tuple[int, int, int, int] | None:
    """The box in which two slips are not the same."""
    return ImageChops.difference(one.convert("L"), other.convert("L")).getbbox()


def test_a_telephone_reads_the_resident_s_page_from_the_picture() -> None:
    assert read_qr(draw(SLIP)) == [ADDRESS]


def test_the_printer_gets_the_very_same_dots() -> None:
    printed = escpos_bytes(draw(SLIP))
    paper = whole_paper(printed)
    assert paper.width == WIDTH
    assert differs(paper, draw(SLIP)) is None
    assert read_qr(paper) == [ADDRESS]
    assert printed.rfind(CUT) > printed.rfind(b"\x1dv0")


def test_the_digits_of_the_number_stand_there_in_giant_figures() -> None:
    """Two slips that differ in the number alone differ where it stands, and there alone."""
    last = differs(draw(SLIP), draw(replace(SLIP, number="A108")))
    assert last is not None
    left, top, right, bottom = last
    assert left > WIDTH / 2, "only the last figure is another"
    assert right - left > 50
    assert bottom - top > 100
    first = differs(draw(SLIP), draw(replace(SLIP, number="A803")))
    assert first is not None
    assert first[2] < left + 10
    assert first[3] < draw(SLIP).height / 2


@pytest.mark.parametrize(
    "other",
    [
        replace(SLIP, office="別の区役所"),
        replace(SLIP, lane="住民異動"),
        replace(SLIP, ahead=13),
        replace(SLIP, ahead=None),
        replace(SLIP, at_ms=SLIP.at_ms + 60_000),
        replace(SLIP, code="7KX2M9QE"),
    ],
)
def test_whatever_a_ticket_is_can_be_read_on_its_slip(other: Slip) -> None:
    assert differs(draw(SLIP), draw(other)) is not None


def test_long_names_stay_on_the_paper() -> None:
    slip = replace(
        SLIP, office="さくら区役所" * 6, lane="外国人住民の在留カードと特別永住者証明書" * 2, number="AB1234"
    )
    picture = draw(slip)
    assert picture.crop((0, 0, 8, picture.height)).convert("L").getextrema() == (255, 255)
    assert picture.crop((WIDTH - 8, 0, WIDTH, picture.height)).convert("L").getextrema() == (255, 255)


def test_the_font_has_the_letters_of_offices() -> None:
    """A letter that it lacks would be drawn as the box of U+FFFF."""
    font = ImageFont.truetype(FONT, 24)
    box = bytes(font.getmask("\uffff"))
    wanted = "新宿区役所戸籍住民課外国人印鑑登録①髙﨑ＡＺ０９（）人番号ABCXYZ0123456789-"
    assert [letter for letter in wanted if bytes(font.getmask(letter)) == box] == []


def test_without_paper_a_slip_is_picture_bytes_and_address_for_its_owner_alone(tmp_path: Path) -> None:
    Paperless(tmp_path / "slips").print(SLIP)
    made = sorted((tmp_path / "slips").iterdir())
    assert [path.name for path in made] == [f"2026-11-24-A103.{kind}" for kind in ("escpos", "png", "url")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    assert read_qr(Image.open(made[1])) == read_qr(whole_paper(made[0].read_bytes())) == [ADDRESS]
    assert made[2].read_text("ascii") == f"{ADDRESS}\n"


def test_a_folder_that_cannot_be_written_is_a_failed_printer(tmp_path: Path) -> None:
    (tmp_path / "slips").write_text("a file is in the way")
    with pytest.raises(PrinterFailed):
        Paperless(tmp_path / "slips").print(SLIP)


def test_a_printer_behind_a_device_file_gets_the_slip(tmp_path: Path) -> None:
    device = tmp_path / "lp0"
    device.touch()
    printer_at(f"file://{device}").print(SLIP)
    assert len(pictures_of(device.read_bytes())) >= 1
    assert read_qr(whole_paper(device.read_bytes())) == [ADDRESS]


def test_a_printer_that_is_not_there_says_so() -> None:
    with pytest.raises(PrinterFailed):
        printer_at("file:///nowhere/lp0").print(SLIP)


@pytest.mark.parametrize("wrong", ["", "lp0", "network://", "usb://", "usb://04b8", "smb://printer", "network://h:x"])
def test_an_address_that_is_no_printer_s_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whoever reads the settings makes a sentence of it
        printer_at(wrong)
