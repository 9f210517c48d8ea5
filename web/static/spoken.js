/** Calls as sentences in a live region (role="log"), each said once by a screen reader; what was there at the start is not. */

import { h } from "./dom.js";

const KEPT = 5; // a log that grows all day would be read from its beginning by whoever walks into it

export class Spoken {
  #known = null;

  constructor(region) {
    this.region = region;
  }

  hear(picture) {
    const calls = picture.calls().reverse();
    const known = this.#known;
    this.#known = new Set(calls.map(nameOf));
    if (known === null) return;
    for (const call of calls.filter((present) => !known.has(nameOf(present)))) this.say(picture, call);
  }

  say(picture, call) {
    this.region.append(h("p", {}, sentence(picture, call)));
    while (this.region.childElementCount > KEPT) this.region.firstElementChild.remove();
  }
}

function nameOf(call) {
  return `${call.arrival}@${call.called_at}`;
}

/** かた in kana: a voice may take 方 for ほう. */
function sentence(picture, call) {
  const again = call.calls > 1 ? "もう一度お呼びします。" : "";
  return `${again}${call.number}番のかた、${picture.counterName(call.counter)}へお越しください。`;
}
