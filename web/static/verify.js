/** Verifies the ledger while saying how far it has come. Without it, or where anything fails, the form does the same. */

import { mark, write } from "./dom.js";

const form = document.getElementById("verify");
const walked = document.getElementById("walked");
const found = document.getElementById("found");
const button = form.querySelector("button");

async function* linesOf(body) {
  let rest = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop();
    yield* lines.map((line) => JSON.parse(line));
  }
}

function say(sentence, kind) {
  found.className = kind;
  found.hidden = false;
  write(found, sentence);
}

async function verify() {
  const answer = await fetch(`${form.action}/steps`, { method: "POST", body: new URLSearchParams() });
  if (!answer.headers.get("Content-Type")?.startsWith("application/x-ndjson")) throw new Error("no steps");
  for await (const { done, of, sentence, is_whole: isWhole } of linesOf(answer.body)) {
    if (sentence) return say(sentence, isWhole ? "news" : "refusal");
    walked.max = of;
    walked.value = done;
  }
  throw new Error("no end");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  mark(button, "aria-busy", "true");
  button.disabled = true;
  walked.removeAttribute("value");
  walked.hidden = false;
  say("検証しています…", "hint");
  try {
    await verify();
  } catch {
    return form.submit();
  }
  walked.hidden = true;
  button.disabled = false;
  button.removeAttribute("aria-busy");
});
