"""A telephone number dialled at a ticket machine, for a ticket that was taken there. It comes by the machine's socket.

It is read back first, and kept only then. It stands in no log and in no answer but that to whoever dialled it, and is
sealed as any other that a resident leaves.
"""

from typing import assert_never

from hub.desk.refusals import NoticesClosed
from hub.edge.reception import Reception
from hub.edge.telephone import Telephone
from hub.edge.telephones import Telephones, understood
from hub.wire import messages as wire
from hub.wire import tickets
from hub.wire.tickets import Find

PATH = "kiosk notify"  # beside the paths of the pages: the same id there is another request


class Dialled:
    """`telephones` None: this office tells nobody by telephone, or has no consent to."""

    def __init__(self, reception: Reception, telephones: Telephones | None) -> None:
        self._reception, self._telephones = reception, telephones

    async def answer(self, told: wire.OfTelephone) -> wire.AnswerBody:
        """Raises a Refusal, and then nothing is kept."""
        telephones = self._telephones
        if telephones is None:
            raise NoticesClosed
        purpose = telephones.purpose
        match told:
            case wire.AskPurpose():
                text = wire.PurposeText(purpose.version, purpose.text, purpose.mark)
                return wire.AnswerBody(None, None, None, None, None, None, purpose=text)
            case wire.ReadBack():
                return _answer(understood(told.telephone))
            case wire.NotifyDialled():
                day, arrival, _ = await self._reception.owned(Find(secret=told.secret))
                wish = tickets.NotifyByPhone(
                    id=told.id,
                    ahead=told.ahead,
                    purpose=told.purpose,
                    consent=True,  # a machine asks for a number only from who has touched that he agrees
                    language=told.language,
                    telephone=told.telephone,
                    by=told.by,
                )
                return _answer(await telephones.keep(day, arrival, PATH, wish), arrival)
            case _:
                assert_never(told)


def _answer(telephone: Telephone, arrival: int | None = None) -> wire.AnswerBody:
    ways = [str(way) for way in telephone.ways]
    return wire.AnswerBody(arrival, None, None, None, None, None, to=telephone.shown, ways=ways)
