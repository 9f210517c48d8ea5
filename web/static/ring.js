/** A call that is noticed: a sound once the resident has allowed it by a tap, a shake, and a title that flashes. */

import { write } from "./dom.js";

const FLASH_MS = 1000;
const CALLING = "【お呼びしています】";
const SHAKES = [400, 200, 400, 200, 800];
const ON = "音でもお知らせします";

export class Ring {
  #sound = null; // AudioContext; browsers make one heard only after a tap
  #heard = null; // the call that was rung for: arrival's number of calls and its time
  #timer = null;
  #title = document.title;

  constructor(button) {
    button.addEventListener("click", () => {
      this.#sound ??= new AudioContext();
      void this.#sound.resume();
      this.#beep(1);
      button.setAttribute("aria-pressed", "true");
      write(button, ON);
    });
  }

  /** The present call, undefined where there is none. Each call and each recall rings once. */
  hear(call) {
    const name = call ? `${call.called_at} ${call.calls}` : null;
    if (name === this.#heard) return;
    this.#heard = name;
    clearInterval(this.#timer);
    document.title = this.#title;
    if (name === null) return;
    this.#timer = setInterval(() => this.#flash(), FLASH_MS);
    this.#beep(3);
    navigator.vibrate?.(SHAKES);
  }

  #flash() {
    document.title = document.title === this.#title ? CALLING : this.#title;
  }

  #beep(times) {
    if (this.#sound === null) return;
    for (let time = 0; time < times; time++) {
      const tone = this.#sound.createOscillator();
      const loudness = this.#sound.createGain();
      const at = this.#sound.currentTime + time * 0.5;
      tone.frequency.value = 880;
      loudness.gain.setValueAtTime(0.3, at);
      loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
      tone.connect(loudness).connect(this.#sound.destination);
      tone.start(at);
      tone.stop(at + 0.4);
    }
  }
}
