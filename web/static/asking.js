/**
 * Requests and their replies: one id per thing asked, sent again until a reply came, never done twice.
 *
 * It knows no socket: it is given a way to send, and told when to send again.
 */

const PATIENCE_MS = 10_000;
const KEPT_MS = 60_000; // a repeated press within a minute means the same thing; later it is a new one
export const SILENCE = "応答がありません。もう一度押してください。";

/** 128 random bits in base64url: 22 characters. */
export function makeId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export class Asking {
  #open = new Map(); // id → {body, text, settle, promise, timer}; waits for its reply
  #unanswered = new Map(); // body as text → {id, until}; was given up, its id is kept

  constructor(send, late) {
    this.send = send;
    this.late = late;
  }

  /** Ask for a thing. The same thing again while it is open is the same request. */
  ask(body) {
    const thing = JSON.stringify(body);
    for (const open of this.#open.values()) if (open.thing === thing) return open.promise;
    const id = this.#keptId(thing) ?? makeId();
    const request = { body, thing, text: JSON.stringify({ ...body, id }) };
    request.promise = new Promise((settle) => {
      request.settle = settle;
    });
    request.timer = setTimeout(() => this.#giveUp(id, request), PATIENCE_MS);
    this.#open.set(id, request);
    this.send(request.text);
    return request.promise;
  }

  /** The connection is new: what was asked may not have arrived. */
  resend() {
    for (const { text } of this.#open.values()) this.send(text);
  }

  hear({ id, answer, refusal }) {
    const result = refusal === undefined ? { answer } : { refusal };
    const open = this.#open.get(id);
    if (open) {
      clearTimeout(open.timer);
      this.#open.delete(id);
      open.settle(result);
      return;
    }
    for (const [thing, kept] of this.#unanswered) {
      if (kept.id !== id) continue;
      this.#unanswered.delete(thing);
      this.late(kept.body, result);
    }
  }

  #giveUp(id, request) {
    this.#open.delete(id);
    this.#unanswered.set(request.thing, { id, body: request.body, until: performance.now() + KEPT_MS });
    request.settle({ silence: SILENCE });
  }

  #keptId(thing) {
    const kept = this.#unanswered.get(thing);
    this.#unanswered.delete(thing);
    return kept && performance.now() < kept.until ? kept.id : undefined;
  }
}
