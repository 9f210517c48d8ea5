"""What `junban worker CARRIER` does: send one carrier's notices until it is stopped. Its store may come and go."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from config import logs
from config.alive import toucher
from config.mail import MailSettings
from hub.desk.lane import Office
from hub.desk.notices import Carrier
from hub.desk.refusals import StoreAway
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.links import Links
from hub.store.outbox import Outbox
from workers.answering import Answers, answer_all
from workers.carriers.email import EmailCarrier
from workers.carriers.sending import Sender
from workers.drain import Drain, Superseded
from workers.jobs import Executor
from workers.wake import Waker

CONNECTIONS = 2  # to the carrier, at once; nine hundred mails a second were measured on one
TOKYO = ZoneInfo("Asia/Tokyo")


class WorkerEnded(RuntimeError):
    """One sentence for the operator."""


def run(
    office: Office, carrier: Carrier, mail: MailSettings, *, redis_url: str, jobs_url: str, alive: Path | None = None
) -> None:
    """Until SIGTERM or SIGINT. Raises WorkerEnded where a later worker took over, and KeysUnusable."""
    logs.set_up()
    keys = mail.key_host()
    touch = toucher(alive)

    def on_alive() -> None:
        keys.forget_gone()  # a destroyed key leaves this memory within seconds
        touch()

    client = connect(redis_url)
    waker = Waker(jobs_url, office.key)
    senders = senders_of(office, carrier, mail)

    async def wake(other: Carrier) -> None:
        with contextlib.suppress(StoreAway):  # the keeper's loop finds it in a second
            await asyncio.to_thread(waker.wake, other)

    written = Links(client, office)
    drain = Drain(
        carrier,
        office,
        Outbox(client, office),
        Contacts(client, office),
        keys,
        senders,
        public_url=mail.public_url,
        now=lambda: datetime.now(TOKYO),
        on_due=wake,
        is_stopping=lambda: executor.is_stopping,
    )

    async def goodbye() -> None:
        for sender in senders:
            await sender.close()
        await client.aclose()
        waker.close()

    async def run_once() -> None:
        await drain.run()
        if isinstance(senders[0], Answers):
            await answer_all(written, senders[0])

    executor = Executor(jobs_url, office.key, carrier, run_once, on_alive=on_alive, ends=(Superseded,))
    executor.run(goodbye)
    if executor.ended_by is not None:
        raise WorkerEnded(
            f"この送信手段（{carrier}）は別のワーカーが引き継いだか、ストアの内容が失われました。"
            "ワーカーは送信手段ごとに 1 つだけ動かしてください。"
        )


def senders_of(office: Office, carrier: Carrier, mail: MailSettings) -> Sequence[Sender]:
    """As many connections as are used at once. Raises WorkerEnded for a carrier that this machine is not set for."""
    match carrier:
        case Carrier.EMAIL if mail.server is not None:
            server = mail.server
            return [EmailCarrier(server, mail.sender, office.name, bounces=mail.bounces) for _ in range(CONNECTIONS)]
        case Carrier.LINE if mail.line is not None:
            from workers.carriers.line import LineCarrier  # its library takes seconds, and no other worker needs it

            return [LineCarrier(mail.line, office.key) for _ in range(CONNECTIONS)]
        case Carrier.PHONE if mail.phone is not None:
            from workers.carriers.phone import PhoneCarrier

            return [PhoneCarrier(mail.phone) for _ in range(CONNECTIONS)]
        case _:
            raise WorkerEnded(f"この機械には {carrier} で送る設定がありません。junban check で確かめてください。")
