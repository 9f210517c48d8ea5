/**
 * What staff can do at a counter, as requests. A press decides from what the page knows now and names it (`current`,
 * `ticket`), so that the hub can refuse what has changed meanwhile: a double press is one call.
 */

import { isHere } from "./numbers.js";
import { QUESTIONS } from "./questions.js";

const NOT_YET = "まだつながっていません。つながるまで少しお待ちください。";
const NO_CURRENT = "お呼びしている番号がありません。「次へ」でお呼びください。";
const NO_NUMBER = "番号を入力してください。";
const STANDS = {
  waiting: "すでに順番をお待ちです。",
  called: "いまお呼びしている番号です。",
  absent: "お呼び済みの番号です。「不在から戻る」で順番に戻してください。",
  served: "お手続きが終わっている番号です。",
  cancelled: "取り消された番号です。新しい番号をお取りいただいてください。",
};
const CHANGED = "状況が変わりました。画面を確かめてから操作してください。";
const DOUBLE_MS = 500; // two presses closer than this are one: nobody is served in half a second

export class Actions {
  #open = new Set(); // actions whose reply is not there yet
  #pressed = new Map(); // action → when it was last taken
  #questioned = null; // {arrival, where} that an open question is about
  lastAsked = null; // arrival of the latest request about one number

  /**
   * @param counter key of this counter
   * @param picture what the page knows
   * @param chooser asks what to choose
   * @param ask     (body) → promise of {answer}, {refusal} or {silence}
   * @param tell    ({refusal, news}) → show it; an empty call clears what was shown
   * @param changed () → what is under way has changed
   * @param slips   hands out what is written on a slip
   */
  constructor({ counter, picture, chooser, ask, tell, changed, slips }) {
    Object.assign(this, { counter, picture, chooser, ask, tell, changed, slips });
  }

  get current() {
    return this.picture.calls().find((call) => call.counter === this.counter) ?? null;
  }

  get lanes() {
    return this.picture.counters.find(({ counter }) => counter === this.counter)?.lanes ?? [];
  }

  /** Missed, held, or in the back office: the numbers of this counter's own lanes first. */
  ownFirst(numbers) {
    const isOther = ({ lane }) => Number(!this.lanes.includes(lane));
    return numbers.sort((a, b) => isOther(a) - isOther(b));
  }

  /** Its reply is not there yet. */
  isSending(action) {
    return this.#open.has(action);
  }

  /** Is it under way, or was it pressed so lately that another press would be the same one? */
  isOpen(action) {
    return this.#open.has(action) || performance.now() - (this.#pressed.get(action) ?? -DOUBLE_MS) < DOUBLE_MS;
  }

  press(action) {
    if (this.isOpen(action)) return;
    this.#pressed.set(action, performance.now());
    setTimeout(this.changed, DOUBLE_MS);
    if (this.#clear()) this.#begin(action);
  }

  /** What a press beside one number asks for: `return`, `resume` or `ready`. */
  pressBeside(action, number) {
    if (!this.#clear()) return;
    if (action === "resume") this.call(number);
    else this.send(action, { type: action, ticket: number.arrival });
  }

  /** A number, as it was typed: what can be done with it is asked. */
  pick(number) {
    if (!this.#clear()) return;
    if (number === "") this.tell({ refusal: NO_NUMBER });
    else QUESTIONS.number(this, number);
  }

  /** A number from home, as it was typed: its holder is here. */
  checkIn(number) {
    if (!this.#clear()) return;
    if (number === "") this.tell({ refusal: NO_NUMBER });
    else this.send("check_in", { type: "check_in", number });
  }

  /** Call one number; a held one needs no reason. */
  call({ arrival }, reason = "") {
    const { counter, current } = this;
    this.send("call", { type: "call", counter, ticket: arrival, current: current?.arrival ?? null, reason });
  }

  /** Ask about a number; where it stands elsewhere before an answer, the question is over. */
  question(about, title, choices, chosen) {
    this.#questioned = about && { arrival: about.arrival, where: about.where };
    this.chooser.ask(title, choices, chosen);
  }

  /** The picture changed: a question about a ticket that has left is over. */
  check() {
    if (!this.chooser.isOpen || this.#questioned === null || isHere(this.picture, this.#questioned)) return;
    this.chooser.leave();
    this.tell({ refusal: CHANGED });
  }

  async send(action, body) {
    if (this.#open.has(action)) return;
    this.#open.add(action);
    this.lastAsked = body.ticket ?? null;
    this.changed();
    const result = await this.ask(body);
    this.#open.delete(action);
    this.changed();
    this.report(body, result);
  }

  /** Say what became of a request. What was done shows by its fact; only what shows nowhere is said here. */
  report(body, { answer, refusal, silence }) {
    if (silence !== undefined) this.tell({ refusal: silence });
    else if (refusal !== undefined) this.tell({ refusal: refused(body, refusal) });
    else if (body.type === "check_in") this.tell({ news: this.#checkedIn(answer) });
    else if (body.type === "next" && answer.arrival === null) this.tell({ news: "お待ちの方はいません。" });
    else if (body.secret !== undefined) this.slips.show(body, answer, this.picture);
  }

  /** Nothing is said any more; false before the page knows anything. */
  #clear() {
    this.tell({});
    if (this.picture.position !== null) return true;
    this.tell({ refusal: NOT_YET });
    return false;
  }

  #begin(action) {
    const { counter, current } = this;
    if (action === "next") return this.send(action, { type: "next", counter, current: current?.arrival ?? null });
    if (ABOUT_OTHERS.has(action)) return QUESTIONS[action](this);
    if (current === null) return this.tell({ refusal: NO_CURRENT });
    if (action in QUESTIONS) return QUESTIONS[action](this, { ...current, where: "called" });
    return this.send(action, { type: action, counter, ticket: current.arrival });
  }

  #checkedIn({ number, lane, ahead }) {
    const place = ahead === null ? "" : ahead === 0 ? "（次の方です）" : `（前に${ahead}人）`;
    return `${number} の来庁を受け付けました。${this.picture.laneName(lane)}でお待ちです${place}。`;
  }
}

/** What can be pressed with no number at the counter. */
export const ABOUT_OTHERS = new Set(["return", "resume", "ready", "issue", "lane"]);

/** Why not. Who types a number sees neither it nor its state: both are named. */
function refused({ type, number }, { code, sentence, details }) {
  if (type !== "check_in") return sentence;
  return `${number}：${(code === "WrongMove" && STANDS[details.state]) || sentence}`;
}
