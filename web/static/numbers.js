/** Where a number stands as a desk knows it. It knows no page and asks nobody. */

const LISTS = {
  called: (picture) => picture.calls(),
  missed: (picture) => picture.missedNumbers(),
  held: (picture) => picture.heldNumbers(),
  review: (picture) => picture.reviewedNumbers(),
  waiting: (picture) =>
    [...picture.queues.keys()].flatMap((lane) => picture.queue(lane).map((waiting) => ({ ...waiting, lane }))),
};

/** The number with `where` it stands; null where it does not wait, is not called and was not put aside. */
export function find(picture, number) {
  return first(picture, (each) => each.number === number);
}

/** Whether it still stands there. */
export function isHere(picture, { arrival, where }) {
  return first(picture, (each) => each.arrival === arrival)?.where === where;
}

function first(picture, matches) {
  for (const [where, list] of Object.entries(LISTS)) {
    const found = list(picture).find(matches);
    if (found) return { ...found, where };
  }
  return null;
}

/**
 * What is missing before a called number may be put aside as absent, in a few words; empty where nothing is.
 *
 * @param call  of this counter
 * @param rules {absent_after_calls, absent_after_seconds}
 * @param at    office time
 */
export function beforeAbsent({ calls, called_at }, { absent_after_calls, absent_after_seconds }, at) {
  if (calls < absent_after_calls) return `あと${absent_after_calls - calls}回お呼びしてから`;
  const seconds = Math.ceil(absent_after_seconds - (at - called_at) / 1000);
  return seconds > 0 ? `あと${seconds}秒` : "";
}

/** The longest that somebody of a queue has waited, in whole minutes; null where nobody waits. */
export function longestMinutes(queue, at) {
  const since = queue.map((waiting) => waiting.since).filter((moment) => moment !== undefined);
  return since.length === 0 ? null : Math.max(0, Math.floor((at - Math.min(...since)) / 60_000));
}
