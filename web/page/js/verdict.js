// Says at the end of a stream whether both panes have all of it.

import { read } from "./api.js";
import { find, plural } from "./dom.js";

const box = find("#verdict");

export function clearVerdict() {
  box.textContent = "";
  delete box.dataset.verdict;
}

/** Compares the panes with what is stored, once both have ended. */
export async function judge(name, isText, panes) {
  const all = Object.values(panes);
  if (!isText || !all.every((pane) => pane.reason)) return;
  const stored = await read(name);
  const same = all.every((pane) => pane.content === stored);
  const cuts = all.reduce((sum, pane) => sum + pane.cuts, 0);
  const survived = cuts ? ` after ${plural(cuts, "cut")}` : "";
  box.dataset.verdict = same ? "same" : "different";
  box.textContent = same
    ? `Both panes equal the stored stream, all ${plural([...stored].length, "character")} of it${survived}.`
    : "The panes do not equal the stored stream.";
}
