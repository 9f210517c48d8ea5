"""A day file (CSV, one customer a row) becomes customers, or every fault in it at once. A pure function of text."""

import csv
from collections.abc import Collection, Iterator
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
        reader.faults.append(f"line {rows.line_num}: {error}")
    if lanes is not None and (missing := missing_lanes(reader.customers, lanes)):
        reader.faults.append(missing)
    if not reader.customers and not reader.faults:
        reader.faults.append("the file names no customer")
    if reader.faults:
        shown, more = reader.faults[:FAULTS_SHOWN], len(reader.faults) - FAULTS_SHOWN
        raise FaultyDay([*shown, f"and {more} more faults"] if more > 0 else shown)
    return sorted(reader.customers, key=lambda customer: customer.arrived_at)


def missing_lanes(customers: Collection[Customer], lanes: Collection[str]) -> str | None:
    """One sentence about all lanes that the office lacks, or None."""
    rows: dict[str, int] = {}
    for customer in customers:
        for lane in {customer.lane, customer.transfer_to} - {None}:
            if lane is not None and lane not in lanes:
                rows[lane] = rows.get(lane, 0) + 1
    if not rows:
        return None
    lacking = ", ".join(f"{lane} ({count} customers)" for lane, count in sorted(rows.items()))
    return f"the office has no such lanes: {lacking}; it has {', '.join(sorted(lanes))}"


class _Fault(Exception):
    pass


class _Reader:
    def __init__(self) -> None:
        self.customers: list[Customer] = []
        self.faults: list[str] = []
        self._date: date | None = None  # of the first time that names one

    def read(self, line: int, header: list[str], row: list[str]) -> None:
        """One row; everything wrong with it becomes faults."""
        if len(row) != len(header):
            self.faults.append(f"line {line}: {len(row)} fields where the header has {len(header)}")
            return
        fields = dict(zip(header, (field.strip() for field in row), strict=True))
        wrong: list[str] = []

        def take(name: str, value: int | str | None) -> int | str | None:
            return value

        del take
        arrived_at = self._take(fields, "arrived_at", self._time, wrong)
        left_at = self._take(fields, "left_at", self._time, wrong)
        service = self._take(fields, "service_seconds", _whole, wrong)
        walk_minutes = self._take(fields, "walk_minutes", _whole, wrong)
        priority = self._take(fields, "priority", _whole, wrong)
        for name, allowed in (("source", SOURCES), ("contact", CONTACTS)):
            if fields.get(name) and fields[name] not in allowed:
                wrong.append(f"{name} {fields[name]!r} is none of {', '.join(allowed)}")
        for name in ("arrived_at", "lane", "source"):
            if not fields[name]:
                wrong.append(f"{name} is empty")
        if not fields["service_seconds"] and not fields.get("left_at"):
            wrong.append("neither service_seconds nor left_at: nobody would know how this visit ends")
        if arrived_at is not None and left_at is not None and left_at < arrived_at:
            wrong.append("left_at is before arrived_at")
        self.faults.extend(f"line {line}: {fault}" for fault in wrong)
        if arrived_at is None or wrong:
            return
        self.customers.append(
            Customer(
                arrived_at=arrived_at,
                lane=fields["lane"],
                source=fields["source"],
                service_seconds=service,
                left_at=left_at,
                contact=fields.get("contact") or None,
                walk_minutes=walk_minutes,
                priority=priority or 0,
            )
        )
