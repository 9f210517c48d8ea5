"""How an answer is made of what is told, and of a refusal. What every answer says about itself besides: headers.py."""

import msgspec
from starlette.responses import Response

from hub.desk.refusals import ForeignPage, NoAccess, NotUnderstood, Refusal
from hub.wire.messages import RefusalBody


def as_json(told: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(told), status, media_type="application/json")


def refused(refusal: Refusal) -> Response:
    """To a program or a script: as in a reply."""
    return as_json({"refusal": body_of(refusal)}, status_of(refusal))


def body_of(refusal: Refusal) -> RefusalBody:
    return RefusalBody(refusal.code, refusal.said, refusal.again, dict(refusal.details))


def status_of(refusal: Refusal) -> int:
    if refusal.again:
        return 503
    if isinstance(refusal, ForeignPage | NoAccess):
        return 403
    return 400 if isinstance(refusal, NotUnderstood) else 409
