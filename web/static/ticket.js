/**
 * A resident's own ticket. The secret behind `#` (or number and code of a plain form) finds it once; from then on its
 * place is reckoned here, from the public facts of its lane.
 */

import { makeId } from "./asking.js";
import { dateText, minutesText, secondsText } from "./clock.js";
import { h, mark, write } from "./dom.js";
import { MANY } from "./live.js";
import { OwnNotices } from "./notice.js";
import { openPage } from "./page.js";
import { keepSecrets, keptSecrets, post } from "./residents.js";
import { Ring } from "./ring.js";

const SECRET = /^#([A-Za-z0-9_-]{22})$/;
const SHOWN = {
  expected: "expected",
  waiting: "waiting",
  held: "held",
  back_office: "review",
  called: "called",
  serving: "called",
  absent: "missed",
  served: "served",
  cancelled: "cancelled",
  lapsed: "over",
};
const CANCELLED_FROM = ["expected", "waiting", "called", "missed", "held"];
const OPEN = [...CANCELLED_FROM, "review"];
const TOLD = {
  TicketServed: "served",
  TicketCancelled: "cancelled",
  TicketExpected: "expected",
  TicketHeld: "held",
  TicketSentToReview: "review",
  TicketLapsed: "over",
};
const OF_ANOTHER_DAY = "この番号は本日の受付で確認できません。番号は、お取りになった日だけ使えます。"; // nobody typed anything
const AWAY = "つながりません。電波の状態をお確かめください。つながりしだい、番号の状況を表示します。";
const AGAIN_MS = 3000;

const passed = () => import("./passed.js"); // seldom needed
const part = (id) => document.getElementById(id);
const secret = SECRET.exec(location.hash)?.[1];
const { number, code } = document.body.dataset;
const proof = secret ? { secret } : number ? { number, code } : null;
const ring = new Ring(part("sound"));
const notice = proof && new OwnNotices(proof);
let ticket = null;
let page = null;
let isFresh = false;
let laterId = null; // of a request without an answer: asked again, it is the same

addEventListener("hashchange", () => location.reload());
part("cancel-form").addEventListener("submit", cancel);
part("later-form").addEventListener("submit", pushBack);
if (proof) begin();

async function begin() {
  part("find").hidden = true;
  part("looking").hidden = part("own").hidden === false;
  const { answer, refusal } = await post("/t/find", proof);
  if (answer) start(answer);
  else if (refusal && !refusal.again) refuse(secret && refusal.code === "NotYours" ? OF_ANOTHER_DAY : refusal.sentence);
  else {
    tell(refusal ? refusal.sentence : AWAY);
    setTimeout(begin, AGAIN_MS); // the network or the store is away
  }
}

function start(found) {
  ticket = found;
  tell("");
  part("looking").hidden = true;
  part("own").hidden = false;
  write(part("number"), found.number);
  write(part("code"), found.code.replace(/^(.{4})/, "$1-"));
  notice.tell(found.notices);
  // A message tells nobody's secret: the page that it opens finds the number in this browser.
  if (secret && !keptSecrets().includes(secret)) keepSecrets([...keptSecrets(), secret]);
  const places = Array.from({ length: found.places }, (_, n) => h("option", { value: n + 1 }, `${n + 1} 人`));
  part("later-places").replaceChildren(...places);
  if (found.passed.length > 0) passed().then(({ show: told }) => told(found.passed));
  document.body.dataset.socket = `/ws/lanes/${found.lane}`;
  page = openPage({
    returns: MANY,
    draw,
    freshness(fresh) {
      isFresh = fresh;
      drawTime();
    },
  });
  page.live.start();
  setInterval(drawTime, 1000);
}

