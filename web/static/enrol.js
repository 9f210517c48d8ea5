/**
 * A screen that waits to be let in: asks every two seconds, and opens its page anew when something has changed.
 */

const ASK_MS = 2000;

async function ask() {
  try {
    const answer = await fetch("/device/state", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
      cache: "no-store",
    });
    // Let in, or the code is over: either way the hub knows what this page shows next.
    if (answer.ok && (await answer.json()).state !== "waiting") {
      location.reload();
      return;
    }
  } catch {
    // The hub is away; the code holds until the moment that stands below it.
  }
  setTimeout(ask, ASK_MS);
}

setTimeout(ask, ASK_MS);
