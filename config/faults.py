"""What is wrong with the configuration: every fault as one sentence that names file, key and remedy.

The sentences are Japanese, for the operators of a ward office; keys stay as they are written in the file. A value is
never repeated: a URL may hold a password.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

OWN = "own"  # the type under which pydantic carries a remedy of ours


@dataclass(frozen=True, slots=True)
class Fault:
    """`where`: a file, or 環境変数; `key`: the setting, as in `lanes[2].first`, empty for the file as a whole."""

    where: str
    key: str
    remedy: str

    def as_fields(self) -> dict[str, str]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.where}: {self.key}: {self.remedy}" if self.key else f"{self.where}: {self.remedy}"


class Faulty(Exception):
    """The configuration cannot be used; `faults` are all that was found, in the order of the file."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(map(str, faults)))


def key_of(path: Sequence[str | int]) -> str:
    """`("lanes", 2, "first")` → `lanes[2].first`, counted as in the program, from 0."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def faults_of(error: ValidationError, where: str) -> list[Fault]:
    """What pydantic found, in our words."""
    return [Fault(where, key_of(found["loc"]), _remedy(found)) for found in error.errors(include_url=False)]


def own_fault(remedy: str) -> PydanticCustomError:
    """What a validator of ours raises."""
    return PydanticCustomError(OWN, "{remedy}", {"remedy": remedy})


def _remedy(found: Mapping[str, Any]) -> str:
    say = REMEDIES.get(found["type"])
    limits: Mapping[str, Any] = found.get("ctx", {})
    return say(limits) if say else f"値が正しくありません（{found['msg']}）。README の設定の表をご覧ください。"


REMEDIES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "必要な項目がありません。書き加えてください。",
    "extra_forbidden": lambda _: "知らない項目です。つづりを確かめるか、削除してください。",
    "int_type": lambda _: "整数で、引用符を付けずに書いてください。",
    "int_parsing": lambda _: "整数で書いてください。",
    "int_from_float": lambda _: "整数で書いてください。",
    "string_type": lambda _: "文字列で、引用符を付けて書いてください。",
    "list_type": lambda _: "[ ] で囲んだ一覧で書いてください。",
    "dict_type": lambda _: "{ 項目 = 値 } の形で書いてください。",
    "literal_error": lambda limit: f"{limit['expected']} のどれかで書いてください。",
    "model_type": lambda _: "{ 項目 = 値 } の形で書いてください。",
    "greater_than_equal": lambda limit: f"{limit['ge']} 以上にしてください。",
    "less_than_equal": lambda limit: f"{limit['le']} 以下にしてください。",
    "string_too_short": lambda _: "空にせず、文字を書いてください。",
    "too_short": lambda limit: f"{limit['min_length']} 個以上書いてください。",
    "too_long": lambda limit: f"{limit['max_length']} 個以内にしてください。",
    OWN: lambda limit: str(limit["remedy"]),
}
