/** Taking a number on the crowding page. The secret is made here; without a secure place the plain form does it. */

import { makeId } from "./asking.js";
import { h, write } from "./dom.js";
import { digestOf, keepSecrets, keptSecrets, post } from "./residents.js";

const ENDS = ["served", "cancelled", "lapsed"];
const part = (id) => document.getElementById(id);
const wanted = new Map(); // lane → {id, secret}: asked again, it is the same request
let isSending = false;

if (crypto.subtle) document.addEventListener("submit", take);
addEventListener("pageshow", showHeld);
addEventListener("storage", showHeld); // another tab took a number

async function take(event) {
  const { lane } = event.target.dataset;
  if (lane === undefined) return;
  event.preventDefault();
  if (isSending) return;
  isSending = true;
  const button = event.target.querySelector("button");
  button.setAttribute("aria-busy", "true");
  const { id, secret } = wanted.get(lane) ?? { id: makeId(), secret: makeId() };
  wanted.set(lane, { id, secret });
  keepSecrets([...new Set([...keptSecrets(), secret])]); // first: whoever loads the page anew for want of an answer finds it
  const { answer, refusal, silence } = await post("/tickets", { id, lane, secret: await digestOf(secret) });
  button.removeAttribute("aria-busy");
  isSending = false;
  if (silence === undefined) wanted.delete(lane);
  if (answer) location.href = `/t#${secret}`;
  else if (refusal?.details.code) showOwn(refusal.details);
  else {
    write(part("take-refusal"), refusal?.sentence ?? silence);
    part("take-refusal").hidden = false;
  }
}

/** This browser has a number of the lane: its page, by number and code. */
function showOwn({ number, code }) {
  const field = (name, value) => h("input", { type: "hidden", name, value });
  const form = h("form", { method: "post", action: "/t/find" }, field("number", number), field("code", code));
  document.body.append(form);
  form.submit();
}

async function showHeld() {
  const found = await Promise.all(keptSecrets().map(async (secret) => ({ secret, ...(await post("/t/find", { secret })) })));
  const gone = found.filter(({ refusal }) => refusal?.code === "NotYours").map(({ secret }) => secret);
  keepSecrets(keptSecrets().filter((secret) => !gone.includes(secret))); // asked anew: meanwhile one may have been taken
  const held = found.filter(({ answer }) => answer && !ENDS.includes(answer.state));
  part("held").replaceChildren(
    ...held.map(({ secret, answer }) => h("li", {}, h("a", { href: `/t#${secret}` }, "お持ちの番号 ", h("b", {}, answer.number)))),
  );
}
