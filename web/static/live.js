/**
 * One page's connection to the hub: it opens, resumes, comes back, and says honestly whether the page is fresh.
 *
 * It fills a Picture and tells the page when that changed. It draws nothing.
 */

import { Asking } from "./asking.js";

const SIGNED_OUT = 4401; // a close code of hub/wire/README.md
const DELAY_FIRST_MS = 300;
const CLOSED_GRACE_MS = 2000; // a hub that restarts is back within this; longer is worth saying
const OPENING_MS = 10_000; // a network that swallows packets never says no
const AWAY_FACTOR = 3;
const TICK_MS = 500;

/** How pages come back: within `spreadMs` at first, and never later than `longestMs` after the try before. */
export const FEW = { spreadMs: 600, longestMs: 5000 }; // a wall that waits longer would miss a whole call
// Thousands of tabs must not come back as one, and a hub that is full has to live with those it turns away.
export const MANY = { spreadMs: 2000, longestMs: 30_000 };

/** Monotonic time stands still while a computer sleeps, the wall clock may be put back: the longer of both is honest. */
class Stopwatch {
  constructor() {
    this.restart();
  }
  restart() {
    this.monotonic = performance.now();
    this.clock = Date.now();
  }
  get ms() {
    return Math.max(performance.now() - this.monotonic, Date.now() - this.clock);
  }
}

export class Live {
  #socket = null;
  #asking;
  #heard = new Stopwatch(); // since the last frame that said "this is the present state"; at first since the page opened
  #lost = new Stopwatch(); // since the connection was lost; counts while `#isCurrent` is false
  #isCurrent = false; // this connection has told the present state
  #resumes = true; // ask for what came after our position, not for a snapshot
  #timer = null;
  #opening = new Stopwatch();
  #isOver = false;
  #isOut = false;
  #why = undefined;

  /**
   * @param path        of the socket, e.g. "/ws/board"
   * @param beatSeconds how often the hub beats on this path; after two missed beats the page is stale
   * @param picture     a Picture
   * @param changed     (heard, frame) → after each frame that was "new" or "beat"
   * @param freshness   (why) → null: fresh; "away" | "closed" | "silent" | "over" or "out" (do not come back): stale
   * @param returns     FEW or MANY
   * @param late        (body, result) → an answer after its request was given up
   */
  constructor({ path, beatSeconds, picture, changed, freshness, returns = FEW, late = () => {} }) {
    Object.assign(this, { path, picture, changed, freshness, returns });
    this.limitMs = 2 * beatSeconds * 1000;
    this.#asking = new Asking((text) => this.#send(text), late);
  }

  start() {
    this.#heard.monotonic = 0; // the page opened then
    this.#heard.clock = performance.timeOrigin;
    setInterval(() => this.#tick(), TICK_MS);
    for (const event of ["online", "pageshow"]) addEventListener(event, () => this.#wake());
    document.addEventListener("visibilitychange", () => this.#tick());
    this.#connect();
  }

  /** Ask the hub: {answer}, {refusal} or, after 10 s without a reply, {silence}. See asking.js. */
  request(body) {
    return this.#asking.ask(body);
  }

  get isFresh() {
    return this.#why === null;
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    if (this.#resumes && this.picture.position !== null) url.searchParams.set("after", this.picture.positionText);
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#opening.restart();
    let isFirst = true;
    socket.onopen = () => this.#asking.resend();
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return; // a socket we left may still speak
      this.#hear(data, isFirst);
      isFirst = false;
    };
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#left(code);
    };
  }

  #hear(text, isFirst) {
    if (!isFirst && !this.picture.isAway && this.#heard.ms > this.limitMs) {
      this.#return(); // we slept: this may be an old frame out of a buffer
      return;
    }
    const frame = read(text);
    if (frame === null) return;
    const heard = this.picture.hear(frame);
    if (heard === "new" || heard === "beat") {
      this.#heard.restart();
      this.#isCurrent = true;
      this.#resumes = true;
      this.#judge(); // first: the page draws what came with what it is worth
      this.changed(heard, frame);
    } else if (heard === "gap") {
      if (this.#isCurrent) this.#return(0);
      else {
        this.#resumes = false; // resuming did not heal it: a snapshot will
        this.#return();
      }
    } else if (heard === "reply") {
      this.#asking.hear(frame);
    } else {
      this.#judge();
    }
  }

  #left(code) {
    this.#socket = null;
    if (code >= 4400 && code <= 4499) {
      this.#isOver = true;
      this.#isOut = code === SIGNED_OUT;
      this.#judge();
    } else this.#return();
  }

  /** Leave the connection, if there is one, and come back after `delay` (default: as `returns` says, with jitter). */
  #return(delay) {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    if (this.#isCurrent) this.#lost.restart();
    this.#isCurrent = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), delay ?? this.#delay());
  }

  /** As long as it has been lost already: soon after a hub that restarts, seldom to one that is away or full. */
  #delay() {
    const { spreadMs, longestMs } = this.returns;
    const longest = Math.min(longestMs, Math.max(spreadMs, this.#lost.ms));
    return DELAY_FIRST_MS + Math.random() * (longest - DELAY_FIRST_MS);
  }

  #tick() {
    if (this.#isOver) return;
    const isOpening = this.#socket?.readyState === WebSocket.CONNECTING;
    if (isOpening ? this.#opening.ms > OPENING_MS : this.#socket && this.#silentHere() > this.#patience()) this.#return();
    this.#judge();
  }

  /** A hub that said `away` has nothing to say until its store is back: it is asked again, but seldom. */
  #patience() {
    return this.picture.isAway ? AWAY_FACTOR * this.limitMs : this.limitMs;
  }

  /** How long this very connection has said nothing of the present state. */
  #silentHere() {
    return Math.min(this.#heard.ms, this.#opening.ms);
  }

  #wake() {
    if (!this.#isOver && this.#socket === null) this.#connect();
    this.#tick();
  }

  #judge() {
    const why = this.#reason();
    if (why === this.#why) return;
    this.#why = why;
    this.freshness(why);
  }

  #reason() {
    if (this.#isOver) return this.#isOut ? "out" : "over";
    if (this.picture.isAway) return "away";
    if (!this.#isCurrent && this.#lost.ms > CLOSED_GRACE_MS) return "closed";
    if (this.#heard.ms > this.limitMs) return "silent";
    return this.#isCurrent ? null : this.#why; // within the grace nothing changes: neither fresh again nor stale yet
  }

  #send(text) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }
}

function read(text) {
  try {
    const frame = JSON.parse(text);
    return typeof frame?.type === "string" ? frame : null;
  } catch {
    return null;
  }
}
