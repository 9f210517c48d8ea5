/** Says beside a password field that capital letters are on. */

import { write } from "./dom.js";

const CAPS = "Caps Lock がオンになっています。大文字で入力されます。";
const hint = document.querySelector("[data-caps]");

for (const field of document.querySelectorAll("input[type=password]")) {
  const look = (event) => write(hint, event.getModifierState?.("CapsLock") ? CAPS : "");
  field.addEventListener("keydown", look);
  field.addEventListener("keyup", look);
  field.addEventListener("blur", () => write(hint, ""));
}
