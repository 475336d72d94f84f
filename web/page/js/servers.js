// Which servers there are, as far as their answers say: behind a load balancer
// each request may be answered by another one.

import { find, make } from "./dom.js";

const box = find("#servers");
const seen = [];

/** Notes that a server answered. */
export function note(name) {
  if (!name || seen.includes(name)) return;
  seen.push(name);
  seen.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  box.replaceChildren(...seen.map(badge));
  for (const shown of document.querySelectorAll(".server")) shown.dataset.nth = seen.indexOf(shown.textContent);
}

/** Returns whether more than one server answers here. */
export const areMany = () => seen.length > 1;

/** Returns the only server there is, or "" if none or more than one is known. */
export const theOnly = () => (areMany() ? "" : seen[0] ?? "");

/** Makes an element that shows a server's name, in a colour of its own. */
export function badge(name) {
  note(name);
  return make("span", { className: "server", data: { nth: seen.indexOf(name) } }, name);
}

note(find("meta[name=freshet-server]").content || location.host);
