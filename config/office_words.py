"""What the parts of an office file are written with: keys, names, times. Each says its remedy where it does not fit."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from config.faults import own_fault


def written(pattern: str, remedy: str) -> AfterValidator:
    """Text that matches wholly, or the remedy."""
    form = re.compile(pattern)

    def check(text: str) -> str:
        if form.fullmatch(text) is None:
            raise own_fault(remedy)
        return text

    return AfterValidator(check)


# Keys travel in Redis keys, paths and frames. A name of 40 letters is what a wall has room for. A digit in the prefix
# of one lane would make numbers of another.
Key = Annotated[str, written(r"[a-z0-9_-]{1,32}", "英小文字・数字・_・- の 1〜32 文字で書いてください。")]
Name = Annotated[str, written(r"[^\x00-\x1f\x7f]{1,40}", "改行などを含まない 1〜40 文字で書いてください。")]
Prose = Annotated[
    str,
    written(
        r"(?=.*\S)[^\x00-\x09\x0b-\x1f\x7f]{1,2000}", "改行のほかの制御文字を含まない 1〜2,000 文字で書いてください。"
    ),
]
Version = Annotated[str, written(r"[A-Za-z0-9._-]{1,32}", "英数字と . _ - の 1〜32 文字で書いてください。")]
Prefix = Annotated[str, written(r"[A-Z]{0,3}", "英大文字 3 文字以内で書いてください（空でもかまいません）。")]

TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00"
Time = Annotated[str, written(TIME, "HH:MM の形で書いてください（24:00 まで）。")]


def minutes(time: str) -> int:
    """Minutes since midnight of a `Time`."""
    return int(time[:2]) * 60 + int(time[3:])


class Entry(BaseModel):
    """A table of the file: nothing in it is unknown, nothing is read as something else."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
