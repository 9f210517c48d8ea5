/**
 * A resident's own ticket. The secret behind `#` (or number and code of a plain form) finds it once; from then on its
 * place is reckoned here, from the public facts of its lane.
 */

import { dateText, secondsText } from "./clock.js";
import { mark, write } from "./dom.js";
import { OwnNotices } from "./notice.js";
import { openPage } from "./page.js";
import { keepSecrets, keptSecrets, post } from "./residents.js";
import { Ring } from "./ring.js";

const SECRET = /^#([A-Za-z0-9_-]{22})$/;
const SHOWN = {
  expected: "expected",
  waiting: "waiting",
  held: "waiting",
  back_office: "waiting",
  called: "called",
  serving: "called",
  absent: "missed",
  served: "served",
  cancelled: "cancelled",
  lapsed: "over",
};
const OPEN = ["expected", "waiting", "called", "missed"];
const TOLD = { TicketServed: "served", TicketCancelled: "cancelled", TicketExpected: "expected" };
const OF_ANOTHER_DAY = "この番号は本日の受付で確認できません。番号は、お取りになった日だけ使えます。"; // nobody typed anything
const AWAY = "つながりません。電波の状態をお確かめください。つながりしだい、番号の状況を表示します。";
const AGAIN_MS = 3000;
const SPREAD_MS = 2000;

const part = (id) => document.getElementById(id);
const secret = SECRET.exec(location.hash)?.[1];
const { number, code } = document.body.dataset;
const proof = secret ? { secret } : number ? { number, code } : null;
const ring = new Ring(part("sound"));
const notice = proof && new OwnNotices(proof);
let ticket = null;
let page = null;
let isFresh = false;

addEventListener("hashchange", () => location.reload());
part("cancel-form").addEventListener("submit", cancel);
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
  document.body.dataset.socket = `/ws/lanes/${found.lane}`;
  page = openPage({
    spreadMs: SPREAD_MS,
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
  if (place >= 0) return show("waiting", { ahead: place });
  if (call) return show("called", { counter: picture.counterName(call.counter), call });
  if (gone) return show("missed", { counter: picture.counterName(gone.counter) });
  if (frame.type === "snapshot") return look();
  if (frame.arrival !== mine) return undefined;
  if (frame.type === "TicketTransferred") return location.reload(); // it waits in another lane now
  return show(TOLD[frame.type] ?? ticket.shown);
}

/** The lane's lists do not have it: it is still expected, has ended, or has moved. */
async function look() {
  const { answer, refusal } = await post("/t/find", proof);
  if (answer && answer.lane !== ticket.lane) location.reload();
  else if (answer) {
    if (["expected", "served", "cancelled", "lapsed"].includes(answer.state)) show(SHOWN[answer.state]);
  } else if (refusal && !refusal.again) show("over");
  else setTimeout(look, AGAIN_MS);
}

function show(shown, { ahead, counter, call } = {}) {
  const isNewlyCalled = shown === "called" && ticket.shown !== "called";
  ticket.shown = shown;
  mark(document.body, "data-ticket", shown);
  for (const section of part("states").children) section.hidden = section.dataset.shown !== shown;
  part("ahead-part").hidden = !ahead;
  part("next-part").hidden = ahead !== 0;
  part("soon-part").hidden = ahead === undefined || ahead > Number(part("soon-part").dataset.within);
  write(part("ahead"), ahead ?? "");
  for (const place of document.querySelectorAll("[data-counter]")) write(place, counter ?? "");
  part("cancel").hidden = !OPEN.includes(shown);
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
