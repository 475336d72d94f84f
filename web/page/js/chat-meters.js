// The meters of an answer. The server has measured when the first token came and
// how fast the others do; how many came, each tab sees by itself.

import { list } from "./api.js";
import { find, plural } from "./dom.js";
import { badge } from "./servers.js";

/** How often the server is asked, in milliseconds. */
const interval = 1000;

export class Meters {
  #box;
  #timer;
  #stream;
  #measured = {};

  constructor(box) {
    this.#box = box;
  }

  /** Asks the server for as long as the answer comes. */
  follow(stream) {
    this.#stream = stream;
    this.#measured = {};
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#ask(), interval);
    this.#ask();
  }

  leave() {
    clearInterval(this.#timer);
  }

  /** Returns what the server has measured in the end, and the code of that. */
  async end() {
    this.leave();
    await this.#ask();
    return this.#measured;
  }

  async #ask() {
    const stream = this.#stream;
    try {
      const [found] = await list(stream, 1);
      if (found?.stream !== stream || stream !== this.#stream) return;
      const { first_token_ms: first, tokens_per_second: rate, code } = found.generation ?? {};
      this.#measured = { first, rate, code };
      this.#draw(this.#measured);
    } catch {
      // The turn tells that the server is away.
    }
  }

  /** Shows what is known of a turn. */
  show({ stream, server, figures }, counted) {
    const { count = 0, usage = null, ...measured } = figures ?? counted;
    this.#set("server", server ? badge(server) : "");
    const link = find("[data-stream]", this.#box);
    link.hidden = !stream;
    if (stream) link.href = `/#${stream}`;
    this.#draw(figures ? measured : this.#measured);
    this.count({ count, usage });
  }

  #draw({ first, rate }) {
    this.#set("first", first ? `${(first / 1000).toFixed(2)} s to the first token` : "");
    this.#set("rate", rate ? `${rate.toFixed(rate < 10 ? 1 : 0)} tokens/s` : "");
  }

  /** Shows how many tokens there are: as many as the model says, else as chunks came. */
  count({ count, usage }) {
    const none = usage === null && !count;
    this.#set("tokens", none ? "" : `${plural(usage ?? count, "token")} (${usage === null ? "chunks" : "usage"})`);
  }

  #set(figure, content) {
    const box = find(`[data-figure=${figure}]`, this.#box);
    box.replaceChildren(content);
    box.hidden = !content;
  }
}
