"""What `junban inbox` does: takes mails on one port of loopback and shows them on another, until it is stopped; there
it is also LINE and the telephone carrier, where the machine is set for them.
"""

import asyncio
from pathlib import Path

from config.commands.asking import Say
from config.loopback import address_of, place_at, serve_page
from config.practice.deliveries import Deliveries
from config.practice.inbox import HOST, Inbox, receiving
from config.practice.inbox_pages import StandIns, inbox_app
from config.practice.line_stand_in import LineStandIn
from config.practice.phone_stand_in import PhoneStandIn
from config.settings import Machine


def run(machine: Machine, *, port: int, mail_port: int, slips: Path | None, hub: str | None, say: Say) -> None:
    """Until SIGTERM or SIGINT. Raises OSError where a port is taken."""
    asyncio.run(_run(stand_ins_of(machine, hub), port, mail_port, slips, say))


def stand_ins_of(machine: Machine, hub: str | None) -> StandIns:
    """Those that this machine has the secrets of. `hub`: the public pages, which LINE tells what happens."""
    deliveries = Deliveries()
    token, secret = machine.line_token, machine.line_secret
    line = (
        LineStandIn(token.get_secret_value(), secret.get_secret_value(), f"{hub}/line/webhook", on_said=deliveries.said)
        if token and secret and hub
        else None
    )
    account, key = machine.phone_account, machine.phone_token
    phone = PhoneStandIn(account, key.get_secret_value(), on_told=deliveries.told) if account and key else None
    return StandIns(line, phone, deliveries if line and phone else None)


async def _run(stand_ins: StandIns, port: int, mail_port: int, slips: Path | None, say: Say) -> None:
    inbox = Inbox()
    with place_at(port) as place:
        async with receiving(inbox, mail_port) as taken:
            say(f"  メールの受信箱  {address_of(place)}")
            say(f"  JUNBAN_SMTP_URL=smtp://{HOST}:{taken}?starttls=never")
            await serve_page(inbox_app(inbox, slips, stand_ins), place)
