"""What a resident reads or hears in a notice. No contact stands in it, and no lane or number in a subject; nothing here
knows how it is sent.

A mail is in Japanese and then in English. LINE keeps what it carries: there are two texts for each language and no
other, which say nothing of counter, business, number or place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.desk.notices import Carrier, Trigger
from hub.store.sealing import By, Language

RULE = "－" * 20


@dataclass(frozen=True, slots=True)
class Text:
    """What the resident reads."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Matter:
    """What a notice is about, and how it may be told. `ahead`: people, at this moment."""

    office: str
    trigger: Trigger
    number: str
    lane: str
    ahead: int
    public_url: str
    stop_url: str
    counter: str = ""
    language: Language = Language.JAPANESE
    by: By = By.SMS


def registered(office: str, stop_url: str) -> Text:
    """The wish itself: whoever did not make it learns of it, and can end it."""
    return Text(
        subject=f"【{office}】順番のお知らせを受け付けました / Notice registered",
        body=f"""\
{office}からお知らせします。

順番が近づいたとき、お呼びするときなどに、このメールアドレスにお知らせします。

このメールアドレスは、順番のお知らせのほかには使いません。
ご利用の日の翌日に消去します。

お心当たりのない場合は、このメールを破棄してください。
お知らせをやめて、メールアドレスをすぐに消去するには、こちらを開いてください。
{stop_url}

このメールは自動でお送りしています。ご返信いただいてもお答えできません。

{RULE}

This is {office} (ward office).

We will send messages about your turn to this address: when it is near, when you are called, and so on.
The address is used for nothing else and is erased on the day after.

If this was not you, please ignore this message.
To stop and have the address erased at once, open:
{stop_url}

This message was sent automatically. Replies are not read.
""",
    )


@dataclass(frozen=True, slots=True)
class _About:
    """What a mail says of one trigger, in both languages; `{place}` is where the resident stands."""

    subject: str
    subject_en: str
    says: str
    says_en: str


_PLACE = "place"
_COUNTER = "counter"

MAILS: Mapping[Trigger, tuple[_About, str]] = {
    Trigger.NEAR: (
        _About(
            "まもなく順番です",
            "Your turn is near",
            "まもなく順番です。窓口の近くでお待ちください。",
            "Your turn is near. Please wait close to the counters.",
        ),
        _PLACE,
    ),
    Trigger.JUMP: (
        _About(
            "順番が早まりました",
            "Your turn comes sooner",
            "お待ちの列が予定より早く進み、まもなく順番です。お早めに窓口の近くへお越しください。",
            "The line moves faster than expected and your turn is near. Please come to the counters at once.",
        ),
        _PLACE,
    ),
    Trigger.DELAYED: (
        _About(
            "お待たせしています",
            "Your turn is delayed",
            "お待ちの列が予定より遅れています。お待たせして申し訳ありません。順番はそのままです。",
            "The line moves slower than expected. We are sorry to keep you waiting. You have kept your place.",
        ),
        _PLACE,
    ),
    Trigger.READY: (
        _About(
            "交付の準備ができました",
            "Your papers are ready",
            "交付の準備ができました。交付の窓口の近くでお待ちください。",
            "Your papers are ready. Please wait close to the delivery counter.",
        ),
        _PLACE,
    ),
    Trigger.NOW: (
        _About(
            "お呼びしています",
            "You are being called",
            "ただいまお呼びしています。窓口へお越しください。",
            "You are being called now. Please come to the counter.",
        ),
        _COUNTER,
    ),
    Trigger.MISSED: (
        _About(
            "お呼び済みです",
            "You were called",
            "お呼びしましたが、いらっしゃいませんでした。窓口の職員に、番号をお知らせください。"
            "順番にお入れし、改めてお呼びします。",
            "You were called and did not come. Please tell your number to the staff; you will get a new place.",
        ),
        _COUNTER,
    ),
}


def mail(matter: Matter) -> Text:
    if matter.trigger is Trigger.REGISTERED:
        return registered(matter.office, matter.stop_url)
    about, where = MAILS[matter.trigger]
    place = _place(matter) if where == _PLACE else _counter(matter)
    return Text(
        subject=f"【{matter.office}】{about.subject} / {about.subject_en}",
        body=f"""\
{matter.office}からお知らせします。

{about.says}

  受付番号  {matter.number}
  業務      {matter.lane}
  {place[0]}

いまの状況は、こちらでご覧いただけます。
{matter.public_url}/t

お知らせをやめて、メールアドレスをすぐに消去するには、こちらを開いてください。
{matter.stop_url}

このメールは自動でお送りしています。ご返信いただいてもお答えできません。

{RULE}

This is {matter.office} (ward office).

{about.says_en}

  Number    {matter.number}
  Business  {matter.lane}
  {place[1]}

See your place now:
{matter.public_url}/t

To stop and have your address erased at once, open:
{matter.stop_url}

This message was sent automatically. Replies are not read.
""",
    )


