/** The page of managers: every lane and every counter, and a key for each to say what becomes of it. */

import { Announcing } from "./announcing.js";
import { Chooser } from "./chooser.js";
import { minutesText } from "./clock.js";
import { h, keep, mark, write } from "./dom.js";
import { giving, whyNone } from "./giving.js";
import { signIn, signInIfOut, stayHere } from "./here.js";
import { answersItself, plainKey } from "./keys.js";
import { Managing } from "./managing.js";
import { openPage } from "./page.js";
import { WALL_FACTS } from "./walls.js";

const TICK_MS = 1000;
const MINUTE_MS = 60_000;
const LANE_KEYS = "123456789"; // what stands further down is for the pointer, or Tab and Enter
const COUNTER_KEYS = "abcdefghijklnopqrstuvwyz"; // M and X are the walls'

const part = (id) => document.getElementById(id);
let isFresh = false;

const page = openPage({
  facts: WALL_FACTS,
  draw(picture) {
    write(part("office"), picture.office);
    drawAll();
    managing.check();
  },
  freshness(fresh, why) {
    isFresh = fresh;
    if (why === "out") signIn();
    else if (why === "closed") signInIfOut(document.body.dataset.socket);
    drawAll();
  },
  late: (body, result) => managing.report(body, result),
});
const chooser = new Chooser(part("chooser"));
const managing = new Managing({
  chooser,
  picture: page.picture,
  now,
  ask: (body) => page.live.request(body),
  tell({ refusal = "", news = "" }) {
    write(part("refusal"), refusal);
    write(part("news"), news);
  },
});

const announcing = new Announcing(part("announcing"), (body) => managing.send(body));

/** Office time; of the latest frame while the page is not fresh. */
function now() {
  return (isFresh ? page.clock.now() : page.picture.at) ?? page.picture.at;
}

function drawAll() {
  const at = now();
  if (page.picture.position === null || !at) return;
  write(part("clock"), minutesText(at));
  write(part("clock-word"), isFresh ? "" : " 時点");
  drawLanes(at);
  drawCounters(at);
  drawSaid(at);
}

function drawSaid(at) {
  const { announcement } = page.picture;
  const isShown = announcement !== null && at < announcement.until;
  write(part("said-now"), isShown ? `「${announcement.text}」（${minutesText(announcement.until)} まで）` : "お知らせは出ていません。");
  part("unsay").hidden = !isShown;
}

function drawLanes(at) {
  const lanes = [...page.picture.lanes.values()].map((lane, place) => ({ ...lane, place }));
  keep(part("lanes"), lanes, ({ lane }) => lane, makeLane, (item, lane) => {
    const since = Math.min(...page.picture.queue(lane.lane).map((waiting) => waiting.since));
    const minutes = lane.waiting > 0 ? Math.max(0, Math.floor((at - since) / MINUTE_MS)) : null;
    const isLong = minutes !== null && minutes >= page.picture.rules.long_wait_minutes;
    const serving = page.picture.counters.filter(({ lanes: served }) => served.includes(lane.lane)).length;
    mark(item, "data-giving", lane.offered ? giving(lane, at) : "none");
    write(item.querySelector(".name"), lane.name);
    write(item.querySelector(".standing"), stateText(lane, at));
    write(item.querySelector(".waiting b"), lane.waiting);
    write(item.querySelector(".longest b"), minutes ?? "－");
    item.querySelector(".longest").classList.toggle("is-long", isLong);
    write(item.querySelector(".longest .mark"), isLong ? "！" : "");
    write(item.querySelector(".taken b"), lane.given);
    write(item.querySelector(".serving b"), serving);
  });
}

function makeLane({ lane, place, name }) {
  const key = LANE_KEYS[place] ?? null;
  return h("li", {}, opener(key, `${name}の操作`, () => managing.openLane(lane)),
    h("p", { class: "standing" }),
    figure("waiting", "お待ち", "人"),
    figure("longest", "最長", "分"),
    figure("taken", "本日の発券", "件"),
    figure("serving", "担当", "窓口"));
}

