/** The choice of a counter, opened while the store was away: it is drawn as soon as the hub knows the counters again. */

const TRY_MS = 5000;

setInterval(async () => {
  const page = await fetch(location.href).then((answer) => answer.text(), () => "");
  if (page.includes('class="counter-list"')) location.reload();
}, TRY_MS);
