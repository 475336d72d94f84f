// A pane shows one follower: its text, its state and its bytes.

import { find, keepAtEnd } from "./dom.js";
import { StreamText } from "./text.js";
import { Bytes } from "./bytes.js";
import { badge, theOnly } from "./servers.js";

/** How the two panes introduce themselves. */
export const kinds = {
  sse: { title: "Server-Sent Events", via: "the browser’s own EventSource", count: "Events", label: "over Server-Sent Events" },
  ws: { title: "WebSocket", via: "subprotocol freshet.v1.json", count: "Records", label: "over WebSocket" },
};

/** How long what has arrived may wait to be drawn, so that a replay is drawn once. */
const drawWait = 16;

/** How many arrivals are remembered, for those who ask later. */
const arrivalsMost = 200;

export class Pane {
  #element;
  #text;
  #pending = [];
  #timer;
  #offset;
  #wasLive = false;
  #count = 0;
  #separator = "";
  /** Whether servers show the connection, and the one it is on, once that is known; "" is never. */
  #tapped = false;
  #server = Promise.withResolvers();
  #arrivals = [];
  #expected = [];

  /** How often the connection broke and came back. */
  cuts = 0;
  /** The reason of the end, once there is one. */
  reason;
  /** Called when the pane has ended. */
  onend = () => {};
  /** Called when the user wants the connection cut. */
  oncut = () => {};

  constructor(kind) {
    const { title, via, count, label } = kinds[kind];
    this.#element = find("#pane").content.cloneNode(true).firstElementChild;
    this.#element.dataset.pane = kind;
    this.#element.setAttribute("aria-label", title);
    this.#part("h2").textContent = title;
    this.#part(".via").textContent = via;
    this.#part("[data-count-word]").textContent = count;
    this.#part("[data-text]").setAttribute("aria-label", `The stream ${label}`);
    this.#part("[data-raw]").setAttribute("aria-label", `Bytes ${label}`);
    const button = this.#part("button[data-cut]");
    button.setAttribute("aria-label", `Cut the connection ${label}`);
    button.onclick = () => this.oncut();
    this.#text = new StreamText(this.#part("[data-text]"));
    this.bytes = new Bytes(this.#part("[data-raw]"), kind === "ws");
  }

  get element() { return this.#element; }

  /** What the pane shows, as text. */
  get content() { return this.#part("[data-text]").textContent; }

  /** Forgets everything, to show another stream. Records of text are joined, others get a line each. */
  reset({ joined, tapped }) {
    this.#cancelDraw();
    this.#pending = [];
    this.#arrivals = [];
    this.#expected = [];
    this.#wasLive = false;
    this.#count = this.cuts = 0;
    this.#offset = this.reason = undefined;
    this.#separator = joined ? "" : "\n";
    this.#text.clear();
    this.bytes.clear(tapped ? "" : "Shown, like cuts, for the streams under demo/.");
    this.#part("[data-offset]").textContent = "–";
    this.#tapped = tapped;
    this.#forgetServer();
    this.#part("button[data-cut]").hidden = !tapped;
    this.#draw();
    this.#state("connecting");
  }

  /** Says which server the connection is on. */
  server(name) {
    this.#show(name);
    this.#server.resolve(name);
  }

  /** Resolves when everything up to an offset is here: to when that was, and the server it came from. */
  async reached(offset) {
    const { at, server } = this.#arrivals.find((arrival) => arrival.offset >= offset) ??
      await new Promise((resolve) => this.#expected.push({ offset, resolve }));
    return { at, server: await server };
  }

  /** The connection stands. */
  connected() {
    if (this.#state() === "live" || this.reason) return;
    if (this.#wasLive) {
      this.#flush();
      this.cuts++;
      keepAtEnd(this.#part("[data-text]"), () => this.#text.mark());
      this.#draw();
    }
    this.#wasLive = true;
    this.#state("live");
  }

  /** The connection broke, and will come back. */
  lost() {
    if (this.reason) return;
    this.#forgetServer();
    this.#state(this.#wasLive ? "reconnecting" : "connecting");
  }

  /** Something came; offset is the position after it. */
  received(data, offset) {
    this.#pending.push(...data);
    this.#offset = offset;
    this.#count += data.length;
    this.#arrived(offset);
    this.#timer ??= setTimeout(() => this.#flush(), drawWait);
  }

  /** What was shown cannot be continued; the stream goes on from resumed, if anywhere. */
  gap(why, resumed) {
    this.#flush();
    this.#offset = resumed === "-1" ? undefined : resumed;
    this.#text.clear();
    this.failed(`The last offset could not be served (${why}). This is the stream from its oldest record.`);
  }

  /** The stream is over, or cannot be followed. */
  ended(reason) {
    if (this.reason) return;
    this.#flush();
    this.#text.settle();
    this.reason = reason;
    this.#state(reason);
    this.onend();
  }

  /** Called with what went wrong. */
  failed(message) { this.bytes.note(message); }

  #arrived(offset) {
    const arrival = { offset, at: performance.now(), server: this.#server.promise };
    this.#arrivals = [...this.#arrivals.slice(1 - arrivalsMost), arrival];
    this.#expected = this.#expected.filter((expected) => {
      if (offset < expected.offset) return true;
      expected.resolve(arrival);
      return false;
    });
  }

  /** The next connection may be on another server; the tap will tell, if there is one. */
  #forgetServer() {
    this.#server = Promise.withResolvers();
    this.#show(theOnly());
    if (!this.#tapped) this.#server.resolve(theOnly());
  }

  #show(server) { this.#part("[data-server]").replaceChildren(server ? badge(server) : "–"); }

  #part(selector) { return find(selector, this.#element); }

  #cancelDraw() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #flush() {
    this.#cancelDraw();
    const data = this.#pending.map((record) => record + this.#separator).join("");
    this.#pending = [];
    keepAtEnd(this.#part("[data-text]"), () => this.#text.append(data));
    this.#draw();
  }

  #draw() {
    if (this.#offset) this.#part("[data-offset]").textContent = this.#offset;
    this.#part("[data-count]").textContent = this.#count.toLocaleString("en");
    this.#part("[data-cuts]").textContent = this.cuts;
    this.#part("[data-cuts-word]").textContent = this.cuts === 1 ? "cut survived" : "cuts survived";
  }

  /** Returns the state, after changing it to next if that is given. */
  #state(next) {
    const state = this.#part("[data-state]");
    if (next) {
      state.dataset.state = state.textContent = next;
      this.#part("button[data-cut]").disabled = next !== "live";
    }
    return state.dataset.state;
  }
}
