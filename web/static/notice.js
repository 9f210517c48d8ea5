/** A notice by e-mail: its form, where it stands, and how it is stopped. Nothing of what is typed is kept. */

import { makeId } from "./asking.js";
import { write } from "./dom.js";
import { post } from "./residents.js";

const REGISTERED = {
  pending: "sending",
  claimed: "sending",
  sending: "sending",
  accepted: "sent",
  uncertain: "unsure",
  refused: "failed",
  lapsed: "unsent",
};
const NEAR = {
  pending: "near-sending",
  claimed: "near-sending",
  sending: "near-sending",
  accepted: "near-sent",
  uncertain: "near-unsure",
  refused: "near-failed",
  lapsed: "near-failed",
};
const ENDED = { resident: "stopped", replaced: "stopped", refused: "failed" };
const GOING = ["expected", "waiting"];
const FIRST_LOOK_MS = 2000;
const LONGEST_LOOK_MS = 60_000;

const part = (id) => document.getElementById(id);

export class OwnNotice {
  #proof;
  #notice = null;
  #shown = ""; // of the ticket
  #ahead;
  #names = [];
  #open = { thing: null, id: null }; // what was asked without an answer: asked again, it is the same request
  #isBusy = false;
  #timer;
  #pause = FIRST_LOOK_MS;

  /** @param proof whose ticket: the secret, or number and code */
  constructor(proof) {
    this.#proof = proof;
    part("notice-form")?.addEventListener("submit", (event) => this.#notify(event));
    part("stop-form").addEventListener("submit", (event) => this.#stop(event));
  }

  /** What the hub told of the ticket's notices. */
  tell(notices) {
    this.#notice = notices.find(({ carrier }) => carrier === "email") ?? null;
    this.#draw();
  }

  /** The ticket stands otherwise now. */
  stand(shown, ahead) {
    this.#shown = shown;
    this.#ahead = ahead;
    if (shown === "over") this.#notice = null; // of another day: nobody can open it any more
    this.#draw();
  }

  #draw() {
    const notice = this.#notice;
    const isKept = notice !== null && !notice.ended;
    const isOffered = part("notice-part") !== null && GOING.includes(this.#shown);
    const names = notice ? this.#namesOf(notice) : [];
    part("notice").hidden = !isOffered && notice === null;
    for (const line of document.querySelectorAll("[data-notice]")) line.hidden = !names.includes(line.dataset.notice);
    for (const place of document.querySelectorAll("[data-wished]")) write(place, notice?.ahead ?? "");
    part("stop-form").hidden = !isKept;
    if (!isKept || !isOffered || names.includes("failed")) this.#showAddress("");
    if (part("notice-part")) {
      part("notice-part").hidden = !isOffered;
      part("notice-new").hidden = isKept;
      part("notice-again").hidden = !isKept;
    }
    if (String(names) !== String(this.#names)) this.#pause = FIRST_LOOK_MS;
    this.#names = names;
    this.#lookLater();
  }

  #namesOf({ ended, registered, near }) {
    const isGoing = GOING.includes(this.#shown);
    const first = ended ? ENDED[ended] : REGISTERED[registered ?? "pending"];
    if (first === "stopped") return ["stopped"];
    if (first === "failed") return ["failed", ended && "erased", isGoing && "anew"].filter(Boolean);
    if (near === null) return isGoing ? [first, "later"] : [first];
    return [first, NEAR[near]];
  }

  /** Its state stands in no public fact: ask again while a message is on its way, or should be, ever more seldom. */
  #lookLater() {
    const notice = this.#notice;
    const isDue = notice?.near === null && this.#shown === "waiting" && this.#ahead <= notice.ahead;
    const isOpen = this.#names.some((name) => name === "sending" || name === "near-sending");
    if (this.#timer !== undefined || !notice || notice.ended || !(isOpen || isDue)) return;
    this.#timer = setTimeout(async () => {
      this.#timer = undefined;
      this.#pause = Math.min(this.#pause * 2, LONGEST_LOOK_MS);
      const { answer } = await post("/t/find", this.#proof);
      if (answer) this.tell(answer.notices);
      else this.#lookLater();
    }, this.#pause);
  }

  async #notify(event) {
    const { address, ahead, consent, purpose } = event.target.elements;
    const wanted = { address: address.value, ahead: Number(ahead.value), consent: consent.checked, purpose: purpose.value };
    const answer = await this.#ask(event, "/t/notice", wanted);
    if (!answer) return;
    event.target.reset();
    ahead.value = String(wanted.ahead);
    part("notice-part").open = false;
    part("notice-part").querySelector("summary").focus();
    this.#showAddress(answer.to);
    this.tell(answer.notices);
  }

  /** For the resident to see what was understood; gone with the page, or when nothing can be mended any more. */
  #showAddress(address) {
    write(part("notice-address-understood"), address);
    part("notice-to").hidden = !address;
  }

  async #stop(event) {
    const answer = await this.#ask(event, "/t/stop", {});
    if (answer) this.tell(answer.notices);
  }

  /** The answer; without one the form says why, and keeps what was typed. */
  async #ask(event, path, wanted) {
    event.preventDefault();
    if (this.#isBusy) return undefined;
    this.#isBusy = true;
    const form = event.target;
    const button = form.querySelector("button");
    const thing = JSON.stringify([path, wanted]);
    if (thing !== this.#open.thing) this.#open = { thing, id: makeId() };
    button.setAttribute("aria-busy", "true");
    const { answer, refusal, silence } = await post(path, { id: this.#open.id, ...this.#proof, ...wanted });
    button.removeAttribute("aria-busy");
    this.#isBusy = false;
    if (silence === undefined) this.#open = { thing: null, id: null };
    const told = form.querySelector(".refusal");
    write(told, answer ? "" : (refusal?.sentence ?? silence));
    told.hidden = Boolean(answer);
    return answer;
  }
}
