"""A form of staff: where it comes from, and its fields read once within bounds. No rule of its own.

A browser sends the cookie of whoever sits there along with any form of any page; Origin and Sec-Fetch-Site alone say
which page it was (OWASP, Cross-Site Request Forgery Prevention).
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from hub.desk.refusals import BadMessage, ForeignPage
from hub.edge.guards import Guard

FORM_BYTES = 16 * 1024  # three passwords of 128 letters, each of 12 characters as a form writes it, and room
MOST_FIELDS = 12
KIND = "application/x-www-form-urlencoded"
LONGEST_PATH = 200
# No second slash, no backslash, no scheme: nothing of it can be read as another host.
_OWN_PATH = re.compile(r"/|(?:/[A-Za-z0-9._~=?&%+,-]+)+/?", re.ASCII)


def check_page(request: Request, guard: Guard) -> None:
    """Raises ForeignPage unless a page of our own sends this."""
    headers = request.headers
    hosts, origins, sites = (headers.getlist(name) for name in ("host", "origin", "sec-fetch-site"))
    if not guard.allows_by_cookie(request.scope["scheme"], hosts, origins, sites):
        raise ForeignPage


async def read_form(request: Request) -> Mapping[str, str]:
    """Each field once. Raises BadMessage."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != KIND:
        raise BadMessage
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise BadMessage
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise BadMessage from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise BadMessage
    return fields


def own_path(text: str) -> str:
    """`text` where it is a path on this very host that one can go to, else ''."""
    if len(text) > LONGEST_PATH or _OWN_PATH.fullmatch(text) is None or text.startswith(("/sign-", "/session")):
        return ""
    return text