function draw(picture, frame) {
  write(part("lane"), picture.laneName(ticket.lane));
  if (picture.day !== ticket.day) return show("over");
  const mine = ticket.arrival;
  const place = picture.queue(ticket.lane).findIndex(({ arrival }) => arrival === mine);
  const call = picture.called.get(mine);
  const gone = picture.missed.get(mine);
  if (frame.type === "CallTakenBack" && frame.arrival === mine) part("mistake").hidden = false;
  if (call) part("mistake").hidden = true;
  if (place >= 0) {
    if (frame.type === "TicketCalled" && frame.arrival > mine) passed().then(({ wonder }) => wonder(proof));
    return show("waiting", { ahead: place });
  }
  if (call) return show("called", { counter: picture.counterName(call.counter), call });
  if (gone) return show("missed", { counter: picture.counterName(gone.counter), until: gone.until });
  if (frame.type === "snapshot") return look();
  if (frame.arrival !== mine) return undefined;
  if (["TicketTransferred", "TicketReady"].includes(frame.type)) return location.reload(); // it waits in another lane now
  return show(TOLD[frame.type] ?? ticket.shown);
}

/** The lane's lists do not have it: it is still expected, has ended, or has moved. */
async function look() {
  const { answer, refusal } = await post("/t/find", proof);
  if (answer && answer.lane !== ticket.lane) location.reload();
  else if (answer) {
    if (["expected", "held", "back_office", "served", "cancelled", "lapsed"].includes(answer.state)) show(SHOWN[answer.state]);
  } else if (refusal && !refusal.again) show("over");
  else setTimeout(look, AGAIN_MS);
}

function show(shown, { ahead, counter, call, until } = {}) {
  const isNewlyCalled = shown === "called" && ticket.shown !== "called";
  ticket.shown = shown;
  mark(document.body, "data-ticket", shown);
  for (const section of part("states").children) section.hidden = section.dataset.shown !== shown;
  part("ahead-part").hidden = !ahead;
  part("next-part").hidden = ahead !== 0;
  part("soon-part").hidden = ahead === undefined || ahead > Number(part("soon-part").dataset.within);
  write(part("ahead"), ahead ?? "");
  for (const place of document.querySelectorAll("[data-counter]")) write(place, counter ?? "");
  part("until-part").hidden = !until;
  write(part("until"), until ? minutesText(until) : "");
  part("later").hidden = shown !== "waiting" || !ticket.push_backs;
  write(part("later-left"), ticket.push_backs);
  part("cancel").hidden = !CANCELLED_FROM.includes(shown);
  part("code-part").hidden = !ticket.code || !OPEN.includes(shown); // of no use any more
  part("sound").hidden = !OPEN.includes(shown);
  ring.hear(call);
  if (isNewlyCalled) part("lane").scrollIntoView(); // whatever was being read further down
  notice.stand(shown, ahead);
  drawTime();
}

function drawTime() {
  const at = isFresh ? page.clock.now() : page.picture.at;
  if (!at) return;
  write(part("made"), dateText(at) + secondsText(at));
  write(part("made-word"), isFresh ? "現在" : "時点");
}

async function pushBack(event) {
  if (!proof) return;
  event.preventDefault();
  laterId ??= makeId();
  const places = Number(part("later-places").value);
  const { answer, refusal, silence } = await post("/t/later", { id: laterId, places, ...proof });
  if (answer || !refusal?.again) laterId = silence ? laterId : null;
  if (answer) {
    ticket.push_backs = answer.push_backs;
    part("later").open = false;
    show("waiting", { ahead: answer.ahead });
  }
  tell(answer ? "" : (refusal?.sentence ?? silence));
}

async function cancel(event) {
  if (!proof) return;
  event.preventDefault();
  const { answer, refusal, silence } = await post("/t/cancel", { id: event.target.elements.id.value, ...proof });
  if (answer) show("cancelled");
  tell(answer ? "" : (refusal?.sentence ?? silence));
}

function refuse(sentence) {
  for (const id of ["looking", "own"]) part(id).hidden = true;
  part("find").hidden = false;
  tell(sentence);
}

function tell(sentence) {
  write(part("refusal"), sentence);
  part("refusal").hidden = !sentence;
}
