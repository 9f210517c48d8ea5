/** A resident's notices: their forms, where each stands, and how it is stopped. Nothing of what is typed is kept. */

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
const ENDED = {
  resident: "stopped",
  block: "stopped",
  replaced: "stopped",
  refused: "failed",
  bounce: "failed",
  office: "stopped",
};
const GOING = ["expected", "waiting"];
const OPEN = ["sending", "near-sending"];
const UNDER_WAY = ["pending", "claimed", "sending"];
const FIRST_LOOK_MS = 2000;
const LONGEST_LOOK_MS = 60_000;
const CODE_MS = 600_000; // as long as a code is good
const PREFIXES = { line: "line", email: "notice", phone: "phone" };

/** All of them, and one question for where they stand. */
export class OwnNotices {
  #proof;
  #each;
  #timer;
  #pause = FIRST_LOOK_MS;
  #looksLike = "";

  /** @param proof whose ticket: the secret, or number and code */
  constructor(proof) {
    this.#proof = proof;
    this.#each = Object.entries(PREFIXES)
      .filter(([, prefix]) => document.getElementById(prefix))
      .map(([carrier, prefix]) => new OwnNotice(proof, carrier, prefix, (notices) => this.tell(notices)));
  }

  /** What the hub told of the ticket's notices. */
  tell(notices) {
    for (const one of this.#each) one.tell(notices);
    this.#lookLater();
  }

  /** The ticket stands otherwise now. */
  stand(shown, ahead) {
    for (const one of this.#each) one.stand(shown, ahead);
    this.#lookLater();
  }

  /** Their state stands in no public fact: ask while something is on its way, or should be, ever more seldom. */
  #lookLater() {
    const looksLike = this.#each.map((one) => one.looksLike).join("|");
    if (looksLike !== this.#looksLike) this.#pause = FIRST_LOOK_MS;
    this.#looksLike = looksLike;
    if (this.#timer !== undefined || !this.#each.some((one) => one.isOpen)) return;
    this.#timer = setTimeout(async () => {
      this.#timer = undefined;
      this.#pause = Math.min(this.#pause * 2, LONGEST_LOOK_MS);
      const { answer } = await post("/t/find", this.#proof);
      if (answer) this.tell(answer.notices);
      else this.#lookLater();
    }, this.#pause);
  }
}

/** One carrier's part of the page. */
class OwnNotice {
  #proof;
  #carrier;
  #prefix;
  #onTold;
  #notice = null;
  #shown = ""; // of the ticket
  #ahead;
  #names = [];
  #open = { thing: null, id: null }; // what was asked without an answer: asked again, it is the same request
  #isBusy = false;
  #codeUntil = 0;

  constructor(proof, carrier, prefix, onTold) {
    this.#proof = proof;
    this.#carrier = carrier;
    this.#prefix = prefix;
    this.#onTold = onTold;
    this.#part("form")?.addEventListener("submit", (event) => this.#notify(event));
    this.#stopForm.addEventListener("submit", (event) => this.#stop(event));
  }

  get looksLike() {
    return String(this.#names) + this.#codeUntil;
  }

  /** Whether somebody should ask again how it stands. */
  get isOpen() {
    if (Date.now() < this.#codeUntil) return true;
    const notice = this.#notice;
    if (!notice || notice.ended) return false;
    const isDue = notice.near === null && this.#shown === "waiting" && this.#ahead <= notice.ahead;
    const isCalled = ["called", "missed"].includes(this.#shown) && !notice.sent.some(({ about }) => about === "now");
    const isUnderWay = notice.sent.some(({ state }) => UNDER_WAY.includes(state));
    return isDue || isCalled || isUnderWay || this.#names.some((name) => OPEN.includes(name));
  }

  tell(notices) {
    this.#notice = notices.find(({ carrier }) => carrier === this.#carrier) ?? null;
    if (this.#notice && !this.#notice.ended) this.#showCode(null);
    this.#draw();
  }

  stand(shown, ahead) {
    this.#shown = shown;
    this.#ahead = ahead;
    if (shown === "over") this.#notice = null; // of another day: nobody can open it any more
    this.#draw();
  }

  #part(name) {
    return document.getElementById(`${this.#prefix}-${name}`);
  }

  get #stopForm() {
    return document.getElementById(this.#prefix === "notice" ? "stop-form" : `${this.#prefix}-stop-form`);
  }

  #draw() {
    const notice = this.#notice;
    const section = document.getElementById(this.#prefix);
    const isKept = notice !== null && !notice.ended;
    const isOffered = this.#part("part") !== null && GOING.includes(this.#shown);
    const names = notice ? this.#namesOf(notice) : [];
    section.hidden = !isOffered && notice === null;
    for (const line of section.querySelectorAll("[data-notice]")) line.hidden = !names.includes(line.dataset.notice);
    for (const place of section.querySelectorAll("[data-wished]")) write(place, notice?.ahead ?? "");
    for (const place of section.querySelectorAll("[data-minutes]")) write(place, notice?.minutes ?? "");
    for (const place of section.querySelectorAll("[data-walks]")) place.hidden = !notice?.minutes;
    this.#drawSent(notice?.sent ?? []);
    this.#stopForm.hidden = !isKept;
    if (!isKept || !isOffered || names.includes("failed")) this.#showTo("");
    if (this.#part("part")) {
      this.#part("part").hidden = !isOffered;
      this.#part("new").hidden = isKept;
      this.#part("again").hidden = !isKept;
    }
    this.#names = names;
  }

  /** Its words are loaded with the first message: whoever wishes for none needs none of them. */
  async #drawSent(sent) {
    if (sent.length === 0) return this.#part("sent").replaceChildren();
    const { sentLine } = await import("./sent.js");
    return this.#part("sent").replaceChildren(...sent.map(sentLine));
  }

  #namesOf({ ended, registered, near }) {
    const isGoing = GOING.includes(this.#shown);
    const first = ended ? ENDED[ended] : REGISTERED[registered ?? "pending"];
    if (first === "stopped") return ["stopped"];
    if (first === "failed") return ["failed", ended && "erased", isGoing && "anew"].filter(Boolean);
    if (near === null) return isGoing ? [first, "later"] : [first];
    return [first, NEAR[near]];
  }

  async #notify(event) {
    const fields = event.target.elements;
    const wanted = { ahead: Number(fields.ahead.value), minutes: Number(fields.minutes.value) };
    Object.assign(wanted, { consent: fields.consent.checked, purpose: fields.purpose.value });
    for (const name of ["address", "telephone", "by", "language"]) if (fields[name]) wanted[name] = fields[name].value;
    const answer = await this.#ask(event, event.target.getAttribute("action"), wanted);
    if (!answer) return;
    event.target.reset();
    fields.ahead.value = String(wanted.ahead);
    fields.minutes.value = String(wanted.minutes);
    this.#part("part").open = false;
    this.#part("part").querySelector("summary").focus();
    this.#showTo(answer.to ?? "");
    this.#showCode(answer.link ?? null);
    this.#onTold(answer.notices);
    if (answer.link) this.#showCode(answer.link); // also where an earlier wish holds until the code is sent
  }

  /** For the resident to see what was understood; gone with the page, or when nothing can be mended any more. */
  #showTo(contact) {
    if (!this.#part("to")) return;
    write(this.#part("address-understood"), contact);
    this.#part("to").hidden = !contact;
  }

  /** What is to be sent in LINE; null: nothing any more. */
  #showCode(link) {
    if (!this.#part("code")) return;
    this.#codeUntil = link ? Date.now() + CODE_MS : 0;
    this.#part("code").hidden = !link;
    write(this.#part("code-text"), link?.code ?? "");
    write(this.#part("account"), link?.account ?? "");
    if (link) this.#part("chat").href = link.url;
  }

  async #stop(event) {
    const answer = await this.#ask(event, "/t/stop", { carrier: this.#carrier });
    if (answer) this.#onTold(answer.notices);
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
