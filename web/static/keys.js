/** One key, one action: what a pressed key means at the desk. */

export const KEYS = {
  n: "next",
  enter: "next",
  r: "recall",
  a: "absent",
  d: "done",
  h: "hold",
  v: "review",
  t: "transfer",
  u: "take_back",
  c: "cancel",
  b: "return",
  k: "resume",
  o: "ready",
  g: "issue",
  l: "lane",
  s: "pick",
  i: "check_in",
  w: "why",
};

/**
 * The key in lower case, or null where it is not ours: with a modifier, held down, or while an input method composes.
 * With a Japanese input method on, `key` may be "Process" or a full-width letter; then the physical key counts.
 */
export function plainKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing) return null;
  if (event.key === "Enter" || /^[0-9a-z]$/i.test(event.key)) return event.key.toLowerCase();
  const physical = /^(?:Key|Digit)([A-Z0-9])$/.exec(event.code);
  return physical && physical[1].toLowerCase();
}

/** Whether the element itself answers to this key: Enter on a button or a link is theirs, every key a field's. */
export function answersItself(element, key) {
  if (element.closest("input:not([type=checkbox])") !== null) return true;
  return key === "enter" && element.closest("button, a[href]") !== null;
}
