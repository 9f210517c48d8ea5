"""What `junban inbox` does: takes mails on one port of loopback and shows them on another, until it is stopped."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from config.loopback import address_of, place_at, serve_page
from config.practice.inbox import HOST, Inbox, receiving
from config.practice.inbox_pages import inbox_app


def run(*, port: int, mail_port: int, slips: Path | None, say: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT. Raises OSError where a port is taken."""
    asyncio.run(_run(port, mail_port, slips, say))


async def _run(port: int, mail_port: int, slips: Path | None, say: Callable[[str], None]) -> None:
    inbox = Inbox()
    with place_at(port) as place:
        async with receiving(inbox, mail_port) as taken:
            say(f"  メールの受信箱  {address_of(place)}")
            say(f"  JUNBAN_SMTP_URL=smtp://{HOST}:{taken}?starttls=never")
            await serve_page(inbox_app(inbox, slips), place)
