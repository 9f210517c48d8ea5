/**
 * Tells the hub that somebody sits at the desk, and warns before it signs out by itself.
 *
 * Without a key or a pointer for the whole of `data-idle` minutes the session ends; nobody comes to know otherwise.
 */

const EVERY_MS = 60_000; // as often as the hub writes it down
const WARN_MS = 120_000; // before the end
const LOOK_MS = 5_000;
const AGAIN_MS = 5_000; // a moving mouse asks no more often, also while nobody answers
const SOON = "操作がないため、まもなく自動でサインアウトします。続けるときは、マウスを動かすか、キーを押してください。";

/** To the door, and after it back to where one was. */
export function signIn() {
  location.assign(`/sign-in?done=out&next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** A socket that was refused says no reason to a page; its path does, to a plain request. */
export async function signInIfOut(path) {
  const status = await fetch(path).then((answer) => answer.status, () => 0);
  if (status === 401) signIn();
}

/** @param tell called with a sentence shortly before the end, and with "" once somebody is there again */
export function stayHere(idleMinutes, tell) {
  const idleMs = idleMinutes * 60_000;
  let heardAt = Date.now(); // opening the page has said it
  let triedAt = heardAt;
  let isWarning = false;

  async function say() {
    triedAt = Date.now();
    const status = await fetch("/session/here", { method: "POST" }).then((answer) => answer.status, () => 0);
    if (status === 401) return signIn();
    if (status !== 204) return undefined; // the hub is away: what is done a little later tries again
    heardAt = Date.now();
    if (isWarning) tell("");
    isWarning = false;
    return undefined;
  }

  function active() {
    const now = Date.now();
    if (now - triedAt < AGAIN_MS) return;
    if (isWarning || now - heardAt >= EVERY_MS) say();
  }

  for (const kind of ["keydown", "pointerdown", "pointermove"]) {
    document.addEventListener(kind, active, { passive: true, capture: true });
  }
  setInterval(() => {
    if (isWarning || Date.now() < heardAt + idleMs - WARN_MS) return;
    isWarning = true;
    tell(SOON);
  }, LOOK_MS);
}
