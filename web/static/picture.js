/**
 * What one screen knows of its topic: feed it the hub's frames, ask it what the hub would say anew.
 *
 * The twin of hub/wire/client_side.py, with the types of messages.py; golden transcripts hold both to one story. It knows no socket, no clock and no page.
 */

const FORM = /^([0-9A-Za-z.-]{1,64}):([0-9]{1,15})-([0-9]{1,15})$/; // 15 digits: below 2^53, exact as numbers

/** `EPOCH:MS-SEQ` as {epoch, ms, seq}, or null where the text names no position. */
export function readPosition(text) {
  const found = FORM.exec(text);
  return found && { epoch: found[1], ms: Number(found[2]), seq: Number(found[3]) };
}

/** Negative, 0 or positive: how two places of one epoch stand to each other. */
function comparePlaces(one, other) {
  return one.ms - other.ms || one.seq - other.seq;
}

export class Picture {
  #learn;

  /** @param more what else this topic tells: type → (picture, fact) */
  constructor(more = {}) {
    this.#learn = { __proto__: null, ...LEARN, ...more };
    this.position = null; // {epoch, ms, seq}; null until the first snapshot
    this.isAway = false; // what the hub said last
    this.at = 0; // epoch milliseconds, office time
    this.topic = "";
    this.day = "";
    this.office = "";
    this.lanes = new Map(); // key → a LaneState without its queue
    this.queues = new Map(); // key → Map of arrival → WaitingNumber; only lanes whose queue the topic shows
    this.called = new Map(); // arrival → CalledNumber
    this.missed = new Map(); // arrival → MissedNumber
    this.held = null; // arrival → AsideNumber; null where the topic shows none, as in_review
    this.inReview = null;
    this.counters = [];
    this.announcement = null; // {text, until}
    this.checksIn = false; // a number from home waits only from checking in
    this.priorities = []; // {priority, name, given_by}
    this.pauseReasons = []; // {reason, name}; only at the desk
    this.reasons = []; // the same, of calls out of order
    this.byPriority = new Set(); // arrivals; only at the desk
    this.rules = null; // {absent_after_calls, absent_after_seconds, long_wait_minutes}; only at the desk
    this.walls = null; // of today; only at the desk
  }

  /** Learn from one frame: "new" | "old" | "gap" | "beat" | "away" | "reply". A type not known yet is "old". */
  hear(frame) {
    switch (frame.type) {
      case "snapshot":
        this.#start(frame);
        return "new";
      case "beat":
        if (this.position === null || frame.position !== this.positionText) return "gap";
        this.at = frame.at;
        this.isAway = false;
        return "beat";
      case "away":
        this.isAway = true;
        return "away";
      case "reply":
        return "reply";
      default:
        return frame.type in this.#learn ? this.#hearFact(frame) : "old";
    }
  }

  get positionText() {
    return this.position && `${this.position.epoch}:${this.position.ms}-${this.position.seq}`;
  }

  /** Who waits in a lane, in order of rank. */
  queue(lane) {
    return [...this.queues.get(lane).values()].sort((a, b) => a.rank - b.rank || a.arrival - b.arrival);
  }

  /** Present calls, newest first. */
  calls() {
    return [...this.called.values()].reverse();
  }

  /** Numbers that were called and did not come, in order of arrival. */
  missedNumbers() {
    return inOrder(this.missed);
  }

  /** Numbers that are held, and those that the back office has, in order of arrival; for staff alone. */
  heldNumbers() {
    return inOrder(this.held);
  }

  reviewedNumbers() {
    return inOrder(this.inReview);
  }

  laneName(key) {
    return this.lanes.get(key)?.name ?? key;
  }

  counterName(key) {
    return this.counters.find(({ counter }) => counter === key)?.name ?? key;
  }

  /** What the hub would send anew: equal to a fresh snapshot, or something is wrong. */
  snapshot() {
    return {
      type: "snapshot",
      topic: this.topic,
      position: this.positionText,
      at: this.at,
      day: this.day,
      office: this.office,
      lanes: [...this.lanes.values()].map((lane) =>
        this.queues.has(lane.lane) ? { ...lane, queue: this.queue(lane.lane) } : { ...lane },
      ),
      called: this.calls(),
      missed: this.missedNumbers(),
      counters: this.counters,
      checks_in: this.checksIn,
      priorities: this.priorities,
      pause_reasons: this.pauseReasons,
      by_priority: [...this.byPriority],
      reasons: this.reasons,
      ...(this.held && { held: this.heldNumbers() }),
      ...(this.inReview && { in_review: this.reviewedNumbers() }),
      ...(this.walls === null ? {} : { walls: this.walls }),
      ...(this.rules && { rules: this.rules }),
      ...(this.announcement && { announcement: this.announcement }),
    };
  }

  /** Take a ticket out of wherever it stood. */
  forget(arrival) {
    const lists = [this.called, this.missed, this.held, this.inReview, ...this.queues.values()];
    for (const list of lists) list?.delete(arrival);
  }

