"""The key book: each Redis key of an office is one function here, and nowhere else is a key put together.

Every key of an office carries the hash tag `{OFFICE}`, so all of them live in one slot. Keys of a business day carry
the day and an expiry in real time (`DAY_SECONDS`); the facts of a day live longer, until they are archived
(`FACTS_SECONDS` is the net). Key names hold no person, no counter and no contact.
"""

from dataclasses import dataclass

from hub.desk.notices import Carrier
from hub.desk.ticket import ENDS, State

DAY_SECONDS = 48 * 3600  # a day and a spare one: an office that was off at midnight still closes its day
FACTS_SECONDS = 14 * 86400  # the archiver takes minutes; two weeks is the time to notice that it does not
# From its hour of erasure: the expiry of a contact, in case that nobody erases. The eraser brings it down to that in
# the evening (`hub.store.erasing`): until then a clock of the store that is a day ahead takes no contact.
NET_MS = 3_600_000
EXPIRES_AFTER_MS = NET_MS + 25 * 3_600_000
TRACES_LIVE_MS = 3_600_000  # whoever says stop is gone from memory at once, and from files within the hour


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one office."""

    office: str

    def clock(self) -> str:
        """Hash start_real, start_office (epoch ms), speed. Practice only; without it time is real. No expiry."""
        return f"{{{self.office}}}:clock"

    def day(self) -> str:
        """Hash day (YYYY-MM-DD), opened_at (office ms), expires_at, facts_expire_at (real s). No expiry."""
        return f"{{{self.office}}}:day"

    def requests(self, day: str) -> str:
        """Hash `WHO US REQUEST` → digest and answer, joined by US (0x1f). What was answered today. Day."""
        return f"{{{self.office}}}:{day}:requests"

    def tally(self, day: str) -> str:
        """Hash `arrival` → last given; `issued:LANE`, `since:LANE` → counts; `paused:LANE` → reason, '' when resumed;
        `closing:LANE` → when that was announced (office ms); `turn:COUNTER`, `turn:COUNTER:LANE` → latest turn
        (`hub.desk.order`); `calls:LANE` → when its last ones were called (office ms); `lanes:COUNTER` → the lanes it
        serves today, joined by a space, where that was changed; `announcement` → until when (office ms) and what the
        walls say, joined by US. Day.
        """
        return f"{{{self.office}}}:{day}:tally"

    def numbers(self, day: str) -> str:
        """Hash number → arrival: every number given today. Day."""
        return f"{{{self.office}}}:{day}:numbers"

    def priorities(self, day: str) -> str:
        """Sorted set arrival → arrival: every ticket of today that was placed by priority. Day."""
        return f"{{{self.office}}}:{day}:priorities"

    def secrets(self, day: str) -> str:
        """Hash SHA-256 of a ticket's secret (hexadecimal) → arrival. Day."""
        return f"{{{self.office}}}:{day}:secrets"

    def holders(self, day: str) -> str:
        """Hash `HOLDER US LANE` → arrival: the latest number a browser took in a lane. Day."""
        return f"{{{self.office}}}:{day}:holders"

    def reserved(self, day: str) -> str:
        """Hash arrival → the only counter that may call it. Day."""
        return f"{{{self.office}}}:{day}:reserved"

    def at_counter(self, day: str) -> str:
        """Hash counter → arrival it has called or serves. Day."""
        return f"{{{self.office}}}:{day}:at_counter"

    def facts(self, day: str) -> str:
        """Stream of flat texts, one entry a fact (`hub.desk.facts`). Two weeks."""
        return f"{{{self.office}}}:{day}:facts"

    def days(self) -> str:
        """Sorted set day → real s at which it was opened: every day whose facts are not deleted yet. No expiry."""
        return f"{{{self.office}}}:days"

    def archive(self) -> str:
        """Hash behind (facts), lag_ms (real age of the oldest of them), why ('': all is well). A minute."""
        return f"{{{self.office}}}:archive"

    def walls(self, day: str) -> str:
        """Hash wall (its screen) → since when it is there today (office ms). Day."""
        return f"{{{self.office}}}:{day}:walls"

    def wishes(self, day: str) -> str:
        """Hash `ARRIVAL US CARRIER` → subscription, people ahead, why it ended ('': it holds), minutes, when it was
        told near (office ms, '': it was not), what was to be expected then (ms), how often it was told near and is no
        more, joined by US. Day.
        """
        return f"{{{self.office}}}:{day}:wishes"

    def stops(self, day: str) -> str:
        """Hash SHA-256 of a stop token (hexadecimal) → arrival, carrier, subscription, joined by US. Day."""
        return f"{{{self.office}}}:{day}:stops"

    def notices(self, day: str) -> str:
        """Hash `SUBSCRIPTION:TRIGGER` → state, trigger, arrival, carrier, attempts, tenure, since (office ms), owed
        since (real ms), place in the row while it is in hand (real ms), `1` once it was passed on, `1` once it arrived,
        as its carrier tells, tries that may have arrived. Of what comes each time also `SUBSCRIPTION:TRIGGER.TIME`.
        Day.
        """
        return f"{{{self.office}}}:{day}:notices"

    def due(self, day: str, carrier: Carrier) -> str:
        """Sorted set notice → real ms from which somebody must look at it: it is due, or its lease ends then. Day."""
        return f"{{{self.office}}}:{day}:due:{carrier}"

    def link(self, code: str) -> str:
        """Text: day, arrival, people ahead, minutes, purpose, language of who agreed to LINE, joined by US. CODE is its
        SHA-256. 10 minutes.
        """
        return f"{{{self.office}}}:link:{code}"

    def line_event(self, event: str) -> str:
        """Text `1`: LINE has told this once. A day of real time."""
        return f"{{{self.office}}}:line_event:{event}"

    def line_left(self) -> str:
        """Sorted set keyed digest of a user id → when he last blocked the account (ms, LINE's clock). Ten minutes of
        real time, as long as a code is good.
        """
        return f"{{{self.office}}}:line_left"

    def line_answers(self) -> str:
        """List of reply tokens: who wrote to the account is answered the same, whatever it was. A minute."""
        return f"{{{self.office}}}:line_answers"

    def callbacks(self, day: str) -> str:
        """Hash SHA-256 of a callback's token (hexadecimal) → notice and attempt, joined by US: how a carrier names
        it to us. Day."""
        return f"{{{self.office}}}:{day}:callbacks"

    def tenures(self) -> str:
        """Hash carrier → tenure of the worker that began last: it grows, as real ms do or by one. No expiry."""
        return f"{{{self.office}}}:tenures"

    def public_keys(self) -> str:
        """Hash date (real, Tokyo) → id and public half of that day's key, hexadecimal, joined by US. No expiry."""
        return f"{{{self.office}}}:public_keys"

    def contact(self, subscription: str) -> str:
        """Text: one sealed contact (`hub.store.sealing`). 01:10 of the day after, if nobody has erased it before, and
        25 hours more until the evening.
        """
        return f"{{{self.office}}}:contact:{subscription}"

    def erasures(self) -> str:
        """Sorted set subscription → real ms at which its contact must be erased. No expiry."""
        return f"{{{self.office}}}:erasures"

    def traces(self) -> str:
        """Sorted set subscription → real ms by which the store's files must have no trace of its contact. No expiry."""
        return f"{{{self.office}}}:traces"

    def owners(self) -> str:
        """Hash subscription → whose its contact is (a keyed digest), day, arrival, carrier, joined by US: who stops at
        the carrier is found by it. Goes with the contact.
        """
        return f"{{{self.office}}}:owners"

    def erasing(self) -> str:
        """Hash overdue (contacts), late_s, why ('': all is well), verified (real ms), where (the place that cannot be
        looked through), as the eraser says. A minute.
        """
        return f"{{{self.office}}}:erasing"

    def ticket(self, day: str, arrival: int) -> str:
        """Hash number, lane, state, source, secret, holder, counter, calls, called_from, pushed, priority, issued_at,
        called_at and until (office ms); rank at its end.

        `secret` is the SHA-256 of the taker's, `holder` its field in `holders`, `priority` is '1' or '', `shown` holds
        the walls that have shown the latest call. Day.
        """
        return f"{{{self.office}}}:{day}:ticket:{arrival}"

    def waiting(self, day: str, lane: str) -> str:
        """Sorted set arrival → rank: who waits in a lane. Day."""
        return f"{{{self.office}}}:{day}:waiting:{lane}"

    def standing(self, day: str, state: State) -> str:
        """Sorted set arrival → rank of the tickets in a state that is neither waiting nor an end. Day."""
        if state not in STANDING:
            raise ValueError(f"{state} has no set of its own")
        return f"{{{self.office}}}:{day}:{state}"


STANDING = tuple(state for state in State if state is not State.WAITING and state not in ENDS)
