"""One request of a resident over HTTP: what kind it is, and its body read once within bounds. No rule of its own."""

import json
import re
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from hub.desk.refusals import BadMessage
from hub.wire.tickets import BODY_BYTES, Wish, WishByForm

COOKIE = "junban"
MOST_FIELDS = 12  # a telephone number has ten
_COOKIE = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)

_M = TypeVar("_M", bound=msgspec.Struct)
_W = TypeVar("_W", bound=Wish)


class Asked:
    """A request as JSON or as a plain form. Every way of reading it raises BadMessage."""

    def __init__(self, request: Request) -> None:
        self._request = request
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.is_form = kind == "application/x-www-form-urlencoded"
        self.is_json = kind == "application/json"
        self.fields: dict[str, str] = {}
        self._body = b""
        held = request.cookies.get(COOKIE, "")
        self.cookie = held if _COOKIE.fullmatch(held) else None

    async def read(self) -> None:
        if not (self.is_form or self.is_json):
            raise BadMessage
        async for chunk in self._request.stream():
            self._body += chunk
            if len(self._body) > BODY_BYTES:
                raise BadMessage
        if self.is_form:
            try:
                self.fields = _once(parse_qsl(self._body.decode("ascii"), max_num_fields=MOST_FIELDS, errors="strict"))
            except ValueError as error:
                raise BadMessage from error

    def read_as(self, kind: type[_M]) -> _M:
        return self.as_form(kind) if self.is_form else self.as_json(kind)

    def as_wish(self, kind: type[_W], form: type[WishByForm]) -> _W:
        """`form`: the same as a form says it, whose figures are text and whose tick is `on`."""
        if not self.is_form:
            return self.as_json(kind)
        told = self.as_form(form)
        figures = {"ahead": int(told.ahead), "minutes": int(told.minutes), "consent": told.consent == "on"}
        return kind(**(msgspec.structs.asdict(told) | figures))

    def as_form(self, kind: type[_M]) -> _M:
        try:
            return msgspec.convert(self.fields, kind)
        except msgspec.ValidationError as error:
            raise BadMessage from error

    def as_json(self, kind: type[_M]) -> _M:
        try:
            json.loads(self._body, object_pairs_hook=_once)
            return msgspec.json.decode(self._body, type=kind)
        except (ValueError, RecursionError) as error:  # what either library raises is a ValueError
            raise BadMessage from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Fields as a dictionary. Raises ValueError for one said twice: two readers could take a different one of them."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field said twice")
    return fields
