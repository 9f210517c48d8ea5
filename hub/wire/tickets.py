"""What a resident's browser sends about a ticket, and is told, over HTTP. The secret stands in bodies alone."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.wire.messages import Ahead, Key, RequestId, Secret, SecretText, Typed

BODY_BYTES = 4096  # a long address in full width takes nine bytes a letter in a form; more is none of our pages

FURTHEST_MINUTES = 30  # of walking
Minutes = Annotated[int, Meta(ge=0, le=FURTHEST_MINUTES)]  # 0: that is not wished
# The same as a form writes them.
AheadText = Annotated[str, Meta(pattern="^([1-9]|1[0-9]|20)\\Z")]
MinutesText = Annotated[str, Meta(pattern="^([0-9]|[12][0-9]|30)\\Z")]
Mark = Annotated[str, Meta(max_length=64)]
Language = Literal["ja", "en"]
By = Literal["sms", "voice"]


class Take(Struct, forbid_unknown_fields=True, frozen=True):
    """`secret`: SHA-256 of the browser's secret, hexadecimal."""

    id: RequestId
    lane: Key
    secret: Secret


class TakeByForm(Struct, forbid_unknown_fields=True, frozen=True):
    """Without JavaScript: the page brought a secret along, whose code is then all that the resident needs."""

    id: RequestId
    lane: Key
    secret: SecretText


class Find(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """By the secret, or by number and code."""

    secret: SecretText | None = None
    number: Typed = ""
    code: Typed = ""


class Cancel(Find, frozen=True, kw_only=True):
    id: RequestId


class PushBack(Find, frozen=True, kw_only=True):
    """So many `places` who stand behind may go first."""

    id: RequestId
    places: Ahead


class PushBackByForm(Find, frozen=True, kw_only=True):
    id: RequestId
    places: AheadText


class Wish(Find, frozen=True, kw_only=True):
    """To be told, by whatever carrier. `purpose`: the mark of the text that was read."""

    id: RequestId
    ahead: Ahead
    minutes: Minutes = 0
    purpose: Mark = ""
    consent: bool = False


class WishByForm(Find, frozen=True, kw_only=True):
    """A form says figures as text, and leaves out what is not ticked."""

    id: RequestId
    ahead: AheadText
    minutes: MinutesText = "0"
    purpose: Mark = ""
    consent: str = ""


class Notify(Wish, frozen=True, kw_only=True):
    """`address` as it was typed."""

    address: str = ""


class NotifyForm(WishByForm, frozen=True, kw_only=True):
    address: str = ""


class NotifyByLine(Wish, frozen=True, kw_only=True):
    """Agrees to LINE; who it is LINE tells us, once the code was sent there."""

    language: Language = "ja"


class NotifyByLineForm(WishByForm, frozen=True, kw_only=True):
    language: Language = "ja"


class NotifyByPhone(Wish, frozen=True, kw_only=True):
    """`telephone` as it was typed. `by`: what was chosen where both can be done."""

    language: Language = "ja"
    telephone: str = ""
    by: By = "sms"


class NotifyByPhoneForm(WishByForm, frozen=True, kw_only=True):
    language: Language = "ja"
    telephone: str = ""
    by: By = "sms"


class Stop(Find, frozen=True, kw_only=True):
    id: RequestId
    carrier: Literal["email", "line", "phone"] = "email"


class Sent(Struct, frozen=True):
    """What a notice was about, how it stands, and since when (epoch milliseconds, office time)."""

    about: str
    state: str
    at: int


class Notice(Struct, frozen=True):
    """A wish and what became of it. `registered`, `near`: a state of the notice, null before it is due.

    `ended`: why the contact is gone; empty while it is kept. `sent`: everything that was due, in time.
    """

    carrier: str
    ahead: int
    registered: str | None
    near: str | None
    ended: str
    minutes: int = 0
    sent: list[Sent] = []


class LinkCode(Struct, frozen=True):
    """What is sent to the ward's account in LINE, within ten minutes; `url` opens the chat with it."""

    code: str
    account: str
    url: str


class Passed(Struct, frozen=True):
    """A number taken later that was called before this one; `why` is a sentence."""

    number: str
    why: str


class Told(Struct, frozen=True):
    """A ticket as its resident is told it. `ahead` only while it waits, `counter` only while it is called or missed,
    `until` (epoch milliseconds: it may come back before then) only while it is missed. `passed`: the latest that
    went before it, the newest first, only while it waits.

    `push_backs`: how often it may still be pushed back, by at most so many `places` at a time.
    `to`: the contact as it was understood, in the one answer to giving it; `link`: in the one to agreeing to LINE.
    """

    day: str
    arrival: int
    number: str
    lane: str
    state: str
    code: str
    ahead: int | None = None
    counter: str | None = None
    until: int | None = None
    push_backs: int = 0
    places: int = 0
    notices: list[Notice] = []
    passed: list[Passed] = []
    to: str | UnsetType = UNSET
    link: LinkCode | UnsetType = UNSET
