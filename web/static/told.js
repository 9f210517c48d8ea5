/** Whether whoever is called was told of it, beside the number: asked a few times after each call. */

import { write } from "./dom.js";

const WORDS = {
  unwished: "",
  sending: "お知らせ: 送っています",
  told: "お知らせ: 届けました",
  unsure: "お知らせ: 届いたか分かりません",
  not_told: "お知らせ: 届いていません",
};
const LOOKS_MS = [500, 2000, 5000, 15_000];

export class ToldOf {
  #place;
  #arrival = null;
  #timers = [];

  constructor(place) {
    this.#place = place;
  }

  /** The number that the counter has now; null: none. */
  follow(current) {
    const arrival = current?.arrival ?? null;
    if (arrival === this.#arrival) return;
    this.#arrival = arrival;
    for (const timer of this.#timers) clearTimeout(timer);
    write(this.#place, "");
    this.#timers = arrival === null ? [] : LOOKS_MS.map((ms) => setTimeout(() => this.#look(arrival), ms));
  }

  async #look(arrival) {
    try {
      const answer = await fetch(`/desk/told/${arrival}`, { cache: "no-store" });
      if (!answer.ok || arrival !== this.#arrival) return;
      const { told } = await answer.json();
      write(this.#place, WORDS[told] ?? "");
      this.#place.dataset.told = told;
    } catch {
      // the next look tells it, or nothing does: the number itself is what counts
    }
  }
}
