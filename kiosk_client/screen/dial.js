// A telephone number dialled on glass: a key for each figure, one to take the last back. Nothing of it outlives its screen.

const ROWS = ["123", "456", "789"];
const LONGEST = 11; // no number in Japan is longer
const SHORTEST = 10;
const TELL_MS = 5_000; // the machine leaves the screen when nobody dials for a while

const find = (id) => document.getElementById(id);

export class Dial {
  #figures = "";
  #told = -Infinity;

  /** `dialling()` is told now and then while somebody dials, `dialled(figures)` once at the end. */
  constructor({ dialling, dialled }) {
    Object.assign(this, { dialling, dialled });
    this.erase = this.#key("", () => this.#set(this.#figures.slice(0, -1)));
    this.all = this.#key("", () => this.#set(""));
    const last = this.#row("0");
    last.prepend(this.all);
    last.append(this.erase);
    find("digits").replaceChildren(...ROWS.map((row) => this.#row(row)), last);
    find("dial-enter").addEventListener("click", () => this.dialled(this.#figures));
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  /** Nothing is left for the next one to read. */
  clear() {
    this.#figures = "";
    find("dialled").textContent = "";
  }

  draw(words, fresh) {
    this.erase.textContent = words.erase;
    this.all.textContent = words.erase_all;
    find("dialled").textContent = grouped(this.#figures);
    find("dial-enter").textContent = words.next;
    find("dial-enter").disabled = !fresh || this.#figures.length < SHORTEST;
  }

  #set(figures) {
    this.#figures = figures.slice(0, LONGEST);
    this.changed?.();
    if (performance.now() - this.#told < TELL_MS) return;
    this.#told = performance.now();
    this.dialling();
  }

  /** A keyboard, where there is one, does as the glass does. */
  #press({ key, target }) {
    if (find("dial").hidden || target.id === "dial-enter") return;
    if (/^[0-9]$/.test(key)) this.#set(this.#figures + key);
    else if (key === "Backspace") this.#set(this.#figures.slice(0, -1));
  }

  #row(figures) {
    const row = document.createElement("div");
    row.append(...[...figures].map((figure) => this.#key(figure, () => this.#set(this.#figures + figure))));
    return row;
  }

  #key(figure, act) {
    const key = document.createElement("button");
    key.type = "button";
    key.textContent = figure;
    key.addEventListener("click", act);
    return key;
  }
}

/** In parts that can be read: 090 1234 5678. How it is written in earnest the hub knows, and reads it back. */
function grouped(figures) {
  const mobile = /^0[5-9]0/.test(figures);
  const ends = mobile ? [3, 7] : [figures.length - 8 > 1 ? 2 : 3, 6];
  return [figures.slice(0, ends[0]), figures.slice(ends[0], ends[1]), figures.slice(ends[1])].filter(Boolean).join(" ");
}
