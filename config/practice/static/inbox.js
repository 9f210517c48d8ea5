/**
 * Keeps a list of the practice inbox fresh: asks for the page again, and takes over the rows that are new. A row that
 * stands here is never drawn anew, so that what is open stays open.
 */

const EVERY_MS = 1500;
const rows = document.querySelector("[data-rows]");
const away = document.getElementById("away");

async function look() {
  try {
    const version = document.body.dataset.version;
    const answer = await fetch(`${location.pathname}?seen=${encodeURIComponent(version)}`, { cache: "no-store" });
    if (answer.status === 200) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    away.hidden = answer.ok;
  } catch {
    away.hidden = false;
  }
  setTimeout(look, EVERY_MS);
}

function take(page) {
  const isSame = inboxOf(page) === inboxOf(document);
  const fresh = [...page.querySelectorAll("[data-rows] > li")];
  const wanted = new Set(fresh.map((row) => row.id));
  for (const row of [...rows.children]) if (!isSame || !wanted.has(row.id)) row.remove();
  let next = rows.firstElementChild;
  for (const row of fresh) {
    if (next?.id === row.id) next = next.nextElementSibling;
    else rows.insertBefore(row, next);
  }
  for (const part of page.querySelectorAll("[data-fresh]")) {
    const mine = document.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
    mine.textContent = part.textContent;
    mine.hidden = part.hidden;
  }
  document.body.dataset.version = page.body.dataset.version;
}

/** Mails are counted anew after each start of the inbox. */
function inboxOf(page) {
  return rows.matches(".rows") ? page.body.dataset.version.split("-")[0] : "";
}

setTimeout(look, EVERY_MS);
