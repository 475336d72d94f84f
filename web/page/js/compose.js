// The box to append by hand.

import { append } from "./api.js";
import { find } from "./dom.js";
import { showTrip } from "./trips.js";

const form = find("#compose");
const box = find("textarea", form);
const button = find("button", form);

/** Sets up the box. current returns the shown stream; fail is told what went wrong. */
export function setUpCompose(current, panes, fail) {
  const post = async ({ name, type }, text) => {
    const begun = performance.now();
    try {
      const response = await append(name, type, text);
      fail("");
      showTrip({ begun, response, panes, again: () => post({ name, type }, text) });
      return true;
    } catch (error) {
      fail(error.message);
      return false;
    }
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    const text = box.value;
    const stream = current();
    if (text && stream.name && await post(stream, text)) box.value = "";
    box.focus();
  };
  box.onkeydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  };
}

/** Says whether there is an open stream to append to. */
export function allowCompose(open) {
  box.disabled = button.disabled = !open;
  box.placeholder = open ? "Say something to the stream" : "This stream is closed";
}
