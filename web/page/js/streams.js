// The list of streams, asked for now and then while the page can be seen.

import { list } from "./api.js";
import { find, make } from "./dom.js";
import { isTap } from "./tap.js";

const interval = 3000;
const asked = 300;
const shown = 50;

const box = find("#streams");
const prefix = find("#prefix");
let last;

/** Keeps the list up to date. current returns the name of the shown stream. */
export function setUpStreams(current) {
  const refresh = async () => {
    if (document.visibilityState !== "visible") return;
    try {
      const streams = await list(prefix.value, asked);
      draw(streams.filter(({ stream }) => !isTap(stream)), current());
    } catch {
      // The panes tell that the server is away.
    }
  };
  prefix.oninput = refresh;
  document.addEventListener("visibilitychange", refresh);
  setInterval(refresh, interval);
  return refresh;
}

/** Shows open streams first, then those that changed last. */
function draw(streams, current) {
  const key = JSON.stringify([streams.map((s) => [s.stream, s.closed]), current]);
  if (key === last) return;
  last = key;
  const order = (a, b) => !!a.closed - !!b.closed || b.appended.localeCompare(a.appended);
  const rows = streams.toSorted(order).slice(0, shown).map(({ stream, closed, contentType }) => {
    const link = make("a", { href: `#${encodeURI(stream)}`, title: contentType }, stream);
    if (stream === current) link.setAttribute("aria-current", "true");
    const state = closed || "live";
    return make("li", {}, link, make("span", { className: "state", data: { state } }, state));
  });
  const focused = box.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  box.replaceChildren(...(rows.length ? rows : [make("li", { className: "none" }, "None yet.")]));
  if (focused) [...box.querySelectorAll("a")].find((a) => a.getAttribute("href") === focused)?.focus();
}
