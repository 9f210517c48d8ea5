/**
 * Which calls a wall shows largest, and which are new. Every call is shown as new for eight seconds at least, recalls
 * again; calls that come close together are shown together, and what finds no place waits for one.
 *
 * It knows no page; time comes in by the door.
 */

export const SHOWN_MS = 8000;
export const PLACES = 3; // more beside each other and none is large any more

const nameOf = (call) => `${call.arrival}@${call.called_at}`;

export class Highlights {
  #known = null; // names of the present calls; null: nothing was ever learnt, so nothing is news
  #shown = new Map(); // name → since when
  #waiting = []; // names, first come first shown
  #day = null;

  /** Learn the present calls, newest first. */
  learn(day, calls, nowMs) {
    const names = new Set(calls.map(nameOf));
    const isNewDay = this.#day !== null && this.#day !== day;
    if (this.#known !== null && !isNewDay) {
      const news = [...names].filter((name) => !this.#known.has(name)).reverse();
      this.#waiting.push(...news);
    }
    this.#day = day;
    this.#known = names;
    this.#waiting = this.#waiting.filter((name) => names.has(name));
    for (const name of this.#shown.keys()) if (!names.has(name)) this.#shown.delete(name);
    this.pass(nowMs);
  }

  /** Show a present call as new once more: nobody has seen it yet. */
  renew(call, nowMs) {
    if (!this.isNew(call)) this.#waiting.push(nameOf(call));
    this.pass(nowMs);
  }

  /** Let time pass: what was shown long enough leaves, what waits comes in. */
  pass(nowMs) {
    for (const [name, since] of this.#shown) if (nowMs - since >= SHOWN_MS) this.#shown.delete(name);
    while (this.#shown.size < PLACES && this.#waiting.length > 0) this.#shown.set(this.#waiting.shift(), nowMs);
  }

  /** Milliseconds until something changes by itself, or null. */
  nextMs(nowMs) {
    const since = [...this.#shown.values()];
    return since.length === 0 ? null : Math.max(0, Math.min(...since) + SHOWN_MS - nowMs);
  }

  isShown(call) {
    return this.#shown.has(nameOf(call));
  }

  isNew(call) {
    return this.isShown(call) || this.#waiting.includes(nameOf(call));
  }

  /** The calls to show largest: the new ones, or the newest alone when nothing is new. */
  stage(calls) {
    const shown = calls.filter((call) => this.isShown(call));
    return shown.length > 0 ? shown : calls.slice(0, 1);
  }
}
