/** The page of one counter: what it has, who comes next, who was missed, and one key for each thing to do. */

import { ABOUT_OTHERS, Actions } from "./actions.js";
import { Chooser } from "./chooser.js";
import { minutesText, secondsText } from "./clock.js";
import { mark, write } from "./dom.js";
import { signIn, signInIfOut, stayHere } from "./here.js";
import { answersItself, KEYS, plainKey } from "./keys.js";
import { Lists } from "./lists.js";
import { beforeAbsent } from "./numbers.js";
import { NEWS } from "./news.js";
import { openPage } from "./page.js";
import { Shown } from "./shown.js";
import { Slips } from "./slips.js";
import { ToldOf } from "./told.js";
import { WALL_FACTS } from "./walls.js";
import { Why } from "./why.js";

const TICK_MS = 1000;
const NO_SUCH_COUNTER = "この窓口は設定にありません。「窓口を選び直す」から選んでください。";

const part = (id) => document.getElementById(id);
const counter = document.body.dataset.counter;
const shown = new Shown();
const why = new Why(part("why"), goHome);
const slips = new Slips(part("slip"), goHome);
let isFresh = false;
const told = new ToldOf(part("told"));
let before = null; // what this counter had before the latest frame

const page = openPage({
  facts: WALL_FACTS,
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
    if (page.picture.position !== null) {
      drawCurrent();
      drawReceipt();
    }
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
  slips,
});
const lists = new Lists({ page, actions, goHome });

function draw(picture) {
  const own = picture.counters.find((each) => each.counter === counter);
  if (!own) write(part("refusal"), NO_SUCH_COUNTER);
  write(part("office"), picture.office);
  write(part("counter"), own?.name ?? counter);
  document.title = `${own?.name ?? counter}｜呼び出し`;
  drawClock();
  drawCurrent();
  drawReceipt();
  drawActions();
  lists.draw(now());
  before = actions.current;
}

/** Office time; of a page that is not fresh, the latest that it heard. */
function now() {
  return isFresh ? page.clock.now() : page.picture.at;
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

/** Whether the walls show it; while this page is not fresh nobody can say. */
function drawReceipt() {
  const { kind, text, alarm } = shown.judge(actions.current, page.picture.walls, performance.now());
  mark(part("receipt"), "data-kind", kind);
  write(part("receipt"), isFresh ? text : "");
  write(part("unshown"), isFresh ? alarm : "");
}

function drawActions() {
  const { current } = actions;
  for (const button of document.querySelectorAll("[data-action]")) {
    const { action } = button.dataset;
    const needsCurrent = action !== "next" && !ABOUT_OTHERS.has(action);
    // Never `disabled`: a disabled button drops the focus.
    mark(button, "aria-disabled", (needsCurrent && current === null) || isIdle(action) ? "true" : null);
    mark(button, "aria-busy", actions.isOpen(action) ? "true" : null);
    mark(button, "data-sending", actions.isSending(action));
  }
  drawAbsent();
}

/** Where there is nothing for it to do: nobody is held, no back office follows. */
function isIdle(action) {
  const { picture } = page;
  if (action === "return") return picture.missed.size === 0;
  if (action === "resume") return !picture.held?.size;
  if (action === "ready") return !picture.inReview?.size;
  return action === "review" && actions.current !== null && !picture.lanes.get(actions.current.lane)?.delivery;
}

/** How much of his right to be called the resident still has, before anybody presses. */
function drawAbsent() {
  const { current } = actions;
  const { rules } = page.picture;
  const missing = current !== null && rules !== null && isFresh ? beforeAbsent(current, rules, now()) : "";
  const button = document.querySelector("[data-action=absent]");
  mark(button, "data-missing", missing || null);
  write(part("absent-missing"), missing);
  if (missing !== "") mark(button, "aria-disabled", "true");
}

/** What happened at this counter, or to a number that stood here, in words. */
function tellNews(fact) {
  const words = NEWS[fact.type];
  if (!words || (fact.counter ?? counter) !== counter) return;
  if (fact.counter === undefined && !concerns(fact)) return;
  write(part("news"), `${secondsText(fact.at)}　${fact.number} ${words(fact, page.picture)}`);
}

/** Facts without a counter are told where the number stood, and where somebody asked for it. */
function concerns({ arrival }) {
  return before?.arrival === arrival || actions.lastAsked === arrival;
}

function drawClock() {
  const at = now();
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
  if (why.isOpen || slips.isOpen) return;
  const action = part("keys").checked ? KEYS[key] : undefined;
  if (action === undefined) return;
  if (action === "check_in" || action === "pick") return goTo(FIELDS[action], event);
  event.preventDefault();
  if (action === "why") return why.open(actions.current?.number);
  actions.press(action);
});

for (const button of document.querySelectorAll("[data-action]")) {
  button.addEventListener("click", (event) => {
    if (event.detail > 0) goHome(); // by mouse: the next Enter means 次へ, not this button again
    actions.press(button.dataset.action);
  });
}
part("chooser").addEventListener("close", goHome);
part("ask-why").addEventListener("click", () => why.open(actions.current?.number));

/** Fields for a number, and what is done with it; that of checking in is there only where the office asks for it. */
const FIELDS = { check_in: "check-in", pick: "pick" };

function goTo(form, event) {
  const field = part(`${form}-number`);
  if (field === null) return;
  event.preventDefault();
  field.focus();
  field.select();
}

function takeNumber(form, taken) {
  part(form)?.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = part(`${form}-number`);
    const number = field.value.normalize("NFKC").trim().toUpperCase();
    field.value = "";
    goHome();
    taken(number);
  });
  part(`${form}-number`)?.addEventListener("keydown", (event) => {
    if (event.key === "Escape") goHome();
  });
}

takeNumber(FIELDS.pick, (number) => actions.pick(number));
takeNumber(FIELDS.check_in, (number) => actions.checkIn(number));

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
setInterval(() => {
  drawClock();
  if (page.picture.position === null) return;
  drawReceipt();
  drawActions();
  lists.tick(now());
}, TICK_MS);
