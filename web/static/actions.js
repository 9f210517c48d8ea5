/**
 * What staff can do at a counter, as requests. A press decides from what the page knows now and names it (`current`,
 * `ticket`), so that the hub can refuse what has changed meanwhile: a double press is one call.
 */

const NOT_YET = "まだつながっていません。つながるまで少しお待ちください。";
const NO_CURRENT = "お呼びしている番号がありません。「次へ」でお呼びください。";
const NO_MISSED = "お呼び済みの番号はありません。";
const NO_NUMBER = "受け付ける番号を入力してください。";
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
  #questioned = null; // arrival that an open question is about
  lastAsked = null; // arrival of the latest request about one number

  /**
   * @param counter key of this counter
   * @param picture what the page knows
   * @param chooser asks what to choose
   * @param ask     (body) → promise of {answer}, {refusal} or {silence}
   * @param tell    ({refusal, news}) → show it; an empty call clears what was shown
   * @param changed () → what is under way has changed
   */
  constructor({ counter, picture, chooser, ask, tell, changed }) {
    Object.assign(this, { counter, picture, chooser, ask, tell, changed });
  }

  get current() {
    return this.picture.calls().find((call) => call.counter === this.counter) ?? null;
  }

  /** Missed numbers, those of this counter's own lanes first. */
  get missed() {
    const own = this.picture.counters.find(({ counter }) => counter === this.counter)?.lanes ?? [];
    const isOther = ({ lane }) => Number(!own.includes(lane));
    return this.picture.missedNumbers().sort((a, b) => isOther(a) - isOther(b));
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
    this.tell({});
    if (this.picture.position === null) this.tell({ refusal: NOT_YET });
    else this.#begin(action);
  }

  /** 「戻る」 beside one missed number. */
  giveBack(arrival) {
    this.tell({});
    this.#send("return", { type: "return", ticket: arrival });
  }

  /** A number from home, as it was typed: its holder is here. */
  checkIn(number) {
    this.tell({});
    if (this.picture.position === null) this.tell({ refusal: NOT_YET });
    else if (number === "") this.tell({ refusal: NO_NUMBER });
    else this.#send("check_in", { type: "check_in", number });
  }

  /** The picture changed: a question about a ticket that has left is over. */
  check() {
    if (!this.chooser.isOpen || this.#questioned === null || this.current?.arrival === this.#questioned) return;
    this.chooser.leave();
    this.tell({ refusal: CHANGED });
  }

  #begin(action) {
    const { counter, current } = this;
    if (action === "next") return this.#send(action, { type: "next", counter, current: current?.arrival ?? null });
    if (action === "return") return this.#chooseMissed();
    if (current === null) return this.tell({ refusal: NO_CURRENT });
    if (action === "transfer") return this.#chooseLane(current);
    if (action === "cancel") return this.#confirmCancel(current);
    return this.#send(action, { type: action, counter, ticket: current.arrival });
  }

  #chooseMissed() {
    const { missed } = this;
    if (missed.length === 0) return this.tell({ refusal: NO_MISSED });
    this.#questioned = null;
    const choices = missed.map(({ arrival, number, lane }) => ({
      text: `${number}　${this.picture.laneName(lane)}`,
      value: arrival,
    }));
    this.chooser.ask("どの番号のかたが戻られましたか", choices, (arrival) => this.giveBack(arrival));
  }

  #chooseLane({ arrival, number, lane: present }) {
    this.#questioned = arrival;
    const lanes = [...this.picture.lanes.values()].filter(({ lane }) => lane !== present);
    const choices = lanes.map(({ lane, name }) => ({ text: name, value: lane }));
    this.chooser.ask(`${number} をどの業務へ転送しますか`, choices, (lane) =>
      this.#send("transfer", { type: "transfer", ticket: arrival, lane }),
    );
  }

  #confirmCancel({ arrival, number }) {
    this.#questioned = arrival;
    const yes = { key: "y", text: `はい、${number} を取り消します`, value: arrival };
    this.chooser.ask(`${number} を取り消しますか`, [yes], (ticket) => this.#send("cancel", { type: "cancel", ticket }));
  }

  async #send(action, body) {
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
    else if (body.type === "next" && answer.arrival === null) this.tell({ news: "お待ちのかたはいません。" });
  }

  #checkedIn({ number, lane, ahead }) {
    const place = ahead === null ? "" : ahead === 0 ? "（次のかたです）" : `（前に${ahead}人）`;
    return `${number} の来庁を受け付けました。${this.picture.laneName(lane)}でお待ちです${place}。`;
  }
}

/** Why not. Who types a number sees neither it nor its state: both are named. */
function refused({ type, number }, { code, sentence, details }) {
  if (type !== "check_in") return sentence;
  return `${number}：${(code === "WrongMove" && STANDS[details.state]) || sentence}`;
}
