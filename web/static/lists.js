/** The lists of a desk: its lanes, who comes next, and the numbers that were put aside. */

import { minutesText } from "./clock.js";
import { h, keep, mark, write } from "./dom.js";
import { whyNone } from "./giving.js";
import { longestMinutes } from "./numbers.js";

const COMING = 3;
const part = (id) => document.getElementById(id);

// What was put aside: in which state, since when it matters, and the button beside it.
const ASIDE = [
  { state: "不在", numbers: (picture) => picture.missedNumbers(), action: "return", word: "戻る" },
  { state: "保留", numbers: (picture) => picture.heldNumbers(), action: "resume", word: "呼ぶ" },
  { state: "審査中", numbers: (picture) => picture.reviewedNumbers(), action: "ready", word: "準備完了" },
];

export class Lists {
  /** @param goHome () → the focus goes where Enter means 次へ */
  constructor({ page, actions, goHome }) {
    Object.assign(this, { page, actions, goHome });
  }

  /** `at`: office time. */
  draw(at) {
    const { picture } = this.page;
    const lanes = this.actions.lanes.filter((lane) => picture.lanes.has(lane)).map((lane) => picture.lanes.get(lane));
    this.#drawLanes(lanes, at);
    const mayCall = ({ for_counter }) => for_counter === undefined || for_counter === this.actions.counter;
    const waiting = lanes.flatMap(({ lane }) => queueOf(picture, lane).map((each) => ({ ...each, lane })));
    this.#drawComing(waiting.filter(mayCall), at);
    this.#drawAside();
  }

  /** Another second: who has waited how long. */
  tick(at) {
    if (at) this.draw(at);
  }

  #drawLanes(lanes, at) {
    const { picture } = this.page;
    const make = () =>
      h(
        "li",
        {},
        h("span", { class: "name" }),
        h("span", { class: "mark" }),
        h("span", { class: "longest" }),
        h("span", { class: "count" }, h("b"), "人"),
      );
    keep(part("lanes"), lanes, ({ lane }) => lane, make, (item, lane) => {
      const minutes = longestMinutes(queueOf(picture, lane.lane), at);
      write(item.querySelector(".name"), lane.name);
      write(item.querySelector(".mark"), lane.offered ? whyNone(lane, at) : "");
      write(item.querySelector(".longest"), minutes === null ? "" : `最長${minutes}分`);
      mark(item, "data-long", isLong(picture, minutes));
      write(item.querySelector("b"), lane.waiting);
    });
  }

  #drawComing(waiting, at) {
    const { picture } = this.page;
    const next = waiting.sort((a, b) => a.rank - b.rank || a.arrival - b.arrival).slice(0, COMING);
    const make = () => h("li", {}, h("b", { class: "number" }), h("span", { class: "name" }), h("span", { class: "mark" }));
    part("no-coming").hidden = next.length > 0;
    keep(part("coming"), next, ({ arrival }) => arrival, make, (item, each) => {
      const minutes = longestMinutes([each], at);
      write(item.querySelector("b"), each.number);
      write(item.querySelector(".name"), `${picture.laneName(each.lane)}${minutes === null ? "" : `　${minutes}分`}`);
      mark(item, "data-long", isLong(picture, minutes));
      const marks = [picture.byPriority.has(each.arrival) && "優先", each.for_counter && "この窓口で"];
      write(item.querySelector(".mark"), marks.filter(Boolean).join("・"));
    });
  }

  #drawAside() {
    const { picture } = this.page;
    const aside = ASIDE.flatMap(({ numbers, ...kind }) =>
      this.actions.ownFirst(numbers(picture)).map((number) => ({ ...number, ...kind })),
    );
    part("no-aside").hidden = aside.length > 0;
    write(part("aside-count"), aside.length > 0 ? ` ${aside.length}件` : "");
    const heldFocus = part("aside").contains(document.activeElement);
    keep(part("aside"), aside, ({ arrival, action }) => `${action} ${arrival}`, (each) => this.#made(each), (item, each) => {
      const { lane, counter, until, state } = each;
      const deadline = until === undefined ? "" : `${minutesText(until)}まで　`;
      write(item.querySelector(".state"), state);
      write(item.querySelector(".name"), `${deadline}${picture.laneName(lane)}　${picture.counterName(counter)}`);
    });
    if (heldFocus && !part("aside").contains(document.activeElement)) this.goHome();
  }

  #made({ arrival, number, action, word }) {
    const button = h("button", { type: "button", "aria-label": `${number} ${word}` }, word);
    button.addEventListener("click", (event) => {
      this.actions.pressBeside(action, { arrival });
      if (event.detail > 0) this.goHome();
    });
    const state = h("span", { class: "state" });
    return h("li", { "data-action-beside": action }, h("b", { class: "number" }, number), state, h("span", { class: "name" }), button);
  }
}

function queueOf(picture, lane) {
  return picture.queues.has(lane) ? picture.queue(lane) : [];
}

function isLong({ rules }, minutes) {
  return rules !== null && minutes !== null && minutes >= rules.long_wait_minutes;
}
