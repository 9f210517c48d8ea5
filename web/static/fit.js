/**
 * How much room texts and calls take, in the steps that fit.css and wall.css know. The twin of web/models.py: the first
 * state is drawn by the server, and nothing may jump when the page takes over.
 */

const EM_STEPS = [2, 2.5, 2.75, 3, 3.5, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 40];
const ROOMS = [1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 21, 24, 28, 32, 40, 50, 64];
const NARROW_EM = 0.66; // the widest of our bold Latin letters that prefixes use; figures are 0.58

export const MISSED_PAGE = 16; // smaller figures could not be read across the lobby; more take turns

/** The step of a text's width in em. Latin letters and figures are narrow, everything else is square. */
export function emOf(text) {
  let em = 0;
  for (const letter of text) em += letter.codePointAt(0) < 0x250 ? NARROW_EM : 1;
  return EM_STEPS.find((step) => step >= em - 1e-9) ?? EM_STEPS.at(-1);
}

/** The smallest layout that holds so many calls; beyond the last the grid goes on with smaller rows. */
export function roomFor(count) {
  return ROOMS.find((room) => room >= count) ?? ROOMS.at(-1);
}

/** How many missed numbers the wall makes room for: none, one row, or a page of which there may be several. */
export function missedRoom(count) {
  return count === 0 ? 0 : count <= 8 ? 8 : MISSED_PAGE;
}
