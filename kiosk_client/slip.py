"""The slip as a picture: what a ticket says on paper. Nothing here knows a printer, the network or the time.

Letters come from the font beside this file (Noto Sans CJK JP Bold, cut to code page 932): a ticket machine needs none
of its own.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import segno
from PIL import Image, ImageDraw, ImageFont

WIDTH = 512  # dots of an 80 mm printer's narrowest common head (TM-T88: 512 at 180 dpi); 8 bits fill a raster byte
MARGIN = 16
QR_DOTS = 300  # at most: 42 mm at 180 dpi, of which every module takes whole dots
FONT = Path(__file__).parent / "font" / "NotoSansCJKjp-Bold-subset.otf"
TOKYO = ZoneInfo("Asia/Tokyo")
WEEKDAYS = "月火水木金土日"

PURPOSE = ("ご登録の連絡先は順番のお知らせにのみ使い、", "ご利用の翌日に消去します。")
HOW = ("QRコードを読み取ると", "順番がわかります")


@dataclass(frozen=True, slots=True)
class Slip:
    """`at_ms`: epoch milliseconds of office time; `secret`: the text behind `#`; `ahead` None: not known."""

    office: str
    lane: str
    number: str
    ahead: int | None
    at_ms: int
    secret: str
    code: str
    public_url: str

    @property
    def address(self) -> str:
        """The resident's page. LINE's own browser is told to hand it to the telephone's."""
        return f"{self.public_url}/t?openExternalBrowser=1#{self.secret}"

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.at_ms / 1000, TOKYO)


def draw(slip: Slip) -> Image.Image:
    """Black on white, one bit a dot, WIDTH wide, as long as it needs."""
    paper = _Paper()
    paper.line(slip.office, 30)
    paper.rule()
    paper.line("受付番号", 32, gap=22)
    paper.line(slip.number, 190, gap=0)
    paper.bar(slip.lane, 42)
    if slip.ahead is not None:
        paper.line(f"前にお待ちの方 {slip.ahead}人", 36)
    paper.line(f"{slip.at.month}月{slip.at.day}日（{WEEKDAYS[slip.at.weekday()]}）{slip.at:%H:%M} 発券", 28)
    paper.rule()
    for words in HOW:
        paper.line(words, 28, gap=2)
    paper.qr(slip.address)
    paper.line(f"確認コード  {slip.code[:4]}-{slip.code[4:]}", 32)
    paper.rule()
    for words in PURPOSE:
        paper.line(words, 21, gap=4)
    return paper.cut()


class _Paper:
    """White paper that is filled from the top."""

    def __init__(self) -> None:
        self._picture = Image.new("L", (WIDTH, 1600), 255)
        self._draw = ImageDraw.Draw(self._picture)
        self._y = MARGIN

    def line(self, words: str, size: int, gap: int = 8) -> None:
        """Words in the middle, made smaller until they fit."""
        font = _fitting(words, size, WIDTH - 2 * MARGIN)
        _, top, _, bottom = font.getbbox(words, anchor="la")
        self._draw.text((WIDTH / 2, self._y - top), words, 0, font, anchor="ma")
        self._y += round(bottom - top) + gap + size // 8

    def bar(self, words: str, size: int) -> None:
        """Words in white on black."""
        height = size + 28
        self._draw.rectangle((MARGIN, self._y + 6, WIDTH - MARGIN - 1, self._y + 6 + height), 0)
        font = _fitting(words, size, WIDTH - 4 * MARGIN)
        self._draw.text((WIDTH / 2, self._y + 6 + height / 2), words, 255, font, anchor="mm")
        self._y += height + 22

    def rule(self) -> None:
        self._draw.rectangle((MARGIN, self._y + 4, WIDTH - MARGIN - 1, self._y + 6), 0)
        self._y += 22

    def qr(self, address: str) -> None:
        """With its four modules of white around, and every module a whole number of dots."""
        modules = [list(row) for row in segno.make(address, micro=False, error="m").matrix_iter(border=4)]
        side = len(modules)
        picture = Image.new("L", (side, side), 255)
        picture.putdata([0 if dark else 255 for row in modules for dark in row])
        dots = QR_DOTS // side * side
        self._picture.paste(picture.resize((dots, dots), Image.Resampling.NEAREST), ((WIDTH - dots) // 2, self._y))
        self._y += dots + 4

    def cut(self) -> Image.Image:
        whole = self._picture.crop((0, 0, WIDTH, self._y + MARGIN))
        return whole.point(lambda grey: 255 if grey > 127 else 0).convert("1")


def _fitting(words: str, size: int, width: int) -> ImageFont.FreeTypeFont:
    while _font(size).getlength(words) > width:
        size -= 2
    return _font(size)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)
