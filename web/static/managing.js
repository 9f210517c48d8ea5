/**
 * What a manager can do, as requests. Choosing a lane or a counter asks what becomes of it: one key for it, one for
 * the answer.
 * What was true when the question was asked is looked at again before it is sent: a lane that changed is not acted upon.
 */

import { giving } from "./giving.js";

const CHANGED = "状況が変わりました。画面を確かめてから操作してください。";
const NOT_YET = "まだつながっていません。つながるまで少しお待ちください。";
const LISTED = 8; // numbers by digit; 0 is all of them

export class Managing {
  #asked = null; // () → whether what an open question is about still stands so

  /**
   * @param picture what the page knows
   * @param chooser asks what to choose
   * @param now     () → office time
   * @param ask     (body) → promise of {answer}, {refusal} or {silence}
   * @param tell    ({refusal, news}) → show it; an empty call clears what was shown
   */
  constructor({ picture, chooser, now, ask, tell }) {
    Object.assign(this, { picture, chooser, now, ask, tell });
  }

  /** What becomes of a lane? */
  openLane(key) {
    this.tell({});
    const lane = this.picture.lanes.get(key);
    if (lane === undefined) return this.tell({ refusal: NOT_YET });
    const { closing, paused } = lane;
    const stands = () => {
      const present = this.picture.lanes.get(key);
      return present?.closing === closing && present.paused === paused;
    };
    return closing ? this.#askWhoEnds(lane, stands) : this.#askWhatGives(lane, stands);
  }

  /** Which lanes does a counter serve today? Each answer adds one or takes one away. */
  openCounter(key) {
    this.tell({});
    const seat = this.picture.counters.find(({ counter }) => counter === key);
    const stands = () => this.picture.counters.find(({ counter }) => counter === key)?.lanes.join() === seat.lanes.join();
    const choices = [...this.picture.lanes.values()].map(({ lane, name }) => {
      const serves = seat.lanes.includes(lane);
      const lanes = serves ? seat.lanes.filter((other) => other !== lane) : [...seat.lanes, lane];
      return { text: serves ? `${name}を担当から外します` : `${name}を担当に加えます`, body: { type: "reassign", counter: key, lanes } };
    });
    return this.#question(`${seat.name}の本日の担当業務`, choices, stands, (body) => this.send(body));
  }

  /** The picture changed: a question about what has changed is over. */
  check() {
    if (!this.chooser.isOpen || this.#asked === null || this.#asked()) return;
    this.chooser.leave();
    this.tell({ refusal: CHANGED });
  }

  #askWhatGives({ lane, name, paused, offered }, stands) {
    const choices = [];
    if (paused) choices.push({ text: "受付を再開します", body: { type: "resume", lane } });
    else if (offered) {
      for (const { reason, name: why } of this.picture.pauseReasons) {
        choices.push({ text: `受付を休止します（${why}）`, body: { type: "pause", lane, reason } });
      }
    }
    choices.push({ key: "e", text: "本日の受付を終了します（再開できません）", body: { type: "closing", lane } });
    this.#question(`${name}：${stateOf(this.picture.lanes.get(lane), this.now())}`, choices, stands, (body) => this.send(body));
  }

  #askWhoEnds({ lane, name }, stands) {
    const waiting = this.picture.queue(lane);
    if (waiting.length === 0) return this.tell({ news: `${name}でお待ちの方はいません。` });
    const choices = waiting.slice(0, LISTED).map(({ arrival, number }) => ({
      text: `${number} を終わりにします`,
      body: [arrival],
    }));
    const everybody = waiting.map(({ arrival }) => arrival);
    choices.push({ key: "0", text: `お待ちの ${waiting.length}人 全員を終わりにします`, body: everybody });
    return this.#question(`${name}：受付は終了しました。お待ちの方の番号`, choices, stands, (arrivals) => this.#end(name, arrivals));
  }

  #question(title, choices, stands, chosen) {
    this.#asked = stands;
    const told = choices.map(({ body, ...choice }) => ({ ...choice, value: JSON.stringify(body) })); // as the list tells them apart
    this.chooser.ask(title, told, (value) => chosen(JSON.parse(value)));
  }

  /** Ask, and say what became of it. */
  async send(body) {
    this.report(body, await this.ask(body));
  }

  /** One after the other: the first that is refused stops it, and is told. */
  async #end(name, arrivals) {
    let ended = 0;
    for (const ticket of arrivals) {
      const { answer, ...why } = await this.ask({ type: "lapse", ticket });
      if (answer === undefined) return this.report({ type: "lapse" }, why);
      ended += 1;
    }
    return this.tell({ news: `${name}でお待ちの ${ended}件 を終わりにしました。` });
  }

  /** Say what became of a request. */
  report(body, { refusal, silence }) {
    if (silence !== undefined) this.tell({ refusal: silence });
    else if (refusal !== undefined) this.tell({ refusal: refusal.sentence });
    else this.tell({ news: DONE[body.type](this.picture.laneName(body.lane), this.picture.counterName(body.counter)) });
  }
}

function stateOf(lane, at) {
  return { open: "受付中", paused: "休止中", closed: "受付時間外", over: "受付終了" }[giving(lane, at)];
}

const DONE = {
  pause: (lane) => `${lane}の受付を休止しました。`,
  resume: (lane) => `${lane}の受付を再開しました。`,
  closing: (lane) => `${lane}の本日の受付を終了しました。`,
  reassign: (lane, counter) => `${counter}の本日の担当業務を変更しました。`,
  announce: () => "番号表示モニターにお知らせを出しました。",
  withdraw: () => "番号表示モニターのお知らせを取り下げました。",
  lapse: () => "番号を終わりにしました。",
};
