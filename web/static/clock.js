/** Office time on a page, and how times are written. The page's own clock is never shown: it may be wrong. */

const ZONE = "Asia/Tokyo";
const MINUTES = new Intl.DateTimeFormat("ja-JP", { timeZone: ZONE, hour: "numeric", minute: "2-digit" });
const SECONDS = new Intl.DateTimeFormat("ja-JP", { timeZone: ZONE, timeStyle: "medium" });
const DATE = new Intl.DateTimeFormat("ja-JP", { timeZone: ZONE, month: "long", day: "numeric", weekday: "short" });

export const minutesText = (at) => MINUTES.format(at);
export const secondsText = (at) => SECONDS.format(at);
export const dateText = (at) => DATE.format(at).replace("(", "（").replace(")", "）");

/** Minutes since midnight in Tokyo, which keeps UTC+9 all year. */
export const minuteOfDay = (at) => Math.floor(at / 60_000 + 540) % 1440;

const MEASURED_MS = 5000; // two beats of one burst tell nothing about speed

/**
 * Runs between the frames. A frame may come late but never early, so the latest reading wins and the clock is not put back
 * by a fact that is replayed. In practice the office's clock may run faster than ours: two beats tell how much.
 */
export class OfficeClock {
  #reading = null; // {at, ms}: it was `at` when our own clock said `ms`
  #beat = null; // the first since the snapshot: {at, ms, clock}
  #speed = 1;

  constructor(ownMs = () => performance.now(), clockMs = () => Date.now()) {
    this.ownMs = ownMs; // stands still while the computer sleeps
    this.clockMs = clockMs; // does not, but may be set
  }

  hear(frame) {
    const ms = this.ownMs();
    const isAnew = frame.type === "snapshot";
    if (isAnew) this.#beat = null;
    if (frame.type === "beat") this.#measure(frame.at, ms);
    if (isAnew || this.#reading === null || frame.at > this.now()) this.#reading = { at: frame.at, ms };
  }

  /** Epoch milliseconds of office time, or null before anything was heard. */
  now() {
    return this.#reading && this.#reading.at + (this.ownMs() - this.#reading.ms) * this.#speed;
  }

  /** From the first beat to the latest: the longer, the truer. The clocks of practice run a whole number of times faster. */
  #measure(at, ms) {
    this.#beat ??= { at, ms, clock: this.clockMs() };
    const passed = Math.max(ms - this.#beat.ms, this.clockMs() - this.#beat.clock);
    if (passed < MEASURED_MS) return;
    const speed = Math.max(1, Math.round((at - this.#beat.at) / passed));
    if (speed !== this.#speed) this.#reading = null; // reckoned with the wrong speed
    this.#speed = speed;
  }
}
