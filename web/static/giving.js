/** Whether a lane gives numbers at a moment. The twin of hub/wire/giving.py, and its words of web/models.py. */

import { dateText, minutesText } from "./clock.js";

/** "open", "paused" (by staff), "closed" (outside its hours) or "over" (its closing was announced). */
export function giving(lane, at) {
  if (lane.closing) return "over";
  if (lane.hours && !lane.hours.some(([opens, closes]) => opens <= at && at < closes)) return "closed";
  return lane.paused ? "paused" : "open";
}

/** Why a lane gives no number now, in a few words; empty where it does. */
export function whyNone(lane, at) {
  const opens = (lane.hours ?? []).map(([from]) => from).find((from) => from > at);
  return {
    open: "",
    paused: "新しい番号の受付を休止しています",
    over: "本日の受付は終了しました",
    closed: opens === undefined ? "受付時間外です" : `受付時間外です。次は ${dateText(opens)}${minutesText(opens)} から`,
  }[giving(lane, at)];
}
