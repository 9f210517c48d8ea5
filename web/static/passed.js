/** Numbers that were taken later and called before the resident's own, each with the reason that the hub gives. */

import { h, keep, write } from "./dom.js";
import { post } from "./residents.js";

const SPREAD_MS = 4000; // those who were passed by one call do not all ask at the same moment

let wondering = null;

/** A number that was taken later was called: the hub knows why. */
export function wonder(proof) {
  clearTimeout(wondering);
  wondering = setTimeout(async () => {
    const { answer } = await post("/t/find", proof);
    if (answer) show(answer.passed);
  }, Math.random() * SPREAD_MS);
}

export function show(passed) {
  const part = document.getElementById("passed-part");
  if (part.querySelector("dl") === null) begin(part);
  part.hidden = passed.length === 0;
  const make = ({ number }) => h("div", {}, h("dt", {}, number), h("dd"));
  const numberOf = ({ number }) => number;
  keep(part.querySelector("dl"), passed, numberOf, make, (item, { why }) => write(item.querySelector("dd"), why));
}

function begin(part) {
  document.head.append(h("link", { rel: "stylesheet", href: "/static/passed.css" }));
  part.append(h("h3", {}, "先にお呼びした番号について"), h("dl"));
}
