/** Elements made, and lists kept without tearing down what has the focus. */

/** h("p", {class: "number", "data-em": 3}, "A103"): attributes that are null or false are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) mark(element, name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Set an attribute, or take it away where the value is null or false. Nothing happens where it is so already. */
export function mark(element, name, value) {
  if (value === null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}

/** Set a text, only where it differs: a live region would speak again. */
export function write(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

/**
 * Make `parent` hold one element per item, in order. An element stays the same as long as its key is there, so the focus
 * stays too. `make(item)` gives a new element; `update(element, item)` is called for all.
 */
export function keep(parent, items, keyOf, make, update = () => {}) {
  const known = new Map([...parent.children].map((element) => [element.dataset.key, element]));
  const stays = new Set(items.map((item) => String(keyOf(item))));
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let element = known.get(key);
    if (element === undefined) {
      element = make(item);
      element.dataset.key = key;
    }
    while (next !== element && next !== null && !stays.has(next.dataset.key)) next = removed(next);
    if (next === element) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
    update(element, item);
  }
  while (next !== null) next = removed(next);
}

/** Take an element away and give the one that followed it. */
function removed(element) {
  const next = element.nextElementSibling;
  element.remove();
  return next;
}
