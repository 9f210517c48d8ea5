"""Papers that a ward files, as PDF on A4: the same facts and inputs give the same bytes.

They state what they are handed, in the words of 特記事項; nothing here reads the ledger, a clock or a contact.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from fpdf import FPDF
from fpdf.enums import WrapMode
from fpdf.fonts import FontFace

from hub.desk.hours import WEEKDAY_LETTERS
from web.paper_words import Issue

TOKYO = ZoneInfo("Asia/Tokyo")
FONT = Path(__file__).parent / "font" / "NotoSansCJKjp-Regular-subset.otf"
COUNTS = frozenset({"件数", "連絡先"})  # titles of columns of figures


class Paper(FPDF):
    """A4 with a margin for punched holes; `name` stands at the foot of each page with its number."""

    def __init__(self, name: str, issued: str) -> None:
        super().__init__(format="A4")
        self.name = name
        self.add_font("body", "", FONT)
        self.set_margins(25, 20, 20)
        self.set_auto_page_break(True, 22)
        self.set_title(name)
        self.set_lang("ja")
        self.set_creation_date(datetime.combine(date.fromisoformat(issued), datetime.min.time(), TOKYO))
        self.set_producer("junban")
        self.alias_nb_pages("{pages}")
        self.add_page()

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font("body", size=8)
        self.set_text_color(90)
        self.cell(0, 5, f"{self.name}　{self.page_no()} / {{pages}}", align="C")
        self.set_text_color(0)

    def heading(self, text: str) -> None:
        self.set_font("body", size=20)
        self.multi_cell(0, 12, text, align="C", new_x="LMARGIN", new_y="NEXT")
        self.ln(4)

    def line_of(self, text: str, *, align: str = "L", size: float = 10.5) -> None:
        self.set_font("body", size=size)
        self.multi_cell(0, size * 0.6, text, align=align, new_x="LMARGIN", new_y="NEXT", wrapmode=WrapMode.CHAR)

    def section(self, text: str) -> None:
        if self.get_y() > self.h - 55:  # a heading is not left alone at the foot of a page
            self.add_page()
        self.ln(3)
        self.set_font("body", size=12)
        self.cell(0, 8, text, new_x="LMARGIN", new_y="NEXT")
        self.set_font("body", size=10)

    def rows(self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], size: float = 9) -> None:
        self.set_font("body", size=size)
        # The first row is repeated on each page. The library's own heading is bold, and this paper has one weight.
        with self.table(
            col_widths=tuple(widths),
            headings_style=FontFace(emphasis="", fill_color=235),
            align="LEFT",
            line_height=size * 0.62,
            padding=1,
            text_align=tuple("RIGHT" if title in COUNTS else "LEFT" for title in head),
            wrapmode=WrapMode.CHAR,
        ) as table:
            for cells in (head, *rows):
                row = table.row()
                for cell in cells:
                    row.cell(cell)
        self.ln(1)

    def to_bytes(self) -> bytes:
        return bytes(self.output())


def begin(name: str, issue: Issue) -> Paper:
    paper = Paper(name, issue.issued)
    paper.line_of(japanese(issue.issued), align="R")
    paper.ln(2)
    for line in issue.addressee.split("\n"):
        paper.line_of(line, size=12)
    paper.ln(2)
    for line in (*issue.issuer.split("\n"), f"個人情報取扱責任者　{issue.responsible}　　印"):
        paper.line_of(line, align="R")
    paper.ln(6)
    paper.heading(name)
    return paper


def japanese(day: str) -> str:
    """令和8年11月27日（金）."""
    moment = date.fromisoformat(day)
    year = moment.year - 2018
    return f"令和{'元' if year == 1 else year}年{moment.month}月{moment.day}日（{WEEKDAY_LETTERS[moment.weekday()]}）"


def clock(ms: int | None) -> str:
    """A real moment in Tokyo, to the second."""
    if ms is None:
        return "－"
    moment = datetime.fromtimestamp(ms // 1000, UTC).astimezone(TOKYO)
    return f"{moment:%Y-%m-%d %H:%M:%S}"
