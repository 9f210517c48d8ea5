"""Staff of a practice office: clerks at their counters, and one at the information desk for those who come back or go.

They know what their requests are answered and what the desk's picture shows. A refusal means: look, then decide anew.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, assert_never

from config.practice.asking import Asker, new_id
from config.practice.detours import Aside, Detours
from config.practice.floor import Floor, Visit
from config.practice.staffing import Post
from hub.desk.ticket import State
from hub.forecast.day import Chance, Figures, Moves
from hub.wire import messages as m

LOOK_S = 0.02  # real seconds to look at the screen after a refusal: never the same request again without a breath

Start = Callable[[Coroutine[Any, Any, None]], None]


# A moment too late: its time to come back was over, or somebody else has moved it meanwhile.
TOO_LATE = frozenset({"MissedTooLong", "WrongMove"})
SURPRISES = frozenset({"NotCurrent", "WrongMove", "LaneNotServed", "SameLane"})  # by another's hand: look, decide anew


class InformationDesk:
    """Puts back those who come back, and takes numbers back; the back office says there what is ready.

    Also hands out numbers at the desk, see `kiosk`.
    """

    def __init__(self, asker: Asker, floor: Floor, start: Start, moves: Moves, chance: Chance) -> None:
        self.asker = asker
        self._floor = floor
        self._start = start
        self._moves, self._chance = moves, chance

    def expect(self, visit: Visit) -> None:
        """The number was marked absent. Whoever is not coming back has left."""
        back_after, left_at = visit.customer.back_after, visit.customer.left_at
        if back_after is None or left_at is not None:
            self._floor.end(visit, "absent")
        else:
            self._start(self._bring_back(visit, back_after))

    def expect_cancel(self, visit: Visit) -> None:
        """The number was taken by somebody who may not stay."""
        if visit.customer.cancels_after is not None:
            self._start(self._cancel(visit, visit.customer.cancels_after))

    async def _bring_back(self, visit: Visit, after: int) -> None:
        await self._floor.clock.sleep(after)
        if visit.arrival is None or visit.end is not None:
            return
        body = await self.asker.ask(m.Return(id=new_id(), ticket=visit.arrival))
        if isinstance(body, m.RefusalBody):
            if body.code not in TOO_LATE:
                self._floor.complaints.append(
                    f"{visit.number} は戻りましたが受け付けられません: {body.code} {body.details}"
                )
            self._floor.end(visit, "absent")

    def expect_ready(self, visit: Visit) -> None:
        """The back office has it."""
        self._start(self._be_ready(visit))

    async def _be_ready(self, visit: Visit) -> None:
        await self._floor.clock.sleep(self._moves.review_minutes * 60 * 2 * self._chance.random())
        if visit.arrival is None or visit.end is not None:
            return
        body = await self.asker.ask(m.Ready(id=new_id(), ticket=visit.arrival))
        if isinstance(body, m.AnswerBody):
            visit.lane = body.lane
        else:
            self._floor.complaints.append(f"{visit.number} を交付に回せません: {body.code} {body.details}")

    async def close(self, lanes: Sequence[str]) -> None:
        """Everybody is here: the lanes close, and whoever waits is still served."""
        await self._floor.nobody_takes()
        for lane in lanes:
            body = await self.asker.ask(m.AnnounceClosing(id=new_id(), lane=lane))
            if isinstance(body, m.RefusalBody) and body.code != "LaneClosing":
                self._floor.complaints.append(f"{lane} の受付を終了できません: {body.code}")

    async def _cancel(self, visit: Visit, after: int) -> None:
        await self._floor.clock.sleep(after)
        if visit.arrival is None or visit.end is not None or visit.calls > 0:
            return  # called in time: stays
        body = await self.asker.ask(m.Cancel(id=new_id(), ticket=visit.arrival))
        if isinstance(body, m.AnswerBody):
            self._floor.end(visit, "cancelled")
        # Refused: called and gone in the same moment; whoever called it says how it ended.


class Clerk:
    """One counter from opening to closing; `work` ends only by being cancelled."""

    def __init__(
        self, post: Post, asker: Asker, floor: Floor, information: InformationDesk, figures: Figures, chance: Chance
    ) -> None:
        self.post = post
        self.asker = asker
        self._floor = floor
        self._information = information
        self._figures = figures
        self._chance = chance
        self._detours = Detours(post, asker, floor, figures.moves, chance)

    async def work(self) -> None:
        current: int | None = None
        while True:
            back_at = self.post.back_at(self._floor.clock.now)
            if back_at is not None:
                if current is not None:
                    body = await self.asker.ask(m.Done(id=new_id(), counter=self.post.counter, ticket=current))
                    self._left(current, body)
                    current = None
                await self._floor.clock.until(back_at)
                continue
            seen = self._floor.version
            request = self._detours.call(current)
            body = await self.asker.ask(request)
            match body:
                case m.AnswerBody():
                    self._left(body.finished, body)
                    if body.arrival is None:
                        current = None
                        await self._detours.somebody(seen)
                    else:
                        self._floor.tally.called += 1
                        current = await self._receive(body.arrival)
                case m.RefusalBody(code="NotCurrent"):
                    self._detours.refused(request)
                    await self._look(body, current)
                    current = _current_of(body)
                    if current is not None:
                        current = await self._receive(current)
                case m.RefusalBody():
                    await self._look(body, current)
                    current = None
                case _:
                    assert_never(body)

    async def _receive(self, arrival: int) -> int | None:
        """A number was called: serve whoever comes. Gives what the counter has afterwards, as this clerk believes."""
        visit = await self._floor.holder(arrival)
        clock = self._floor.clock
        if visit is None:  # somebody else took this number; serve him as long as is usual
            await clock.sleep(max(self._floor.usual.values(), default=60))
            return arrival
        if not visit.answers_call(clock.now, self._figures.absence):
            return await self._call_again(visit, arrival)
        aside = self._detours.aside(visit, arrival)
        if aside is not None:
            await self._put_aside(aside, arrival)
            return None
        customer = visit.customer
        if customer.transfer_to is not None and not visit.was_transferred:
            await clock.sleep(self._figures.transfer_after_seconds)
            visit.was_transferred = True
            to = customer.transfer_to
            body = await self.asker.ask(m.Transfer(id=new_id(), ticket=arrival, lane=to))
            if isinstance(body, m.RefusalBody):
                await self._look(body, arrival)
            else:
                visit.lane = to
            return None
        service = customer.service_seconds
        if visit.was_reviewed:
            service = int(self._figures.moves.delivery_minutes * 60)
        await clock.sleep(self._floor.usual.get(customer.lane, 0) if service is None else service)
        review = self._detours.review(visit, arrival)
        if review is None:
            return arrival
        visit.was_reviewed = True
        if await self._put_aside(review, arrival):
            self._information.expect_ready(visit)
        return None

    async def _put_aside(self, request: Aside, arrival: int) -> bool:
        """The counter is free: the number is held, waits again, or is in the back office. False: it was refused."""
        body = await self.asker.ask(request)
        if isinstance(body, m.RefusalBody):
            await self._look(body, arrival)
        elif body.state == State.HELD:  # also where the call of a held number was taken back
            self._detours.hold(arrival)
        return isinstance(body, m.AnswerBody)

    async def _call_again(self, visit: Visit, arrival: int) -> int | None:
        counter, clock = self.post.counter, self._floor.clock
        await clock.sleep(self._figures.call_seconds)
        request: m.Recall | m.MarkAbsent = m.Recall(id=new_id(), counter=counter, ticket=arrival)
        while True:
            body = await self.asker.ask(request)
            match body:
                case m.AnswerBody() if isinstance(request, m.MarkAbsent):
                    self._information.expect(visit)
                    return None
                case m.AnswerBody():
                    await clock.sleep(self._figures.call_seconds)
                    request = m.MarkAbsent(id=new_id(), counter=counter, ticket=arrival)
                case m.RefusalBody(code="CalledTooFewTimes"):
                    request = m.Recall(id=new_id(), counter=counter, ticket=arrival)
                case m.RefusalBody(code="CalledTooRecently"):
                    await clock.sleep(int(body.details["seconds"]))
                case m.RefusalBody():
                    await self._look(body, arrival)
                    return None

    def _left(self, arrival: int | None, body: m.AnswerBody | m.RefusalBody) -> None:
        """The counter finished with a ticket, if the desk agrees."""
        visit = self._floor.held_by(arrival)
        if visit is not None and isinstance(body, m.AnswerBody):
            self._floor.tally.served += 1
            self._floor.end(visit, "served")

    async def _look(self, refusal: m.RefusalBody, current: int | None) -> None:
        """After a refusal: what this clerk had may have left by another hand."""
        if refusal.code not in SURPRISES:
            self._floor.complaints.append(
                f"窓口 {self.post.counter} の操作が断られました: {refusal.code} {refusal.details}"
            )
        await asyncio.sleep(LOOK_S * (1 + self._chance.random()))
        visit = self._floor.held_by(current)
        if visit is not None and visit.arrival is not None and self._floor.is_gone(visit.arrival):
            self._floor.end(visit, "gone")


def _current_of(refusal: m.RefusalBody) -> int | None:
    present = refusal.details.get("current", "")
    return int(present) if present.isdecimal() else None
