// The text of a stream in the document: bounded, with what came last set apart,
// and a mark wherever the connection had been cut. Marks add no text.

import { make } from "./dom.js";

/** How many characters are kept, and how many make one node. */
const most = 400_000;
const nodeMost = 4_000;

export class StreamText {
  #box;
  #fresh;
  #size = 0;

  constructor(box) {
    this.#box = box;
    this.clear();
  }

  clear() {
    this.#fresh = make("span", { className: "fresh" });
    this.#box.replaceChildren(this.#fresh);
    this.#size = 0;
  }

  append(text) {
    if (!text) return;
    this.settle();
    this.#fresh.textContent = text;
    this.#size += text.length;
    while (this.#size > most && this.#box.firstChild !== this.#fresh) {
      this.#size -= this.#box.firstChild.textContent.length;
      this.#box.firstChild.remove();
    }
  }

  /** Marks the place where the connection came back. */
  mark() {
    this.settle();
    this.#fresh.before(make("span", { className: "mark", title: "The connection was cut here" }));
  }

  /** Makes what came last a part of the text before it. */
  settle() {
    const text = this.#fresh.textContent;
    const before = this.#fresh.previousSibling;
    this.#fresh.textContent = "";
    if (!text) return;
    if (before?.nodeType === Node.TEXT_NODE && before.length < nodeMost) before.appendData(text);
    else this.#fresh.before(text);
  }
}
