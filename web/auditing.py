"""The auditor's page on contacts: each by its random id, with what became of it. No contact ever comes here."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.responses import Response, StreamingResponse

from hub.desk.lane import Office
from hub.desk.refusals import Refusal
from hub.ledger.certificate import Certified
from hub.ledger.erasures import Handled, Use
from hub.ledger.person import Person
from hub.ledger.verifying import Verdict
from hub.wire.roles import Role
from web.pages import rendered
from web.paper_words import ABOUT, CARRIERS, ENDINGS, METHODS, OUTCOMES, Issue
from web.times import Moment, moment
from web.viewers import Viewer, viewed

STEPS_TYPE = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class UseView:
    at: Moment
    about: str
    outcome: str


@dataclass(frozen=True, slots=True)
class ContactView:
    """One contact in words; a moment that is None has not come."""

    subscription: str
    number: str
    carrier: str
    given: Moment
    uses: tuple[UseView, ...]
    erased: Moment | None
    ending: str
    method: str
    key: str
    verified: Moment | None


class AuditPages:
    def __init__(self, office: Office) -> None:
        self._office = office

    def contacts(
        self,
        viewer: Viewer,
        day: str,
        handled: Sequence[Handled],
        *,
        today: str,
        is_owed: bool,
        verdict: Verdict | None = None,
        refusal: str = "",
        status: int = 200,
    ) -> Response:
        return rendered(
            "contacts.html",
            status,
            office=self._office.name,
            **viewed(viewer),
            day=day,
            today=today,
            month=min(day[:7], _month_before(today)),
            contacts=[_view(one) for one in handled],
            left=sum(one.erased_ms is None for one in handled),
            unproved=sum(one.erased_ms is not None and one.verified_ms is None for one in handled),
            is_owed=is_owed,
            is_whole=verdict is not None and verdict.is_whole,
            verdict=sentence_of(verdict) if verdict else "",
            refusal=refusal,
        )

    def steps(self, steps: AsyncIterator[tuple[int, int] | Verdict | Refusal]) -> Response:
        """A line of JSON for each: how far it has come, and at last the sentence."""

        async def lines() -> AsyncIterator[str]:
            async for step in steps:
                yield json.dumps(_told(step), ensure_ascii=False) + "\n"

        return StreamingResponse(lines(), media_type=STEPS_TYPE)

    def certificate(
        self, facts: Certified, people: Sequence[Person], *, issued: str, issuer: str, addressee: str
    ) -> Response:
        from web.certificate import certificate_pdf, number_of  # a hub that nobody asks for a paper loads none of it

        named = [one.shown for one in people if one.role is Role.OPERATOR and one.has_access(issued)]
        issue = Issue(issued, addressee, issuer, named[0] if named else "－", self._office.name)
        headers = {"Content-Disposition": f'attachment; filename="{number_of(facts)}.pdf"'}
        return Response(certificate_pdf(facts, issue), media_type="application/pdf", headers=headers)


def sentence_of(verdict: Verdict) -> str:
    """What a walk over the ledger has found, for who does not know what a chain is."""
    if not verdict.is_whole:
        first, others = verdict.faults[0], len(verdict.faults) - 1
        return f"台帳に誤りがあります。{first.seq} 番: {first.why}{f'（ほかに {others} か所以上）' if others else ''}"
    if not verdict.count:
        return "台帳に誤りはありません。記録はまだ 1 件もありません。"
    return (
        f"台帳に誤りはありません。{verdict.count} 件の記録は、書き加えたときのままで、抜けも入れ替えもなく、"
        f"日ごとに署名した先頭値とも一致します（最後は {verdict.last} 番、ハッシュ値 {verdict.hash[:16]}…）。"
    )


def _told(step: tuple[int, int] | Verdict | Refusal) -> dict[str, object]:
    if isinstance(step, tuple):
        return {"done": step[0], "of": step[1]}
    if isinstance(step, Refusal):
        return {"is_whole": False, "sentence": step.sentence}
    return {"is_whole": step.is_whole, "sentence": sentence_of(step)}


def _used(use: Use) -> UseView:
    return UseView(moment(use.at_ms), ABOUT.get(use.trigger, use.trigger), OUTCOMES.get(use.outcome, use.outcome))


def _view(one: Handled) -> ContactView:
    words = one.method.split("+") if one.method else []
    return ContactView(
        subscription=one.subscription,
        number=one.number,
        carrier=CARRIERS.get(one.carrier, one.carrier),
        given=moment(one.given_ms),
        uses=tuple(_used(use) for use in one.uses),
        erased=None if one.erased_ms is None else moment(one.erased_ms),
        ending="" if one.erased_ms is None else ENDINGS.get(one.ending, one.ending),
        method="、".join(METHODS.get(word, word) for word in words) or f"{METHODS['unlink']}（直ちに）",
        key=one.key,
        verified=None if one.verified_ms is None else moment(one.verified_ms),
    )


def _month_before(day: str) -> str:
    """The last month that is over on that day."""
    return (date.fromisoformat(day).replace(day=1) - timedelta(days=1)).isoformat()[:7]
