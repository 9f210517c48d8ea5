/**
 * Tells the hub which calls this wall has really shown: two animation frames after a call's row is in the document and in
 * sight. One after the other, and each until the hub has answered; what is over meanwhile is forgotten.
 *
 * It draws nothing and knows no socket.
 */

const GAP_MS = 60; // the hub takes twenty messages a second of one screen
const AGAIN_MS = 1000; // where nobody answers, or the store is away

const nameOf = (call) => `${call.arrival}@${call.called_at}`;

export class Receipts {
  #told = new Set(); // names of the calls that the hub knows of, or that were over when it heard of them
  #epoch = null;
  #present = [];
  #isWorking = false;

  /**
   * @param rowOf call → its element, or null
   * @param ask   (body) → promise of {answer}, {refusal} or {silence}
   * @param first (call) → no wall had shown it before
   */
  constructor({ rowOf, ask, first }) {
    Object.assign(this, { rowOf, ask, first });
  }

  /** The present calls, right after they were drawn as what they are; none while the screen is not fresh. */
  look(epoch, calls) {
    if (epoch !== this.#epoch) this.#told.clear(); // another run of the store: it may have forgotten
    this.#epoch = epoch;
    this.#present = calls;
    const names = new Set(calls.map(nameOf));
    for (const name of this.#told) if (!names.has(name)) this.#told.delete(name);
    void this.#work();
  }

  async #work() {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let call = this.#next(); call !== undefined; call = this.#next()) {
      await painted();
      if (!this.#isSeen(call)) continue;
      await pause((await this.#tell(call)) ? GAP_MS : AGAIN_MS);
    }
    this.#isWorking = false;
  }

  #next() {
    return this.#present.find((call) => !this.#told.has(nameOf(call)) && this.#isSeen(call));
  }

  async #tell(call) {
    const { arrival: ticket, calls, called_at } = call;
    const { answer, refusal } = await this.ask({ type: "shown", ticket, calls, called_at });
    if (answer === undefined && (refusal === undefined || refusal.again)) return false;
    this.#told.add(nameOf(call));
    if (answer?.shown_before === 0) this.first(call);
    return true;
  }

  #isSeen(call) {
    if (!this.#present.some((present) => nameOf(present) === nameOf(call))) return false;
    const row = this.rowOf(call);
    if (row === null || document.visibilityState !== "visible" || !row.checkVisibility()) return false;
    const { top, bottom, left, right } = row.getBoundingClientRect();
    return bottom > top && right > left && top >= -1 && left >= -1 && bottom <= innerHeight + 1 && right <= innerWidth + 1;
  }
}

/** After the second frame from now, what is in the document now has been painted. */
function painted() {
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
