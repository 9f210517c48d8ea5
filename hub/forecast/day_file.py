"""A day file (CSV, one customer a row) becomes customers, or every fault in it at once. A pure function of text."""

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta, timezone
from io import StringIO
from re import ASCII, compile

from hub.forecast.day import Customer

REQUIRED = ("arrived_at", "lane", "source", "service_seconds")
OPTIONAL = ("contact", "walk_minutes", "left_at", "priority")
SOURCES = ("kiosk", "web", "desk")
CONTACTS = ("email", "line", "phone")  # the kind only: a day file never holds an address
ZONE = timezone(timedelta(hours=9))  # Asia/Tokyo has had no other offset since 1951
FAULTS_SHOWN = 50  # a wrong file is wrong in every row; the rest is only counted

_CLOCK = compile(r"([01]?\d|2[0-3]):([0-5]\d):([0-5]\d)", ASCII)
_FIGURE = compile(r"\d{1,6}(\.\d{1,6})?", ASCII)


class FaultyDay(Exception):
    """The text is no day file; `faults` are sentences for whoever wrote it, in the order of the file."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


def read_day(text: str, lanes: Collection[str] | None = None) -> list[Customer]:
    """The customers in order of arrival. `lanes`: what the office has; None asks nothing about lanes.

    Raises FaultyDay with everything that is wrong, each row named by its line number.
    """
    rows = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    reader = _Reader()
    try:
        header = [name.strip() for name in next(rows, [])]
        if faults := list(_header_faults(header)):
            raise FaultyDay(faults)
        for row in rows:
            if any(field.strip() for field in row):
                reader.read(rows.line_num, header, row)
    except csv.Error as error:
        reader.faults.append(f"{rows.line_num} 行目: CSV として読めません（{error}）")
    if lanes is not None and (missing := missing_lanes(reader.lanes, lanes)):
        reader.faults.append(missing)
    if not reader.customers and not reader.faults:
        reader.faults.append("来庁者が一人も書かれていません")
    if reader.faults:
        shown, more = reader.faults[:FAULTS_SHOWN], len(reader.faults) - FAULTS_SHOWN
        raise FaultyDay([*shown, f"ほかに {more} 件の誤りがあります"] if more > 0 else shown)
    return sorted(reader.customers, key=lambda customer: customer.arrived_at)


def missing_lanes(wanted: Iterable[str], lanes: Collection[str]) -> str | None:
    """One sentence about all lanes that the office lacks, or None. `wanted` names a lane once for each customer."""
    lacking = sorted(Counter(lane for lane in wanted if lane not in lanes).items())
    if not lacking:
        return None
    named = "、".join(f"{lane}（{count} 人）" for lane, count in lacking)
    return f"この窓口課にない業務があります: {named}。あるのは {'、'.join(sorted(lanes))} です"


class _Reader:
    def __init__(self) -> None:
        self.customers: list[Customer] = []
        self.faults: list[str] = []
        self.lanes: list[str] = []  # of every row, faulty or not
        self._date: date | None = None  # of the first time that names one: a file is one day

    def read(self, line: int, header: list[str], row: list[str]) -> None:
        """One row; everything wrong with it becomes faults."""
        if len(row) != len(header):
            self.faults.append(f"{line} 行目: 項目が {len(row)} 個です。見出しは {len(header)} 個です")
            return
        fields = {name: field.strip() for name, field in zip(header, row, strict=True)}
        self.lanes += filter(None, [fields["lane"]])
        read: dict[str, int] = {}
        wrong: list[str] = []
        for name, convert in (
            ("arrived_at", self._seconds),
            ("left_at", self._seconds),
            ("service_seconds", _figure),
            ("walk_minutes", _figure),
            ("priority", _figure),
        ):
            if fields.get(name):
                try:
                    read[name] = convert(fields[name])
                except ValueError as error:
                    wrong.append(f"{name} の「{fields[name]}」は{error}")
        wrong += _contradictions(fields, read)
        self.faults.extend(f"{line} 行目: {fault}" for fault in wrong)
        if not wrong:
            self.customers.append(
                Customer(
                    arrived_at=read["arrived_at"],
                    lane=fields["lane"],
                    source=fields["source"],
                    service_seconds=read.get("service_seconds"),
                    left_at=read.get("left_at"),
                    contact=fields.get("contact") or None,
                    walk_minutes=read.get("walk_minutes"),
                    priority=read.get("priority", 0),
                )
            )

    def _seconds(self, text: str) -> int:
        """HH:MM:SS, or ISO 8601 with or without an offset; without one it is office time."""
        if clock := _CLOCK.fullmatch(text):
            return int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("時刻（HH:MM:SS）でも ISO 8601 の日時でもありません") from None
        if ":" not in text:
            raise ValueError("日付だけで、時刻がありません")
        if moment.tzinfo is not None:
            moment = moment.astimezone(ZONE)
        self._date = self._date or moment.date()
        if moment.date() != self._date:
            raise ValueError(f"{self._date} と別の日です")
        return moment.hour * 3600 + moment.minute * 60 + moment.second


def _header_faults(header: list[str]) -> Iterator[str]:
    if not any(header):
        yield f"1 行目: 見出しがありません。少なくとも {','.join(REQUIRED)} を書いてください"
        return
    if unknown := [name for name in header if name not in (*REQUIRED, *OPTIONAL)]:
        known = "、".join((*REQUIRED, *OPTIONAL))
        yield f"1 行目: 知らない見出し {'、'.join(map(repr, unknown))}。使えるのは {known} です"
    if missing := [name for name in REQUIRED if name not in header]:
        yield f"1 行目: 見出し {'、'.join(missing)} がありません"
    if twice := sorted({name for name in header if header.count(name) > 1}):
        yield f"1 行目: 見出し {'、'.join(twice)} が二度書かれています"


def _contradictions(fields: dict[str, str], read: dict[str, int]) -> Iterator[str]:
    for name in ("arrived_at", "lane", "source"):
        if not fields[name]:
            yield f"{name} が空です"
    for name, allowed in (("source", SOURCES), ("contact", CONTACTS)):
        if fields.get(name) and fields[name] not in allowed:
            yield f"{name} の「{fields[name]}」は {'、'.join(allowed)} のどれでもありません"
    if not fields["service_seconds"] and not fields.get("left_at"):
        yield "service_seconds も left_at もなく、この方がどう終えたか分かりません"
    if "arrived_at" in read and read.get("left_at", read["arrived_at"]) < read["arrived_at"]:
        yield "left_at が arrived_at より前です"


def _figure(text: str) -> int:
    """A whole number; fractions of a second are rounded."""
    if _FIGURE.fullmatch(text) is None:
        raise ValueError("6 桁までの数ではありません")
    return round(float(text))
