/** What every live page does alike: its picture, its connection, its clock, and the banner that admits to being stale. */

import { OfficeClock } from "./clock.js";
import { mark, write } from "./dom.js";
import { Live } from "./live.js";
import { Picture } from "./picture.js";

const OVER = "この画面は更新できなくなりました。画面を読み込み直してください。";

/**
 * @param draw      (picture, frame) → the picture changed
 * @param freshness (isFresh, why) → said once at the first frame and at every change
 * @param late      see live.js
 * @param returns   see live.js
 * @param facts     what else the topic tells, see picture.js
 */
export function openPage({ draw, freshness = () => {}, late, returns, facts }) {
  const { socket, beat } = document.body.dataset;
  const banner = document.getElementById("banner");
  const sentence = banner.dataset.sentence;
  const picture = new Picture(facts);
  const clock = new OfficeClock();
  const live = new Live({
    path: socket,
    beatSeconds: Number(beat),
    picture,
    returns,
    late,
    changed(heard, frame) {
      clock.hear(frame);
      if (heard === "new") draw(picture, frame);
    },
    freshness(why) {
      mark(document.body, "data-state", why === null ? "fresh" : "stale");
      banner.hidden = why === null;
      write(banner.querySelector("p"), why === null ? "" : why === "over" || why === "out" ? OVER : sentence);
      freshness(why === null, why);
    },
  });
  return { live, picture, clock };
}
