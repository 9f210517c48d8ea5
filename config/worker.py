"""What `junban worker CARRIER` does: send one carrier's notices until it is stopped. Its store may come and go."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from config import logs
from config.alive import toucher
from config.mail import MailSettings
from hub.desk.lane import Office
from hub.desk.notices import Carrier
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.outbox import Outbox
from workers.carriers.email import EmailCarrier
from workers.drain import Drain, Superseded
from workers.jobs import Executor

CONNECTIONS = 2  # to the mail server, at once; nine hundred mails a second were measured on one
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
    senders = [EmailCarrier(mail.server, mail.sender, office.name) for _ in range(CONNECTIONS)]
    drain = Drain(
        carrier,
        office,
        Outbox(client, office),
        Contacts(client, office),
        keys,
        senders,
        public_url=mail.public_url,
        now=lambda: datetime.now(TOKYO),
        is_stopping=lambda: executor.is_stopping,
    )

    async def goodbye() -> None:
        for sender in senders:
            await sender.close()
        await client.aclose()

    executor = Executor(jobs_url, office.key, carrier, drain.run, on_alive=on_alive, ends=(Superseded,))
    executor.run(goodbye)
    if executor.ended_by is not None:
        raise WorkerEnded(
            "この業務は別のワーカーが引き継いだか、ストアの内容が失われました。ワーカーは 1 つだけ動かしてください。"
        )