def _place(matter: Matter) -> tuple[str, str]:
    ahead = matter.ahead
    if not ahead:
        return "次にお呼びします。", "You are next."
    people = "person is" if ahead == 1 else "people are"
    return f"前にお待ちの方は、あと {ahead} 人です。", f"{ahead} {people} ahead of you now."


def _counter(matter: Matter) -> tuple[str, str]:
    return f"窓口      {matter.counter or '－'}", f"Counter   {matter.counter or '-'}"


# ---------------------------------------------------------------------------------------------------------------- LINE

COME = frozenset({Trigger.NOW, Trigger.MISSED, Trigger.READY})
LOOK = {
    Language.JAPANESE: "順番についてのお知らせです。いまの状況を、番号の画面でお確かめください。",
    Language.ENGLISH: "News about your turn. Please check the page of your number.",
}
COME_NOW = {
    Language.JAPANESE: (
        "お呼び出しについてのお知らせです。番号の画面か、区役所の番号表示モニターをすぐにお確かめください。"
    ),
    Language.ENGLISH: "About your call. Please check the page of your number or the screens in the office at once.",
}
# What anybody who writes to the account is answered, whatever it was.
ANSWER = (
    "このアカウントからは、順番のお知らせだけをお送りしています。お知らせをご希望の方は、番号の画面に出る 8 文字の"
    "コードだけを送ってください。\nThis account only sends notices of turns. To receive them, send nothing but the"
    " eight-character code on the page of your number."
)


def line(matter: Matter) -> Text:
    """One of two for each language; the address is the same for everybody."""
    words = COME_NOW if matter.trigger in COME else LOOK
    return Text("", f"{words[matter.language]}\n{matter.public_url}/n?openExternalBrowser=1")


# ----------------------------------------------------------------------------------------------------------- telephone

# A short message in Japanese has 70 letters before it is charged twice.
TOLD: Mapping[Language, Mapping[Trigger, str]] = {
    Language.JAPANESE: {
        Trigger.REGISTERED: "順番のお知らせを受け付けました。",
        Trigger.NEAR: "まもなく順番です。窓口の近くでお待ちください。",
        Trigger.JUMP: "列が早く進み、まもなく順番です。お早めにお越しください。",
        Trigger.DELAYED: "列が遅れています。順番はそのままです。",
        Trigger.READY: "交付の準備ができました。交付の窓口へお越しください。",
        Trigger.NOW: "ただいまお呼びしています。窓口へお越しください。",
        Trigger.MISSED: "お呼び済みです。窓口の職員に番号をお知らせください。",
    },
    Language.ENGLISH: {
        Trigger.REGISTERED: "You will be told of your turn on this number.",
        Trigger.NEAR: "Your turn is near. Please wait close to the counters.",
        Trigger.JUMP: "The line moves fast, your turn is near. Please come at once.",
        Trigger.DELAYED: "The line is delayed. You have kept your place.",
        Trigger.READY: "Your papers are ready. Please come to the delivery counter.",
        Trigger.NOW: "You are being called now. Please come to the counter.",
        Trigger.MISSED: "You were called. Please tell your number to the staff.",
    },
}
FROM = {Language.JAPANESE: "{office}です。", Language.ENGLISH: "This is {office}. "}
STOP = {Language.JAPANESE: "お知らせの停止 ", Language.ENGLISH: " Stop: "}
KEYS = {
    Language.JAPANESE: "お知らせをやめて、電話番号をすぐに消去するには、1 を押してください。",
    Language.ENGLISH: "To stop and have your number erased at once, press 1.",
}


def telephone(matter: Matter) -> Text:
    """What is written in a short message, or spoken: then what the keys do stands where a mail has its subject."""
    words = f"{FROM[matter.language].format(office=matter.office)}{TOLD[matter.language][matter.trigger]}"
    if matter.by is By.VOICE:
        return Text(KEYS[matter.language], words)
    if matter.trigger is Trigger.REGISTERED:
        words = f"{words}{STOP[matter.language]}{matter.stop_url}"
    return Text("", words)


WRITERS: Mapping[Carrier, Callable[[Matter], Text]] = {
    Carrier.LINE: line,
    Carrier.EMAIL: mail,
    Carrier.PHONE: telephone,
}
