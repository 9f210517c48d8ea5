"""What `junban ledger certificate`, `report` and `audit` do: papers for the ward, as PDF and JSON, and the register."""

import json
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.commands.asking import Say
from config.ledger import LedgerSettings
from hub.desk.lane import Office
from hub.desk.refusals import UnknownPerson
from hub.ledger import verify_certificate
from hub.ledger.audits import Audits
from hub.ledger.certificate import certify
from hub.ledger.journal import Author, tokyo_day
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.ledger.person import Person
from hub.ledger.taken import CERTIFICATE, REPORT, note_taken
from hub.wire.roles import Role
from web.certificate import certificate_json, certificate_pdf
from web.paper_words import Issue
from web.report import Audit, Handling, report_json, report_pdf

VERIFIER = "verify_certificate.py"


class NotResponsible(Exception):
    """One sentence: who was named may not stand on a paper as 取扱責任者."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`first` to `last`: business days; `issued`: the day on the paper; `responsible`: the account of an operator who
    has access on that day, or '' for the first of them. `to`: the PDF; its JSON lies beside it.
    """

    to: Path
    first: str
    last: str
    issued: str
    issuer: str
    addressee: str
    responsible: str


class PaperCommand:
    """Opens and closes the ledger. Raises LedgerUnusable, OSError."""

    def __init__(
        self, settings: LedgerSettings, office: Office, say: Say, by: Author, *, now_ms: Callable[[], int]
    ) -> None:
        self._settings, self._office, self._say, self._by, self._now_ms = settings, office, say, by, now_ms

    def certificate(self, asked: Asked) -> bool:
        """Whether all that was given is erased, verified and truly in the ledger."""
        with self._ledger() as ledger:
            facts = certify(ledger, asked.first, asked.last)
            issue = self.issue(ledger, asked)
            self._note(ledger, CERTIFICATE, asked)
        told = certificate_json(facts, issue)
        self._write(asked.to, certificate_pdf(facts, issue), told)
        (asked.to.parent / VERIFIER).write_bytes(Path(verify_certificate.__file__).read_bytes())
        is_sound = facts.is_whole and not facts.left and not facts.unproved
        counts = f"{facts.contacts} 件、未消去 {facts.left} 件、未確認 {facts.unproved} 件"
        self._say(f"{asked.to} と JSON を作りました（{counts}）。")
        if not is_sound:
            self._say("証明できないものがあります。junban ledger verify と常駐処理（keeper）の記録を確かめてください。")
        return is_sound

    def report(self, asked: Asked) -> bool:
        """True."""
        with self._ledger() as ledger:
            audits = Audits(ledger)
            handling = Handling(
                certify(ledger, asked.first, asked.last),
                tuple(People(ledger, now_ms=self._now_ms).list()),
                tuple(Audit(*held) for held in audits.held()),
                audits.uses(asked.first, asked.last),
                audits.operations(asked.first, asked.last),
                audits.purposes(asked.first, asked.last),
            )
            issue = self.issue(ledger, asked)
            self._note(ledger, REPORT, asked)
        self._write(asked.to, report_pdf(handling, issue), report_json(handling, issue))
        self._say(f"{asked.to} と JSON を作りました。")
        return True

    def audit(self, held: str, kind: str, result: str, *, as_json: bool) -> bool:
        """Write down that the ward has looked; True. Raises WrongAuditDate."""
        with self._ledger() as ledger:
            now = self._now_ms()
            Audits(ledger).add(held, kind, result, self._by, now, tokyo_day(now))
        told = {"ok": True, "held": held, "kind": kind, "result": result}
        self._say(json.dumps(told) if as_json else f"{held} の監査を記録しました。")
        return True

    def issue(self, ledger: Ledger, asked: Asked) -> Issue:
        """What stands at the head and the foot of a paper. Raises UnknownPerson, NotResponsible."""
        people = People(ledger, now_ms=self._now_ms).list()
        responsible = _responsible(people, asked.responsible, asked.issued)
        return Issue(asked.issued, asked.addressee, asked.issuer, responsible, self._office.name)

    def _note(self, ledger: Ledger, what: str, asked: Asked) -> None:
        note_taken(ledger, what, self._by, self._now_ms(), first_day=asked.first, last_day=asked.last)

    def _ledger(self) -> "closing[Ledger]":
        return closing(self._settings.open_existing(self._office.key))

    def _write(self, to: Path, pdf: bytes, told: dict[str, Any]) -> None:
        """Readable by nobody else: it names handlers."""
        text = json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
        for path, data in ((to, pdf), (to.with_suffix(".json"), text.encode())):
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())


def _responsible(people: list[Person], name: str, day: str) -> str:
    """His own name on the paper; '－' where nobody is designated. Raises UnknownPerson for a name that is none, and
    NotResponsible: the register of handlers, which goes with it, calls operators so.
    """
    if name and all(one.name != name for one in people):
        raise UnknownPerson
    named = [one for one in people if one.role is Role.OPERATOR and one.has_access(day)]
    if not name:
        return named[0].shown if named else "－"
    for one in named:
        if one.name == name:
            return one.shown
    raise NotResponsible(
        f"{name} は {day} に取扱責任者ではありません。運用担当者で、指定日と研修日がその日までにあり、"
        "利用を終えていない利用者名を書いてください（junban user list で分かります）。"
    )
