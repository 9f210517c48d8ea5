/** Numbers that the desk gives out itself, and what is to be written on their slips. The secret is kept nowhere. */

import { makeId } from "./asking.js";
import { write } from "./dom.js";
import { digestOf } from "./residents.js";

const HALF = 4; // a code is read out in two halves
const INSECURE = "番号札の確認コードを作れません。暗号化された接続（https）のアドレスで、この画面を開き直してください。";

export class Slips {
  #secrets = new Map(); // what a slip is wanted for → its secret: asked again after a silence, it is the same request
  #dialog;

  /** @param closed what follows when the slip is put away */
  constructor(dialog, closed) {
    this.#dialog = dialog;
    dialog.querySelector("#slip-print").addEventListener("click", () => print());
    dialog.querySelector("#slip-leave").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", closed);
  }

  get isOpen() {
    return this.#dialog.open;
  }

  async issue(desk, lane, priority) {
    const wanted = `issue ${lane} ${priority ?? ""}`;
    const secret = await this.#digest(desk, wanted);
    if (secret) await desk.send("issue", { type: "issue", lane, secret, ...(priority && { priority }) });
  }

  /** The lost slip opens nothing any more as soon as this is answered. */
  async reissue(desk, { arrival }) {
    const secret = await this.#digest(desk, `reissue ${arrival}`);
    if (secret) await desk.send("reissue", { type: "reissue", ticket: arrival, secret });
  }

  /** What was answered is written on a slip by hand, or printed. */
  show({ type, lane, ticket, priority }, { number, lane: present, ahead, code }, picture) {
    this.#secrets.delete(type === "issue" ? `issue ${lane} ${priority ?? ""}` : `reissue ${ticket}`);
    const part = (id) => this.#dialog.querySelector(id);
    write(part("#slip-title"), type === "issue" ? "番号をお渡しください" : "新しい番号札をお渡しください");
    write(part("#slip-number"), number);
    write(part("#slip-lane"), picture.laneName(present));
    write(part("#slip-ahead"), ahead == null ? "" : `前にお待ちの方 ${ahead}人`);
    write(part("#slip-code"), `${code.slice(0, HALF)}-${code.slice(HALF)}`);
    part("#slip-old").hidden = type === "issue";
    if (!this.isOpen) this.#dialog.showModal();
  }

  async #digest(desk, wanted) {
    if (!crypto.subtle) {
      desk.tell({ refusal: INSECURE });
      return null;
    }
    if (!this.#secrets.has(wanted)) this.#secrets.set(wanted, makeId());
    return digestOf(this.#secrets.get(wanted));
  }
}
