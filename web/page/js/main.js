// The page: which stream is shown, and the buttons that belong to it.

import { contentType, cut, startDemo, stop } from "./api.js";
import { allowCompose, setUpCompose } from "./compose.js";
import { find } from "./dom.js";
import { Pane } from "./pane.js";
import { show } from "./show.js";
import { fillSnippets, setUpSnippets } from "./snippets.js";
import { setUpStreams } from "./streams.js";
import { clearTrips } from "./trips.js";
import { clearVerdict, judge } from "./verdict.js";

const panes = { sse: new Pane("sse"), ws: new Pane("ws") };
const shown = { name: "", type: "", end: () => {}, turn: 0 };

function notice(text) {
  const box = find("#notice");
  box.textContent = text;
  box.hidden = !text;
}

/** Returns the name that the address has after its #, or "". */
function nameInAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

/** Begins a new stream and has it shown, in place of the address if that led nowhere. */
async function another(replace = !nameInAddress()) {
  const button = find("#another");
  button.disabled = true;
  try {
    const name = await startDemo();
    history[replace ? "replaceState" : "pushState"](null, "", `#${name}`);
    await turnTo(name, "text/plain; charset=utf-8");
  } catch (error) {
    notice(error.message);
  } finally {
    button.disabled = false;
  }
}

/** Shows a stream; type is its content type, if that is known already. */
async function turnTo(name, type) {
  const turn = ++shown.turn;
  shown.end();
  shown.end = () => {};
  clearVerdict();
  clearTrips();
  notice("");
  Object.assign(shown, { name, type: type ?? "" });
  find("#name").textContent = name;
  find("main").dataset.stream = name;
  document.title = `${name} · Freshet`;
  isOpen(true);
  try {
    shown.type ||= await contentType(name);
  } catch (error) {
    if (turn === shown.turn) notice(error.message);
    return;
  }
  if (turn !== shown.turn) return;
  if (!shown.type) {
    await missing(name);
    return;
  }
  fillSnippets(name, shown.type);
  shown.end = show(name, shown.type, panes);
  refreshStreams();
}

/** A sample answer that is gone is replaced by a new one; of others it is told. */
async function missing(name) {
  if (name.startsWith("demo/")) {
    await another(true);
    notice(`There is no ${name} any more. This is a new one.`);
    return;
  }
  for (const pane of Object.values(panes)) {
    pane.reset({ joined: true, tapped: false });
    pane.ended("unknown");
  }
  fillSnippets(name, "");
  notice(`There is no stream ${name}. PUT creates it, or start another sample.`);
}

function isOpen(open) {
  find("#stop").disabled = !open;
  allowCompose(open);
}

for (const pane of Object.values(panes)) {
  find("#panes").append(pane.element);
  pane.oncut = () => cut(pane.tap).catch((error) => notice(error.message));
  pane.onend = () => {
    isOpen(false);
    refreshStreams();
    const { name, type } = shown;
    judge(name, /^text\/(?!event-stream)/i.test(type), panes).catch((error) => notice(error.message));
  };
}
find("#another").onclick = () => another();
find(".skip").onclick = (event) => {
  // The address after # names the stream.
  event.preventDefault();
  find("#panes").focus();
};
find("#stop").onclick = () => stop(shown.name).catch((error) => notice(error.message));
setUpCompose(() => shown, panes, notice);
setUpSnippets();
const refreshStreams = setUpStreams(() => shown.name);
addEventListener("hashchange", () => {
  const name = nameInAddress();
  if (name && name !== shown.name) turnTo(name);
});

const name = nameInAddress();
if (name) turnTo(name);
else another();
