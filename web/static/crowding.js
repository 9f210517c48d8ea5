/** The crowding of the office, live. The server drew the first state; this keeps it true. */

import { dateText, minuteOfDay, minutesText, secondsText } from "./clock.js";
import { h, keep, write } from "./dom.js";
import { whyNone } from "./giving.js";
import { MANY } from "./live.js";
import { openPage } from "./page.js";
import { Spoken } from "./spoken.js";

const TICK_MS = 1000;

const part = (id) => document.getElementById(id);
let isFresh = false;
const spoken = new Spoken(part("spoken"));

const page = openPage({
  returns: MANY,
  draw(picture) {
    part("nothing")?.remove(); // what the server said when it knew no state
    part("state").hidden = false;
    drawLanes(picture);
    drawCalls(picture);
    drawMissed(picture);
    drawTime();
    write(part("office"), picture.office);
    document.title = `窓口の混雑状況｜${picture.office}`;
  },
  freshness(fresh) {
    isFresh = fresh;
    write(part("live"), fresh ? "自動で更新しています" : "");
    drawTime();
  },
});

function drawTime() {
  const at = isFresh ? page.clock.now() : page.picture.at; // stale: the moment of which we know, and no later
  if (at) drawHours(at);
  if (part("made").textContent || at) write(part("made-word"), isFresh ? "現在" : "時点");
  if (!at) return; // the server's own words stand
  part("made").dateTime = new Date(at).toISOString();
  write(part("made"), dateText(at) + secondsText(at));
}

function drawHours(at) {
  const { opens, closes } = part("take").dataset;
  const minute = minuteOfDay(at);
  const isOpen = Number(opens) <= minute && minute < Number(closes);
  part("take-open").hidden = !isOpen;
  part("take-closed").hidden = isOpen;
  for (const form of part("take").querySelectorAll("form[data-lane]")) {
    const lane = page.picture.lanes.get(form.dataset.lane);
    const why = lane ? whyNone(lane, at) : "";
    form.querySelector("button").disabled = Boolean(why);
    form.querySelector(".why-none").hidden = !why;
    write(form.querySelector(".why-none"), why);
  }
}

function drawLanes({ lanes }) {
  keep(
    part("lanes"),
    [...lanes.values()],
    (lane) => lane.lane,
    () => h("li", {}, h("span", { class: "name" }), h("span", { class: "count" }, h("b"), "人")),
    (item, lane) => {
      write(item.querySelector(".name"), lane.name);
      write(item.querySelector("b"), lane.waiting);
    },
  );
  write(
    part("sum"),
    [...lanes.values()].reduce((sum, lane) => sum + lane.waiting, 0),
  );
}

function drawCalls(picture) {
  const calls = picture.calls();
  part("no-calls").hidden = calls.length > 0;
  keep(part("calls"), calls, (call) => call.arrival, makeCall, (item, call) => {
    write(item.querySelector(".number"), call.number);
    write(item.querySelector(".counter"), picture.counterName(call.counter));
    write(item.querySelector(".lane"), picture.laneName(call.lane));
  });
  spoken.hear(picture);
}

function makeCall() {
  const arrow = h("span", { class: "arrow", "aria-hidden": "true" }, "→");
  const to = h("span", { class: "to" }, arrow, " ", h("span", { class: "counter" }));
  return h("li", {}, h("b", { class: "number" }), to, h("span", { class: "lane" }));
}

function drawMissed(picture) {
  const missed = picture.missedNumbers();
  part("missed-part").hidden = missed.length === 0;
  keep(
    part("missed"),
    missed,
    (gone) => gone.arrival,
    () =>
      h("li", {}, h("b", { class: "number" }), " ", h("span", { class: "counter" }), " ", h("span", { class: "until" })),
    (item, gone) => {
      write(item.querySelector(".number"), gone.number);
      write(item.querySelector(".counter"), picture.counterName(gone.counter));
      write(item.querySelector(".until"), `${minutesText(gone.until)}まで`);
    },
  );
}

page.live.start();
setInterval(drawTime, TICK_MS);
