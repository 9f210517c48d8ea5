// Number and code typed on glass: two fields, a key for each letter and figure, one to take the last back.

const ROWS = ["1234567890", "ABCDEFGHIJ", "KLMNOPQRST", "UVWXYZ"];
const CODE_CHARACTERS = 8;
const TELL_MS = 10_000; // the machine closes the keypad when nobody types for a minute

const find = (id) => document.getElementById(id);

export class Keypad {
  #field;
  #told = -Infinity;

  /** `typing()` is told now and then while somebody types, `typed(number, code)` once at the end. */
  constructor({ typing, typed }) {
    Object.assign(this, { typing, typed });
    this.fields = [find("typed-number"), find("typed-code")];
    [this.#field] = this.fields;
    for (const field of this.fields) {
      field.addEventListener("focus", () => this.#turnTo(field));
      field.addEventListener("input", () => this.#changed());
    }
    find("keys").replaceChildren(...ROWS.map((row, place) => this.#row(row, place === ROWS.length - 1)));
    find("keypad").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#next();
    });
  }

  /** The number first. */
  open() {
    this.fields[0].focus();
    this.#turnTo(this.fields[0]);
  }

  /** Nothing is left for the next one to read. */
  clear() {
    for (const field of this.fields) field.value = "";
  }

  draw(words, fresh) {
    find("number-label").textContent = words.typed_number;
    find("code-label").textContent = words.typed_code;
    find("erase").textContent = words.erase;
    find("enter").textContent = this.#goesOn ? words.next : words.enter;
    find("enter").disabled = !fresh || (this.#goesOn ? this.fields[0].value === "" : !this.#isWhole);
  }

  /** The number is being typed, and the code is still to come. */
  get #goesOn() {
    return this.#field === this.fields[0] && this.fields[1].value === "";
  }

  get #isWhole() {
    const [number, code] = this.fields.map(({ value }) => value.replace(/[\s-]/g, ""));
    return number !== "" && code.length === CODE_CHARACTERS;
  }

  #row(letters, isLast) {
    const row = document.createElement("div");
    row.append(...[...letters].map((letter) => this.#key(letter, () => (this.#field.value += letter))));
    if (isLast) {
      const erase = this.#key("", () => (this.#field.value = this.#field.value.slice(0, -1)));
      erase.id = "erase";
      row.append(erase);
    }
    return row;
  }

  #key(letter, act) {
    const key = document.createElement("button");
    key.type = "button";
    key.textContent = letter;
    key.addEventListener("click", () => {
      if (letter === "" || this.#field.value.length < this.#field.maxLength) act();
      this.#changed();
    });
    return key;
  }

  #turnTo(field) {
    this.#field = field;
    for (const each of this.fields) each.classList.toggle("here", each === field);
    this.#changed();
  }

  #changed() {
    this.changed?.();
    if (this.fields.every(({ value }) => value === "") || performance.now() - this.#told < TELL_MS) return;
    this.#told = performance.now();
    this.typing();
  }

  #next() {
    if (this.#goesOn) this.fields[1].focus();
    else if (this.#isWhole) this.typed(...this.fields.map(({ value }) => value));
  }
}