/** The name of a lane or a counter as a button, with its key before it. */
function opener(key, label, open) {
  const shown = key === null ? null : h("kbd", {}, key.toUpperCase());
  const button = h("button", { type: "button", class: "opener", title: label, "aria-keyshortcuts": key?.toUpperCase() ?? null },
    shown, h("span", { class: "name" }));
  button.addEventListener("click", open);
  return button;
}

function figure(kind, title, unit) {
  return h("p", { class: `figure ${kind}` }, `${title} `, h("span", { class: "mark" }), h("b"), unit);
}

/** Whether it gives numbers, and if not, why. */
function stateText(lane, at) {
  if (!lane.offered) return lane.closing ? "受付は終了しました" : "番号は発行しません";
  const state = giving(lane, at);
  if (state === "open") return hoursText(lane, at) || "受付中";
  if (state !== "paused") return whyNone(lane, at);
  const reason = page.picture.pauseReasons.find(({ reason: key }) => key === lane.reason)?.name;
  return reason === undefined ? "休止中" : `休止中（${reason}）`;
}

function hoursText({ hours }, at) {
  const present = hours?.find(([opens, closes]) => opens <= at && at < closes);
  return present === undefined ? "" : `受付中（${minutesText(present[1])} まで）`;
}

function drawCounters(at) {
  const calls = new Map(page.picture.calls().map((call) => [call.counter, call]));
  const held = page.picture.heldNumbers();
  const counters = page.picture.counters.map((counter, place) => ({ ...counter, place }));
  keep(part("counters"), counters, ({ counter }) => counter, makeCounter, (item, { counter, name, lanes }) => {
    const call = calls.get(counter);
    const aside = held.filter((number) => number.counter === counter).length;
    write(item.querySelector(".name"), name);
    write(item.querySelector(".number"), call?.number ?? "－");
    write(item.querySelector(".since"), call === undefined ? "呼び出しなし" : `${minutesText(call.called_at)} から（${passed(at, call)}）`);
    write(item.querySelector(".held"), aside > 0 ? `保留 ${aside}件` : "");
    write(item.querySelector(".serves"), lanes.map((lane) => page.picture.laneName(lane)).join("・"));
  });
}

function makeCounter({ counter, place, name }) {
  const button = opener(COUNTER_KEYS[place] ?? null, `${name}の担当業務`, () => managing.openCounter(counter));
  return h("li", {}, button, h("p", { class: "number" }), h("p", { class: "since" }),
    h("p", { class: "held" }), h("p", { class: "serves" }));
}

function passed(at, { called_at }) {
  return `${Math.max(0, Math.floor((at - called_at) / MINUTE_MS))}分`;
}

document.addEventListener("keydown", (event) => {
  const key = plainKey(event);
  if (key === null || answersItself(event.target, key)) return;
  if (chooser.isOpen) return chooser.press(key);
  if (!part("keys").checked || page.picture.position === null) return;
  const begin = meant(key);
  if (announcing.isOpen || begin === null) return;
  event.preventDefault();
  begin();
});

/** What a key begins: a lane, a counter, or what the walls say. */
function meant(key) {
  const lane = [...page.picture.lanes.keys()][LANE_KEYS.indexOf(key)];
  if (lane !== undefined) return () => managing.openLane(lane);
  const seat = page.picture.counters[COUNTER_KEYS.indexOf(key)];
  if (seat !== undefined) return () => managing.openCounter(seat.counter);
  if (key === "m") return () => announcing.open();
  if (key === "x" && !part("unsay").hidden) return withdraw;
  return null;
}

function withdraw() {
  managing.send({ type: "withdraw" });
}

part("say").addEventListener("click", () => announcing.open());
part("unsay").addEventListener("click", withdraw);

stayHere(Number(document.body.dataset.idle), (sentence) => {
  part("leaving").hidden = sentence === "";
  write(part("leaving"), sentence);
});
page.live.start();
setInterval(drawAll, TICK_MS);
