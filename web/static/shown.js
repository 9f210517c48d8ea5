/**
 * Whether the call of a counter is on the walls, in words, and what to do where it is not.
 *
 * It knows no page; time comes in by the door.
 */

export const PATIENCE_MS = 4000; // a wall that works tells within one second, and a hub that restarts is back within two

export class Shown {
  #name = null;
  #sinceMs = 0;

  /**
   * @param call  of this counter, with `shown`: the walls that have shown it; or null
   * @param walls those of today
   * @param nowMs of this machine
   * @returns {kind: "", "shown", "partly" or "unshown", text, alarm}: `alarm` is empty where there is nothing to do
   */
  judge(call, walls, nowMs) {
    const name = call && `${call.arrival}@${call.called_at}`;
    if (name !== this.#name) this.#sinceMs = nowMs;
    this.#name = name;
    if (call === null || walls === null) return { kind: "", text: "", alarm: "" };
    const shown = call.shown ?? [];
    const missing = walls.filter((wall) => !shown.includes(wall));
    if (shown.length > 0 && missing.length === 0) return { kind: "shown", text: `表示済み（${shown.length}台）`, alarm: "" };
    const isLate = nowMs - this.#sinceMs >= PATIENCE_MS;
    const kind = shown.length > 0 ? "partly" : "unshown";
    const text = kind === "partly" ? `表示済み（${shown.length}／${shown.length + missing.length}台）` : "未表示";
    return { kind, text, alarm: isLate ? alarmOf(call, shown, missing) : "" };
  }
}

function alarmOf({ number }, shown, missing) {
  if (missing.length === 0) return `番号表示モニターが1台もつながっていません。${number} の方を口頭でお呼びください。`;
  if (shown.length === 0) return `${number} は番号表示モニターに出ていません。口頭でお呼びください。`;
  const which = missing.map((wall) => `「${wall}」`).join("");
  return `${number} は番号表示モニター${which}に出ていません。その付近の方を口頭でお呼びください。`;
}
