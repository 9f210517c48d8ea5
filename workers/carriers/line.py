"""LINE: a push under a key that is made from the notice, so that LINE itself sends it once. Nothing else is ever asked.

The library waits five minutes by itself, prints answers where its log is open and reads the machine's proxy: a time-out
stands on every call, its log stays shut, and nothing of an answer but a number or a word of ours leaves this module.
"""

import hashlib
import logging
import re
import uuid

import aiohttp
import structlog
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
    PushMessageRequest,
    ReplyMessageRequest,
    TextMessage,
)

from hub.desk.notices import KNOWS_AGAIN, Carrier
from hub.store.sealing import Contact
from workers.carriers.sending import Fate, Message, Outcome
from workers.carriers.server import LineServer

_log = structlog.get_logger("workers.carriers.line")

TIMEOUT_S = 5.0  # of one call; the outbox holds a notice for seven times as long
USER = re.compile(r"U[0-9a-f]{32}", re.ASCII)
MONTH = b"monthly limit"  # "You have reached your monthly limit.": the other 429 is about this very second
# About us or the account, not about the resident: the contact must not be erased for it.
ABOUT_US = frozenset({401, 403, 404, 405, 413, 415})

logging.getLogger("linebot").setLevel(logging.WARNING)  # at DEBUG it prints what LINE answers


class LineCarrier:
    """One connection, opened at the first message. `retry_scope` makes the keys of two offices different ones."""

    knows_again = Carrier.LINE in KNOWS_AGAIN

    def __init__(self, server: LineServer, retry_scope: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._server = server
        self._scope = retry_scope
        self._timeout_s = timeout_s
        self._client: AsyncApiClient | None = None

    async def send(self, contact: Contact, message: Message) -> Outcome:
        """Hand one message over. Raises nothing but CancelledError; sent again, it is the same message."""
        if not USER.fullmatch(contact.to):
            return Outcome(Fate.REFUSED, "user")
        push = PushMessageRequest(to=contact.to, messages=[TextMessage(text=message.text.body)])
        key = retry_key(self._scope, message.notice)
        try:
            await self._api().push_message(push, x_line_retry_key=key, _request_timeout=self._timeout_s)
        except ApiException as error:
            return _outcome(error)
        except aiohttp.ClientConnectorError:
            return Outcome(Fate.AGAIN, "connect lost")  # not one byte of it was sent
        except (aiohttp.ClientError, OSError) as error:
            is_silent = isinstance(error, TimeoutError)
            return Outcome(Fate.UNCERTAIN, "timeout" if is_silent else "lost", is_silent)
        except Exception as error:  # an answer that is none of LINE's; what it says stays here
            _log.error("sending failed", error=type(error).__name__)
            return Outcome(Fate.UNCERTAIN, "fault")
        return Outcome(Fate.ACCEPTED, "200")

    async def answer(self, reply_token: str, text: str) -> None:
        """Answer somebody who wrote; who it was is not known here. One that cannot be answered is not."""
        reply = ReplyMessageRequest(replyToken=reply_token, messages=[TextMessage(text=text)])
        try:
            await self._api().reply_message(reply, _request_timeout=self._timeout_s)
        except (ApiException, aiohttp.ClientError, OSError) as error:
            _log.info("not answered", code=getattr(error, "status", None) or "lost")
        except Exception as error:
            _log.error("answering failed", error=type(error).__name__)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
        self._client = None

    def _api(self) -> AsyncMessagingApi:
        if self._client is None:  # it wants the loop that it is used in
            self._client = AsyncApiClient(Configuration(access_token=self._server.token, host=self._server.url))
        return AsyncMessagingApi(self._client)


def retry_key(scope: str, notice: str) -> str:
    """The same UUID for the same notice, always."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"{scope} {notice}".encode()).digest()[:16], version=4))


def _outcome(error: ApiException) -> Outcome:
    status = int(error.status or 0)
    code = str(status)
    if status == 409:  # accepted before, under this key
        return Outcome(Fate.ACCEPTED, code)
    if status == 429 and MONTH in _body(error):
        return Outcome(Fate.ELSEWHERE, "429 month")
    if 400 <= status < 500 and status != 429 and status not in ABOUT_US:
        return Outcome(Fate.REFUSED, code)
    if 400 <= status < 500 or status == 503:  # not let in, too many at once, or nobody there to take it
        return Outcome(Fate.AGAIN, code)
    return Outcome(Fate.UNCERTAIN, code)


def _body(error: ApiException) -> bytes:
    body = error.body
    return body if isinstance(body, bytes) else str(body or "").encode()


async def quota_left(server: LineServer, *, timeout_s: float = TIMEOUT_S) -> int | None:
    """How many messages this month still has; None: without a bound. Raises LineSays."""
    carrier = LineCarrier(server, "")
    try:
        api = carrier._api()
        quota = await api.get_message_quota(_request_timeout=timeout_s)
        used = await api.get_message_quota_consumption(_request_timeout=timeout_s)
        return None if quota.value is None else int(quota.value) - int(used.total_usage)
    except ApiException as error:
        raise LineSays(str(error.status)) from None
    except (TimeoutError, aiohttp.ClientError, OSError):
        raise LineSays("lost") from None
    finally:
        await carrier.close()


async def webhook_of(server: LineServer, *, timeout_s: float = TIMEOUT_S) -> tuple[str, bool]:
    """Where LINE tells what happens, and whether it does. Raises LineSays."""
    carrier = LineCarrier(server, "")
    try:
        told = await carrier._api().get_webhook_endpoint(_request_timeout=timeout_s)
        return str(told.endpoint), bool(told.active)
    except ApiException as error:
        raise LineSays(str(error.status)) from None
    except (TimeoutError, aiohttp.ClientError, OSError):
        raise LineSays("lost") from None
    finally:
        await carrier.close()


class LineSays(Exception):
    """Why a question was not answered: LINE's number, or `lost`."""
