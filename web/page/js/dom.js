// Small helpers for the document.

/** Returns the first element that a selector finds; it has to exist. */
export function find(selector, root = document) {
  const element = root.querySelector(selector);
  if (!element) throw new Error(`there is no ${selector}`);
  return element;
}

/** Makes an element with properties, data attributes under `data`, and children. */
export function make(tag, { data = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
}

/** How far from its end, in pixels, a box counts as being there. */
const nearEnd = 48;

/** Runs change, and stays at the lower end of a scrolling box if it was there. */
export function keepAtEnd(box, change) {
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < nearEnd;
  change();
  if (atEnd) box.scrollTop = box.scrollHeight;
}

/** Returns "1 cut", "2 cuts". */
export function plural(n, word) {
  return `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
}
