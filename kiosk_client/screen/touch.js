// Draws the machine's state and passes touches on. It decides nothing: what may follow what stands in kiosk.py.

import { Dial } from "./dial.js";
import { Keypad } from "./keypad.js";
import { WORDS } from "./words.js";

const STALE_AFTER_MS = 10_000; // twice what an unchanged state is kept waiting
const RETRY_MS = 500;
const IDLE_MS = 45_000; // then the next one finds Japanese again

const BACK_FROM = [
  ...["printed", "unprinted", "refused", "typing", "checked_in", "not_checked_in"],
  ...["reading", "dialling", "read_back", "left_number", "not_left"],
];
const OF_TELEPHONE = ["reading", "dialling", "reading_back", "read_back", "leaving", "left_number", "not_left"];

const find = (id) => document.getElementById(id);
let language = "ja";
let view = null;
let heardAt = -Infinity;
let idle = 0;
const keypad = new Keypad({
  typing: () => touch("typing"),
  typed: (number, code) => touch("check-in", { number, code }),
});
keypad.changed = () => draw();
const dial = new Dial({
  dialling: () => touch("typing"),
  dialled: (telephone) => touch("dial", { telephone }),
});
dial.changed = () => draw();

const isFresh = () => view !== null && view.fresh && performance.now() - heardAt < STALE_AFTER_MS;

function put(id, words) {
  const element = find(id);
  element.hidden = !words;
  if (element.textContent !== words) element.textContent = words;
}

function draw() {
  const words = WORDS[language];
  const state = view?.state ?? "choosing";
  const fresh = isFresh();
  document.documentElement.lang = language;
  document.querySelector("main").dataset.state = state;
  const code = view?.device_code ?? "";
  find("enrol").hidden = !code;
  document.querySelector("main").hidden = Boolean(code);
  put("enrol-title", words.enrol);
  put("enrol-code", code);
  put("enrol-about", words.enrol_about);
  put("office", view?.office ?? "");
  put("language", words.other);
  put("stale", fresh || code ? "" : words.stale);
  put("title", words[state]);
  put("number", state === "read_back" ? view.telephone : OF_TELEPHONE.includes(state) ? "" : (view?.number ?? ""));
  put("about", state === "choosing" && !fresh ? "" : about(words, state));
  put("again", state === "unprinted" ? words.again : "");
  put("from-home", { choosing: view?.checks_in ? words.from_home : "", not_checked_in: words.type_again }[state] ?? "");
  find("from-home").disabled = !fresh;
  put("back", BACK_FROM.includes(state) ? words.back : "");
  put("by-phone", state === "printed" && view.purpose ? words.by_phone : "");
  find("by-phone").disabled = !fresh;
  put("hint", words.hint);
  find("lanes").hidden = state !== "choosing";
  drawKeypad(words, state, fresh);
  drawTelephone(words, state, fresh);
  drawLanes(words, fresh);
}

function about(words, state) {
  const text = words[`${state}_about`];
  if (state === "unprinted") return text(`${view.code.slice(0, 4)}-${view.code.slice(4)}`);
  if (state === "refused") return text(view.sentence);
  if (state === "printed" && view.ahead !== null) return words.ahead(view.ahead) + text;
  if (state === "checked_in") return text(nameOf(view.lane), view.ahead, view.counters);
  if (state === "not_left") return words.not_left_why[view.why] ?? text(view.sentence);
  if (state === "not_checked_in") return words.why_not[view.why] ?? text(view.sentence);
  return text;
}

function nameOf(lane) {
  return view.lanes.find((each) => each.lane === lane)?.name ?? "";
}

function drawKeypad(words, state, fresh) {
  const form = find("keypad");
  const opens = form.hidden && state === "typing";
  form.hidden = state !== "typing";
  if (opens) keypad.open();
  if (["choosing", "checked_in"].includes(state)) keypad.clear();
  keypad.draw(words, fresh);
}

function drawTelephone(words, state, fresh) {
  find("purpose").hidden = state !== "reading";
  find("purpose-text").textContent = view?.purpose?.text.trim() ?? "";
  find("purpose-version").textContent = view?.purpose ? words.purpose_version(view.purpose.version) : "";
  put("agree", state === "reading" ? words.agree : "");
  find("dial").hidden = state !== "dialling";
  if (!["dialling", "reading_back"].includes(state)) dial.clear();
  dial.draw(words, fresh);
  const ways = state === "read_back" ? view.ways : [];
  find("ways").hidden = ways.length === 0;
  put("sms", ways.includes("sms") ? words.by_sms : "");
  put("voice", ways.includes("voice") ? words.by_voice : "");
  put("dial-again", { read_back: words.dial_again, not_left: words.type_again }[state] ?? "");
  for (const id of ["agree", "sms", "voice", "dial-again"]) find(id).disabled = !fresh;
}

// Buttons stay while their lanes do: a finger that rests on one must not lose it to a new count.
function drawLanes(words, fresh) {
  const lanes = view?.lanes ?? [];
  const list = find("lanes");
  list.classList.toggle("many", lanes.length > 4);
  const keys = lanes.map(({ lane }) => lane).join();
  if (list.dataset.keys !== keys) {
    list.dataset.keys = keys;
    list.replaceChildren(...lanes.map(laneButton));
  }
  for (const { lane, name, waiting, giving, opens } of lanes) {
    const button = list.querySelector(`[data-lane="${lane}"]`);
    button.disabled = !fresh || giving !== "open";
    button.querySelector(".name").textContent = name;
    if (giving !== "open") {
      button.querySelector(".waiting").replaceChildren(words.none[giving](opens));
      continue;
    }
    const [before, people, after] = words.waiting(waiting);
    const figure = document.createElement("b");
    figure.textContent = people;
    button.querySelector(".waiting").replaceChildren(before, figure, after);
  }
}

function laneButton({ lane }) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.lane = lane;
  for (const kind of ["name", "waiting"]) {
    const part = document.createElement("span");
    part.className = kind;
    button.append(part);
  }
  button.querySelector(".name").lang = "ja";
  button.addEventListener("click", () => touch(`choose/${lane}`));
  item.append(button);
  return item;
}

async function touch(path, said) {
  try {
    await fetch(path, { method: "POST", body: said && JSON.stringify(said) }); // what came of it is the next state
  } catch {
    draw();
  }
}

async function follow() {
  for (;;) {
    try {
      const answer = await fetch(`state?seen=${view?.version ?? 0}`);
      if (!answer.ok) throw new Error(answer.statusText);
      view = await answer.json();
      heardAt = performance.now();
    } catch {
      await new Promise((resume) => setTimeout(resume, RETRY_MS));
    }
    draw();
  }
}

function speak(chosen) {
  language = chosen;
  draw();
}

find("language").addEventListener("click", () => speak(language === "ja" ? "en" : "ja"));
find("from-home").addEventListener("click", () => touch("from-home"));
find("by-phone").addEventListener("click", () => touch("by-phone"));
find("agree").addEventListener("click", () => touch("agree"));
find("dial-again").addEventListener("click", () => touch("dial-again"));
for (const by of ["sms", "voice"]) find(by).addEventListener("click", () => touch("confirm", { by, language }));
find("again").addEventListener("click", () => touch("print-again"));
find("back").addEventListener("click", () => touch("leave"));
document.addEventListener("pointerdown", () => {
  clearTimeout(idle);
  idle = setTimeout(() => speak("ja"), IDLE_MS);
});
document.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch is a touch
follow();
