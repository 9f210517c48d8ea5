/** Asks the hub why a number was called when it was, and shows the sentences. It changes nothing. */

import { h } from "./dom.js";

const SILENCE = "応答がありません。もう一度お試しください。";

export class Why {
  #dialog;
  #input;
  #lines;

  /** @param closed what follows when it is left */
  constructor(dialog, closed) {
    this.#dialog = dialog;
    this.#input = dialog.querySelector("input");
    this.#lines = dialog.querySelector("ul");
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#ask();
    });
    dialog.querySelector("[type=button]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", closed);
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** With a number it is asked about at once. */
  open(number = "") {
    this.#input.value = number;
    this.#lines.replaceChildren();
    this.#dialog.showModal();
    this.#input.select();
    if (number !== "") void this.#ask();
  }

  async #ask() {
    const number = this.#input.value.normalize("NFKC").trim().toUpperCase();
    if (number === "") return;
    const lines = await told(number);
    this.#lines.replaceChildren(...lines.map((line) => h("li", {}, line)));
    this.#input.select();
  }
}

async function told(number) {
  try {
    const response = await fetch(`/desk/why?number=${encodeURIComponent(number)}`);
    const { number: known, lines, refusal } = await response.json();
    return refusal ? [refusal.sentence] : lines.map((line, place) => (place === 0 ? `${known}：${line}` : line));
  } catch {
    return [SILENCE];
  }
}
