// The box to append by hand.

import { append } from "./api.js";
import { find } from "./dom.js";

const form = find("#compose");
const box = find("textarea", form);
const button = find("button", form);

/** Sets up the box. current returns the shown stream; fail is told what went wrong. */
export function setUpCompose(current, fail) {
  form.onsubmit = async (event) => {
    event.preventDefault();
    const { name, type } = current();
    const text = box.value;
    if (!text || !name) return;
    try {
      await append(name, type, text);
      box.value = "";
      fail("");
    } catch (error) {
      fail(error.message);
    }
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
