"""Moments as staff reads them: in Tokyo, and how long ago."""

from dataclasses import dataclass
from datetime import UTC, datetime

from hub.desk.hours import MINUTE_MS, WEEKDAY_LETTERS
from web.models import TOKYO

HOUR_MS, DAY_MS = 60 * MINUTE_MS, 24 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime

    @property
    def minutes(self) -> str:
        return f"{self.at.hour}:{self.at:%M}"

    @property
    def seconds(self) -> str:
        return f"{self.at.hour}:{self.at:%M:%S}"

    @property
    def date(self) -> str:
        return f"{self.at.year}年{self.at.month}月{self.at.day}日（{WEEKDAY_LETTERS[self.at.weekday()]}）"

    @property
    def full(self) -> str:
        return f"{self.date} {self.seconds}"

    @property
    def machine(self) -> str:
        """For `datetime` of a <time>."""
        return self.at.isoformat(timespec="milliseconds")


def moment(ms: int) -> Moment:
    return Moment(datetime.fromtimestamp(ms / 1000, UTC).astimezone(TOKYO))


def date_of(ms: int) -> str:
    at = moment(ms).at
    return f"{at.year}年{at.month}月{at.day}日"


def today(now_ms: int) -> str:
    """The date in Tokyo, YYYY-MM-DD."""
    return moment(now_ms).at.date().isoformat()


def ago(ms: int, now_ms: int) -> str:
    """How long ago something was, in the one unit that matters."""
    if not ms:
        return "まだありません"
    passed = now_ms - ms
    if passed < MINUTE_MS:
        return "たったいま"
    if passed < HOUR_MS:
        return f"{passed // MINUTE_MS} 分前"
    if passed < DAY_MS:
        return f"{passed // HOUR_MS} 時間前"
    return f"{passed // DAY_MS} 日前"
