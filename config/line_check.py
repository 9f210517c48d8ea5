"""The ward's account in LINE as it stands: is the token good, does the webhook lead here, has the month some left."""

import asyncio

from config.faults import Fault
from config.settings import WHERE, Machine
from workers.carriers.server import LineServer

WEBHOOK = "/line/webhook"
FEWEST_LEFT = 300  # messages: a day of a middling ward
CONSOLE = "LINE Developers の「Messaging API設定」"


def faults_of_line(machine: Machine) -> list[Fault]:
    """Asks LINE, within a few seconds; nothing where no token is set."""
    if machine.line_token is None:
        return []
    server = LineServer(machine.line_url, machine.line_token.get_secret_value())
    return asyncio.run(_faults(server, f"{machine.public_url or ''}{WEBHOOK}"))


async def _faults(server: LineServer, wanted: str) -> list[Fault]:
    from workers.carriers.line import LineSays, quota_left, webhook_of  # its library takes seconds

    try:
        left = await quota_left(server)
        webhook, is_on = await webhook_of(server)
    except LineSays as error:
        return [_unanswered(server, str(error))]
    faults = []
    if webhook != wanted:
        faults.append(Fault(WHERE, "JUNBAN_PUBLIC_URL", f"{CONSOLE}の Webhook URL を {wanted} にしてください。"))
    if not is_on:
        faults.append(Fault(WHERE, "JUNBAN_LINE_SECRET", f"{CONSOLE}で「Webhookの利用」をオンにしてください。"))
    if left is not None and left < FEWEST_LEFT:
        faults.append(
            Fault(
                WHERE,
                "JUNBAN_LINE_TOKEN",
                f"今月送れる LINE のメッセージは残り {max(0, left):,} 通です。料金プランの上限を上げてください。"
                "なくなると、メールや電話で知らせます。",
            )
        )
    return faults


def _unanswered(server: LineServer, why: str) -> Fault:
    if why in ("401", "403"):
        sentence = "LINE がこのトークンを受け付けません。チャネルアクセストークン（長期）を発行し直してください。"
        return Fault(WHERE, "JUNBAN_LINE_TOKEN", sentence)
    sentence = f"{server.url} から答えがありません（{why}）。外へ出る通信の設定を確かめてください。"
    return Fault(WHERE, "JUNBAN_LINE_URL", sentence)
