"""What a resident reads in a notice, in Japanese and then in English. No address stands in it, no lane or number in a
subject; nothing here knows how it is sent.
"""

from dataclasses import dataclass

RULE = "－" * 20


@dataclass(frozen=True, slots=True)
class Text:
    """What the resident reads."""

    subject: str
    body: str


def registered(office: str, stop_url: str) -> Text:
    """The wish itself: whoever did not make it learns of it, and can end it."""
    return Text(
        subject=f"【{office}】順番のお知らせを受け付けました / Notice registered",
        body=f"""\
{office}からお知らせします。

順番が近くなりましたら、このメールアドレスにお知らせします。

このメールアドレスは、順番のお知らせのほかには使いません。
ご利用の日の翌日に消去します。

お心当たりのない場合は、このメールを破棄してください。
お知らせをやめて、メールアドレスをすぐに消去するには、こちらを開いてください。
{stop_url}

このメールは自動でお送りしています。ご返信いただいてもお答えできません。

{RULE}

This is {office} (ward office).

We will send a message to this address when your turn is near.
The address is used for nothing else and is erased on the day after.

If this was not you, please ignore this message.
To stop and have the address erased at once, open:
{stop_url}

This message was sent automatically. Replies are not read.
""",
    )


def near(office: str, *, number: str, lane: str, ahead: int, ticket_url: str, stop_url: str) -> Text:
    """The turn is near. `ahead`: people who wait before the resident at this moment, 0: nobody."""
    before = f"前にお待ちの方は、あと {ahead} 人です。" if ahead else "次にお呼びします。"
    people = f"{ahead} {'person is' if ahead == 1 else 'people are'} ahead of you now." if ahead else "You are next."
    return Text(
        subject=f"【{office}】まもなく順番です / Your turn is near",
        body=f"""\
{office}からお知らせします。

まもなく順番です。窓口の近くでお待ちください。

  受付番号  {number}
  業務      {lane}
  {before}

いまの状況は、こちらでご覧いただけます。
{ticket_url}

お知らせをやめて、メールアドレスをすぐに消去するには、こちらを開いてください。
{stop_url}

このメールは自動でお送りしています。ご返信いただいてもお答えできません。

{RULE}

This is {office} (ward office).

Your turn is near. Please wait close to the counters.

  Number    {number}
  Business  {lane}
  {people}

See your place now:
{ticket_url}

To stop and have your address erased at once, open:
{stop_url}

This message was sent automatically. Replies are not read.
""",
    )
