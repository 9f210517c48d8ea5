/** A question with few answers, each with a digit or a letter. Escape or 「やめる」 leaves without an answer. */

import { h, keep, write } from "./dom.js";

const A_PAGE = 9; // digits 1 to 9

export class Chooser {
  #choices = [];
  #first = 0;
  #chosen = null;

  constructor(dialog) {
    this.dialog = dialog;
    this.list = dialog.querySelector("ol");
    this.more = dialog.querySelector("#chooser-more");
    this.more.addEventListener("click", () => this.#turn());
    dialog.querySelector("#chooser-leave").addEventListener("click", () => this.leave());
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** Ask. `choices` are {text, value} (digits are given) or {text, value, key}; `chosen(value)` is called at most once. */
  ask(title, choices, chosen) {
    this.#choices = choices;
    this.#first = 0;
    this.#chosen = chosen;
    write(this.dialog.querySelector("h2"), title);
    this.#draw();
    this.dialog.showModal();
  }

  leave() {
    this.dialog.close();
  }

  /** A key was pressed while the question is open. */
  press(key) {
    const found = this.#shown().find((choice) => choice.key === key);
    if (found) this.#choose(found.value);
    else if (key === "b" && !this.more.hidden) this.#turn();
  }

  #shown() {
    return this.#choices
      .slice(this.#first, this.#first + A_PAGE)
      .map((choice, place) => ({ key: String(place + 1), ...choice }));
  }

  #choose(value) {
    this.dialog.close();
    this.#chosen(value);
  }

  #turn() {
    this.#first = this.#first + A_PAGE < this.#choices.length ? this.#first + A_PAGE : 0;
    this.#draw();
    this.dialog.querySelector("h2").focus();
  }

  #draw() {
    this.more.hidden = this.#choices.length <= A_PAGE;
    keep(
      this.list,
      this.#shown(),
      (choice) => `${choice.key} ${choice.text}`,
      (choice) => {
        const button = h("button", { type: "button" }, h("kbd", {}, choice.key.toUpperCase()), choice.text);
        button.addEventListener("click", () => this.#choose(choice.value));
        return h("li", {}, button);
      },
    );
  }
}
