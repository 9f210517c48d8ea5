/** The question what the walls shall say, and for how long. Enter says it, Escape leaves. */

export class Announcing {
  /** @param send (body) → ask the hub */
  constructor(dialog, send) {
    this.dialog = dialog;
    this.text = dialog.querySelector("#announcing-text");
    this.minutes = dialog.querySelector("#announcing-minutes");
    dialog.querySelector("#announcing-leave").addEventListener("click", () => dialog.close());
    dialog.querySelector("form").addEventListener("submit", () => {
      send({ type: "announce", text: this.text.value.trim(), minutes: Number(this.minutes.value) });
    });
  }

  get isOpen() {
    return this.dialog.open;
  }

  open() {
    this.text.value = "";
    this.dialog.showModal();
  }
}
