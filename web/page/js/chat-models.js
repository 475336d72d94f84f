// Which model is asked: the one that was typed last, else the first that there is.

import { request } from "./api.js";
import { find, make } from "./dom.js";

const remembered = "freshet-chat-model";

const box = find("#model");
let listed;

/** Fills the list of models, and chooses one. */
export function setUpModels() {
  box.value = localStorage.getItem(remembered) ?? "";
  box.onchange = () => localStorage.setItem(remembered, box.value.trim());
  listed = fill();
}

async function fill() {
  try {
    const { data } = await (await request("/v1/models")).json();
    find("#models").replaceChildren(...data.map(({ id }) => make("option", { value: id })));
    box.value ||= data[0]?.id ?? "";
  } catch {
    // Whoever knows a name can type it.
  }
}

/** Returns the name of the model, or "" if there is none. */
export async function chosenModel() {
  if (!box.value.trim()) await listed;
  return box.value.trim();
}
