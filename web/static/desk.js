/** The page of one counter: what it has, who comes next, who was missed, and one key for each thing to do. */

import { Actions } from "./actions.js";
import { Chooser } from "./chooser.js";
import { minutesText, secondsText } from "./clock.js";
import { h, keep, mark, write } from "./dom.js";
import { signIn, signInIfOut, stayHere } from "./here.js";
import { answersItself, KEYS, plainKey } from "./keys.js";
import { openPage } from "./page.js";
import { ToldOf } from "./told.js";

const TICK_MS = 1000;
const COMING = 3;
const NO_SUCH_COUNTER = "この窓口は設定にありません。「窓口を選び直す」から選んでください。";

const part = (id) => document.getElementById(id);
const counter = document.body.dataset.counter;
let isFresh = false;
const told = new ToldOf(part("told"));
let before = null; // what this counter had before the latest frame

const page = openPage({
  draw(picture, frame) {
    tellNews(frame);
    draw(picture);
    actions.check();
  },
  freshness(fresh, why) {
    isFresh = fresh;
    if (why === "out") signIn();
    else if (why === "closed") signInIfOut(document.body.dataset.socket);
    drawClock();
    if (page.picture.position !== null) drawCurrent();
  },
  late: (body, result) => actions.report(body, result),
});
const chooser = new Chooser(part("chooser"));
const actions = new Actions({
  counter,
  chooser,
  picture: page.picture,
  ask: (body) => page.live.request(body),
  tell({ refusal = "", news = "" }) {
    write(part("refusal"), refusal);
    write(part("news"), news);
  },
  changed: drawActions,
});

function draw(picture) {
  const own = picture.counters.find((each) => each.counter === counter);
  if (!own) write(part("refusal"), NO_SUCH_COUNTER);
  write(part("office"), picture.office);
  write(part("counter"), own?.name ?? counter);
  document.title = `${own?.name ?? counter}｜呼出`;
  const lanes = (own?.lanes ?? []).filter((lane) => picture.lanes.has(lane));
  drawClock();
  drawCurrent();
  drawActions();
  drawLanes(lanes.map((lane) => picture.lanes.get(lane)));
  drawComing(lanes.flatMap((lane) => queueOf(picture, lane).map((waiting) => ({ ...waiting, lane }))));
  drawMissed(actions.missed);
  before = actions.current;
}

function queueOf(picture, lane) {
  return picture.queues.has(lane) ? picture.queue(lane) : [];
}

function drawCurrent() {
  const current = actions.current;
  told.follow(current);
  write(part("number"), current?.number ?? "－");
  if (current === null) return write(part("about"), "お呼びしている番号はありません。");
  const { lane, calls, called_at } = current;
  const stale = isFresh ? "" : `（${minutesText(page.picture.at)} 時点）`;
  const how = `お呼び出し中・${calls}回目（${secondsText(called_at)}）`;
  return write(part("about"), `${page.picture.laneName(lane)}　${how}${stale}`);
}

function drawActions() {
  for (const button of document.querySelectorAll("[data-action]")) {
    const { action } = button.dataset;
    const needsCurrent = action !== "next" && action !== "return";
    // Never `disabled`: a disabled button drops the focus.
    mark(button, "aria-disabled", needsCurrent && actions.current === null ? "true" : null);
    mark(button, "aria-busy", actions.isOpen(action) ? "true" : null);
    mark(button, "data-sending", actions.isSending(action));
  }
}

function drawLanes(lanes) {
  const make = () => h("li", {}, h("span", { class: "name" }), h("span", { class: "count" }, h("b"), "人"));
  keep(part("lanes"), lanes, ({ lane }) => lane, make, (item, lane) => {
    write(item.querySelector(".name"), lane.name);
    write(item.querySelector("b"), lane.waiting);
  });
}

function drawComing(waiting) {
  const next = waiting.sort((a, b) => a.rank - b.rank || a.arrival - b.arrival).slice(0, COMING);
  const make = () => h("li", {}, h("b", { class: "number" }), " ", h("span", { class: "name" }));
  part("no-coming").hidden = next.length > 0;
  keep(part("coming"), next, ({ arrival }) => arrival, make, (item, { number, lane }) => {
    write(item.querySelector("b"), number);
    write(item.querySelector(".name"), page.picture.laneName(lane));
  });
}