  #start(whole) {
    this.position = readPosition(whole.position);
    this.isAway = false;
    for (const name of ["at", "topic", "day", "office"]) this[name] = whole[name];
    this.lanes = new Map(whole.lanes.map(({ queue, ...lane }) => [lane.lane, lane]));
    const shown = whole.lanes.filter((lane) => lane.queue !== undefined);
    this.queues = new Map(shown.map((lane) => [lane.lane, byArrival(lane.queue)]));
    this.called = byArrival([...whole.called].reverse()); // the latest call last
    this.missed = byArrival(whole.missed);
    this.held = whole.held ? byArrival(whole.held) : null;
    this.inReview = whole.in_review ? byArrival(whole.in_review) : null;
    this.counters = whole.counters;
    this.checksIn = whole.checks_in;
    this.priorities = whole.priorities;
    this.pauseReasons = whole.pause_reasons;
    this.reasons = whole.reasons;
    this.byPriority = new Set(whole.by_priority);
    this.walls = whole.walls ?? null;
    this.rules = whole.rules ?? null;
    this.announcement = whole.announcement ?? null;
  }

  #hearFact(fact) {
    const mine = this.position;
    const now = readPosition(fact.position);
    const prev = readPosition(fact.prev);
    if (mine === null || now === null || prev === null || now.epoch !== mine.epoch) return "gap";
    if (comparePlaces(now, mine) <= 0) return "old";
    if (comparePlaces(prev, mine) > 0) return "gap";
    this.position = now;
    this.at = fact.at;
    this.#learn[fact.type](this, fact);
    for (const [key, waiting] of Object.entries(fact.waiting ?? {})) {
      const lane = this.lanes.get(key);
      if (lane) lane.waiting = waiting;
    }
    return "new";
  }
}

function byArrival(entries) {
  return new Map(entries.map((entry) => [entry.arrival, entry]));
}

function inOrder(list) {
  return [...(list?.values() ?? [])].sort((a, b) => a.arrival - b.arrival);
}

function wait(picture, { arrival, number, rank, lane, for_counter, since }) {
  picture.forget(arrival);
  if (rank === undefined) return;
  const waiting = { arrival, number, rank, ...(for_counter && { for_counter }), ...(since && { since }) };
  picture.queues.get(lane)?.set(arrival, waiting);
}

function count(picture, { lane }) {
  const taken = picture.lanes.get(lane);
  if (taken?.given >= 0) taken.given += 1;
}

function issue(picture, fact) {
  count(picture, fact);
  wait(picture, fact);
  if (fact.priority) picture.byPriority.add(fact.arrival);
}

function call(picture, { arrival, number, lane, counter, at, calls = 1 }) {
  picture.forget(arrival);
  const told = { arrival, number, lane, counter, calls, called_at: at };
  picture.called.set(arrival, picture.walls === null ? told : { ...told, shown: [] });
}

function miss(picture, { arrival, number, lane, counter, until }) {
  picture.forget(arrival);
  picture.missed.set(arrival, { arrival, number, lane, counter, until });
}

function hold(picture, { arrival, number, lane, counter }) {
  picture.forget(arrival);
  picture.held?.set(arrival, { arrival, number, lane, counter });
}

function review(picture, { arrival, number, lane, counter }) {
  picture.forget(arrival);
  picture.inReview?.set(arrival, { arrival, number, lane, counter });
}

function takeBack(picture, fact) {
  (fact.state === "held" ? hold : wait)(picture, fact);
}

function close(picture, { lane }) {
  const closing = picture.lanes.get(lane);
  if (closing) closing.closing = true;
}

function leave(picture, { arrival }) {
  picture.forget(arrival);
}

function reassign(picture, { counter, lanes, weights }) {
  picture.counters = picture.counters.map((each) => (each.counter === counter ? { ...each, lanes, weights } : each));
}

function announce(picture, { text, until }) {
  picture.announcement = text ? { text, until } : null;
}

function renumber(picture, { lane, ranks }) {
  const queue = picture.queues.get(lane);
  for (const [text, rank] of Object.entries(ranks)) {
    const waiting = queue?.get(Number(text));
    if (waiting) queue.set(waiting.arrival, { ...waiting, rank });
  }
}

function pause(picture, { lane, reason }) {
  const paused = picture.lanes.get(lane);
  if (paused) Object.assign(paused, { paused: true }, reason === undefined ? {} : { reason });
}

function resume(picture, { lane }) {
  const paused = picture.lanes.get(lane);
  if (!paused) return;
  paused.paused = false;
  delete paused.reason;
}

/** What each fact does to a picture. */
const LEARN = {
  __proto__: null, // a type called "toString" is none of ours
  TicketIssued: issue,
  TicketExpected: count, // it stands in none of the lists until it is checked in
  TicketCheckedIn: wait,
  TicketReturned: wait,
  TicketTransferred: wait,
  TicketReady: wait,
  TicketPushedBack: wait,
  TicketCalled: call,
  TicketRecalled: call,
  CallTakenBack: takeBack,
  TicketMarkedAbsent: miss,
  TicketHeld: hold,
  TicketSentToReview: review,
  TicketServed: leave,
  TicketCancelled: leave,
  TicketLapsed: leave,
  ClosingAnnounced: close,
  LaneRenumbered: renumber,
  LanePaused: pause,
  LaneResumed: resume,
  CounterReassigned: reassign,
  AnnouncementPosted: announce,
  AnnouncementWithdrawn: announce,
};
