// The bytes that the server wrote to a connection, as it wrote them.

import { keepAtEnd, make } from "./dom.js";
import { Frames } from "./frames.js";

/** How many rows are kept. */
const most = 160;

export class Bytes {
  #box;
  #framed;
  #frames = new Frames();
  #decoder = new TextDecoder();

  /** Framed bytes are those of a WebSocket. */
  constructor(box, framed) {
    this.#box = box;
    this.#framed = framed;
  }

  clear(note) {
    this.#box.replaceChildren();
    if (note) this.note(note);
  }

  /** Says something between the bytes. */
  note(text) { this.#add("note", text); }

  /** The connection begins with a request. */
  open({ path, protocol, lastEventId }) {
    this.#frames = new Frames();
    this.#decoder = new TextDecoder();
    this.#add("request", `GET ${path} ${protocol}`);
    if (lastEventId) this.#add("request id", `Last-Event-ID: ${lastEventId}`);
  }

  end(how) {
    this.#add("end", how === "reset" ? "connection reset by the server" : "connection closed");
  }

  dropped(count) {
    this.#frames = new Frames();
    this.#add("note", `${count.toLocaleString("en")} bytes not shown: this page was too slow`);
  }

  written(bytes) {
    if (!this.#framed) {
      const lines = this.#decoder.decode(bytes, { stream: true }).split("\n");
      if (lines.at(-1) === "") lines.pop();
      for (const line of lines) this.#add(line.startsWith("id:") ? "id" : "", line);
      return;
    }
    for (const { head, text } of this.#frames.take(bytes)) {
      this.#add("", text, head && make("span", { className: "frame", textContent: `${head} ` }));
    }
  }

  #add(className, text, before = "") {
    keepAtEnd(this.#box, () => {
      this.#box.append(make("div", { className }, before, text || "\u200b"));
      while (this.#box.childElementCount > most) this.#box.firstElementChild.remove();
    });
  }
}