function drawMissed(missed) {
  part("no-missed").hidden = missed.length > 0;
  write(part("missed-count"), missed.length > 0 ? ` ${missed.length}件` : "");
  const heldFocus = part("missed").contains(document.activeElement);
  keep(part("missed"), missed, ({ arrival }) => arrival, makeMissed, (item, { lane, counter: where }) => {
    write(item.querySelector(".name"), `${page.picture.laneName(lane)}　${page.picture.counterName(where)}`);
  });
  if (heldFocus && !part("missed").contains(document.activeElement)) goHome();
}

function makeMissed({ arrival, number }) {
  const button = h("button", { type: "button", "aria-label": `${number} 戻る` }, "戻る");
  button.addEventListener("click", (event) => {
    actions.giveBack(arrival);
    if (event.detail > 0) goHome();
  });
  return h("li", {}, h("b", { class: "number" }, number), " ", h("span", { class: "name" }), button);
}

/** What happened at this counter, or to a number that stood here, in words. */
function tellNews(fact) {
  const words = NEWS[fact.type];
  if (!words || (fact.counter ?? counter) !== counter) return;
  if (fact.counter === undefined && !concerns(fact)) return;
  write(part("news"), `${secondsText(fact.at)}　${fact.number} ${words(fact)}`);
}

/** Facts without a counter are told where the number stood, and where somebody asked for it. */
function concerns({ arrival }) {
  return before?.arrival === arrival || actions.lastAsked === arrival;
}

const NEWS = {
  TicketCalled: () => "をお呼びしました。",
  TicketRecalled: ({ calls }) => `を再度お呼びしました（${calls}回目）。`,
  TicketMarkedAbsent: () => "を不在にしました。",
  TicketServed: () => "を完了しました。",
  TicketReturned: ({ lane }) => `のかたが戻られました（${page.picture.laneName(lane)}でお待ちです）。`,
  TicketCancelled: () => "を取り消しました。",
  TicketTransferred: ({ lane }) => `を${page.picture.laneName(lane)}へ転送しました。`,
};

function drawClock() {
  const at = isFresh ? page.clock.now() : page.picture.at;
  if (!at) return;
  write(part("clock"), minutesText(at));
  write(part("clock-word"), isFresh ? "" : " 時点");
}

function goHome() {
  part("home").focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  const key = plainKey(event);
  if (key === null || answersItself(event.target, key)) return;
  if (chooser.isOpen) return chooser.press(key);
  const action = part("keys").checked ? KEYS[key] : undefined;
  if (action === undefined) return;
  if (action === "check_in") return goCheckIn(event);
  event.preventDefault();
  actions.press(action);
});

for (const button of document.querySelectorAll("[data-action]")) {
  button.addEventListener("click", (event) => {
    if (event.detail > 0) goHome(); // by mouse: the next Enter means 次へ, not this button again
    actions.press(button.dataset.action);
  });
}
part("chooser").addEventListener("close", goHome);

/** Only where the office asks for it there is such a field. */
function goCheckIn(event) {
  const field = part("check-in-number");
  if (field === null) return;
  event.preventDefault();
  field.focus();
  field.select();
}

part("check-in")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = part("check-in-number");
  actions.checkIn(field.value.normalize("NFKC").trim().toUpperCase());
  field.value = "";
  goHome();
});
part("check-in-number")?.addEventListener("keydown", (event) => {
  if (event.key === "Escape") goHome();
});

const here = new URL(location.href);
part("keys").checked = here.searchParams.get("keys") !== "off";
part("keys").addEventListener("change", () => {
  if (part("keys").checked) here.searchParams.delete("keys");
  else here.searchParams.set("keys", "off");
  history.replaceState(null, "", here);
  goHome();
});

stayHere(Number(document.body.dataset.idle), (sentence) => {
  part("leaving").hidden = sentence === "";
  write(part("leaving"), sentence);
});
goHome();
page.live.start();
setInterval(drawClock, TICK_MS);
