/** Office time on a page, and how times are written. The page's own clock is never shown: it may be wrong. */

const ZONE = "Asia/Tokyo";
const MINUTES = new Intl.DateTimeFormat("ja-JP", { timeZone: ZONE, hour: "numeric", minute: "2-digit" });
const SECONDS = new Intl.DateTimeFormat("ja-JP", { timeZone: ZONE, timeStyle: "medium" });
const DATE = new Intl.DateTimeFormat("ja-JP", { timeZone: ZONE, month: "long", day: "numeric", weekday: "short" });

export const minutesText = (at) => MINUTES.format(at);
export const secondsText = (at) => SECONDS.format(at);
export const dateText = (at) => DATE.format(at).replace("(", "（").replace(")", "）");

const MEASURED_MS = 5000; // two beats of one burst tell nothing about speed

/**
 * Runs between the frames. A frame may come late but never early, so the latest reading wins and the clock is not put back
 * by a fact that is replayed. In practice the office's clock may run faster than ours: two beats tell how much.
 */
export class OfficeClock {
  #reading = null; // {at, ms}: it was `at` when our own clock said `ms`
  #beat = null;
  #speed = 1;

  constructor(ownMs = () => performance.now()) {
    this.ownMs = ownMs;
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

  #measure(at, ms) {
    if (this.#beat && ms - this.#beat.ms >= MEASURED_MS) {
      const measured = (at - this.#beat.at) / (ms - this.#beat.ms);
      const speed = measured > 1.2 ? measured : 1; // below that it is a late beat
      if (speed !== this.#speed) this.#reading = null; // reckoned with the wrong speed
      this.#speed = speed;
    }
    if (this.#beat === null || ms - this.#beat.ms >= MEASURED_MS) this.#beat = { at, ms };
  }
}
