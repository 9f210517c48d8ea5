/**
 * A wall: the newest call largest, all other present calls below, who was missed, how many wait.
 *
 * Every present call is on the wall at every moment: one that finds no place among the largest stands in the grid.
 */

import { dateText, minutesText } from "./clock.js";
import { h, keep, mark, write } from "./dom.js";
import { emOf, missedRoom, MISSED_PAGE, roomFor } from "./fit.js";
import { Highlights } from "./highlights.js";
import { openPage } from "./page.js";
import { Receipts } from "./receipts.js";
import { Spoken } from "./spoken.js";

const TICK_MS = 1000;
const ASK_MS = 10_000; // while the connection is lost, whether this screen was put out meanwhile
const CLOSING = "受付は終了しました";
const MISSED_TURN_MS = 10_000; // time to find one's number among sixteen

const part = (id) => document.getElementById(id);
const highlights = new Highlights();
const spoken = new Spoken(part("spoken"));
const receipts = new Receipts({
  rowOf: ({ arrival }) => document.querySelector(`.call[data-key="${arrival}"]`),
  ask: (body) => page.live.request(body),
  first: announceAnew,
});
let isFresh = false;
let hasBeenIn = false; // a page that never got in would reload itself without end
let missedPage = 0;
let asking = null;
let timer = null;

const page = openPage({
  draw(picture) {
    highlights.learn(picture.day, picture.calls(), performance.now());
    spoken.hear(picture);
    part("nothing")?.remove(); // what the server said when it knew no state
    write(part("office"), picture.office);
    drawLanes(picture);
    drawMissed(picture);
    drawAnnouncement();
    drawCalls();
  },
  freshness(fresh, why) {
    isFresh = fresh;
    hasBeenIn ||= fresh;
    if (why === "out") location.reload(); // the page of a screen that was put out shows how it is let in again
    else if (why === "closed") reloadIfOut();
    drawClock();
    if (page.picture.position !== null) drawCalls();
  },
});

/** A socket that was refused says no reason to a page; its path does, to a plain request. Nobody stands here to ask. */
async function reloadIfOut() {
  clearTimeout(asking);
  if (isFresh || !hasBeenIn) return;
  const status = await fetch(document.body.dataset.socket).then((answer) => answer.status, () => 0);
  if (status === 401) location.reload();
  else asking = setTimeout(reloadIfOut, ASK_MS);
}

function drawCalls() {
  const { picture } = page;
  const now = performance.now();
  highlights.pass(now);
  const calls = picture.calls();
  const stage = highlights.stage(calls);
  const others = calls.filter((call) => !stage.includes(call));
  mark(document.body, "data-staged", stage.length);
  mark(document.body, "data-room", roomFor(others.length));
  part("welcome").hidden = calls.length > 0;
  part("others-part").hidden = others.length === 0;
  for (const place of document.querySelectorAll(".as-of")) write(place, isFresh ? "" : asOf("（", "）"));
  keep(part("stage"), stage, nameOf, makeCall, (item, call) => drawCall(item, call, stageLabel(call)));
  keep(part("grid"), others, nameOf, makeCall, (item, call) => drawCall(item, call, gridLabel(call)));
  receipts.look(picture.position.epoch, isFresh ? calls : []);
  clearTimeout(timer);
  const next = highlights.nextMs(now);
  if (next !== null) timer = setTimeout(drawCalls, next);
}

/** This call was on no wall until now: this one has come back, or was opened, after it was made. */
function announceAnew(call) {
  if (highlights.isNew(call)) return; // it is being announced
  highlights.renew(call, performance.now());
  spoken.say(page.picture, call);
  drawCalls();
}

const nameOf = (call) => call.arrival;

function makeCall() {
  return h("li", { class: "call" }, fit("label"), fit("number"), fit("counter"));
}

function drawCall(item, call, label) {
  item.classList.toggle("is-new", isFresh && highlights.isNew(call));
  item.querySelector(".label").hidden = label === "";
  fill(item, "label", label);
  fill(item, "number", call.number);
  fill(item, "counter", page.picture.counterName(call.counter));
}

function stageLabel(call) {
  if (!isFresh) return `更新停止中${asOf("（", "）")}`;
  if (call.calls > 1) return `${call.calls}回目のお呼び出し`;
  return highlights.isNew(call) ? "ただいまお呼びしました" : "お呼びしています";
}

/** In the grid only what is new is labelled: it waits for a place among the largest. */
function gridLabel(call) {
  if (!isFresh || !highlights.isNew(call)) return "";
  return call.calls > 1 ? `${call.calls}回目のお呼び出し` : "お呼び出し";
}

function asOf(before, after) {
  return page.picture.at ? `${before}${minutesText(page.picture.at)} 時点${after}` : "";
}

function drawLanes({ lanes }) {
  mark(part("lanes"), "data-count", lanes.size);
  keep(
    part("lanes"),
    [...lanes.values()],
    (lane) => lane.lane,
    () => h("li", {}, fit("name"), h("p", { class: "count" }, h("b"), "人"), h("p", { class: "closing" }, CLOSING)),
    (item, lane) => {
      fill(item, "name", lane.name);
      write(item.querySelector("b"), lane.waiting);
      item.querySelector(".closing").hidden = !lane.closing;
    },
  );
}

function drawMissed(picture) {
  const missed = picture.missedNumbers();
  const pages = Math.ceil(missed.length / MISSED_PAGE);
  missedPage = pages > 0 ? missedPage % pages : 0;
  part("missed-part").hidden = pages === 0;
  mark(document.body, "data-missed", missedRoom(missed.length));
  write(part("missed-page"), pages > 1 ? `${missedPage + 1}／${pages}` : "");
  const shown = missed.slice(missedPage * MISSED_PAGE, (missedPage + 1) * MISSED_PAGE);
  const make = () => h("li", {}, fit("number"), h("p", { class: "until" }));
  keep(part("missed"), shown, nameOf, make, (item, gone) => {
    fill(item, "number", gone.number);
    write(item.querySelector(".until"), `${minutesText(gone.until)}まで`);
  });
}

/** It ends by the office's clock; one that may be over is not shown. */
function drawAnnouncement() {
  const { announcement, at } = page.picture;
  const isShown = announcement !== null && (page.clock.now() ?? at) < announcement.until;
  part("announcement").hidden = !isShown;
  write(part("announcement-text"), isShown ? announcement.text : "");
}

function fit(kind) {
  return h("p", { class: `fit ${kind}` }, h("span"));
}

function fill(item, kind, text) {
  const line = item.querySelector(`.${kind} > span`);
  write(line, text);
  mark(line, "data-em", emOf(text));
}

function drawClock() {
  const at = isFresh ? page.clock.now() : page.picture.at;
  if (!at) return; // the server's own words stand
  write(part("date"), dateText(at));
  write(part("clock"), minutesText(at));
  write(part("clock-word"), isFresh ? "" : "時点");
}

page.live.start();
setInterval(() => {
  drawClock();
  drawAnnouncement();
}, TICK_MS);
setInterval(() => {
  missedPage += 1;
  drawMissed(page.picture);
}, MISSED_TURN_MS);
