// One turn of a chat in the document: the question, the answer as it comes, and
// how it came.

import { stop } from "./api.js";
import { ask } from "./chat-ask.js";
import { follow } from "./chat-follow.js";
import { Meters } from "./chat-meters.js";
import { newID } from "./chat-store.js";
import { find } from "./dom.js";
import { Markdown } from "./markdown.js";

const words = { asking: "asking", cancelled: "stopped", unknown: "gone" };

/** What is said of an end of which the upstream has said nothing, by its code or reason. */
const messages = {
  upstream_stalled: "The model fell silent.",
  upstream_truncated: "The answer ended before it was complete.",
  completed: "",
  cancelled: "",
  interrupted: "The server that made the answer went away.",
  unknown: "The server does not have this answer any more.",
  deleted: "The answer was deleted.",
  expired: "The answer was not kept any longer.",
};

export class Turn {
  element = find("#turn").content.cloneNode(true).firstElementChild;
  #chat;
  #id;
  #answer;
  #meters;
  #chunks = { count: 0, usage: null, error: "" };
  // The key of the try that is shown, and the stream that is followed for it.
  #key;
  #stream;
  #leave = () => {};
  #shownEnd;

  constructor(chat, id, model) {
    this.#chat = chat;
    this.#id = id;
    this.element.dataset.turn = id;
    this.#answer = new Markdown(this.#find("[data-answer]"));
    this.#meters = new Meters(this.#find("[data-meters]"));
    this.#find("[data-again]").onclick = () => this.#again(model());
    this.#find("[data-copy]").onclick = ({ target }) => this.#copy(target);
  }

  #find(selector) {
    return find(selector, this.element);
  }

  /** Shows what is known of the turn, and does what is to be done about it. */
  sync() {
    const turn = this.#chat.get(this.#id);
    this.#find("[data-question]").textContent = turn.question;
    if (turn.key !== this.#key) this.#reset(turn.key);
    this.#meters.show(turn, this.#chunks);
    if (turn.end) {
      this.#showEnd(turn);
    } else if (turn.stream && turn.stream !== this.#stream) {
      this.#stream = turn.stream;
      this.#leave = follow(turn.stream, this.#on(turn));
    } else if (turn.stop) {
      this.#state(this.#find("[data-state]").dataset.state, "stopping");
    }
  }

  #reset(key) {
    this.#leave();
    this.#key = key;
    this.#stream = this.#shownEnd = undefined;
    this.#begin();
    this.#find("[data-outcome]").hidden = true;
    this.#find("[data-copy]").hidden = true;
    this.#state("asking");
    if (this.#chat.get(this.#id).stream || this.#chat.get(this.#id).end) return;
    ask(this.#chat, this.#id, () => this.#state("reconnecting")).catch((error) => this.#tell(error.message, false));
  }

  #begin() {
    this.#answer.clear();
    this.#find("[data-reasoning]").textContent = "";
    this.#find("details").hidden = true;
    this.#chunks = { count: 0, usage: null, error: "" };
  }

  /** Returns what is to be told of the answer while it is followed. */
  #on({ key, stream }) {
    this.#meters.follow(stream);
    return {
      begin: () => this.#begin(),
      state: (state) => this.#state(state),
      chunk: (chunk) => {
        this.#take(chunk);
        this.#meters.count(this.#chunks);
      },
      end: async (reason) => {
        const { source: text } = this.#answer;
        const { error, ...counted } = this.#chunks;
        const { code, ...measured } = await this.#meters.end();
        const figures = { ...measured, ...counted };
        const turn = this.#chat.get(this.#id);
        if (!turn || turn.end || turn.key !== key) return;
        const message = messages[reason] ?? (error || (messages[code] ?? "The answer broke off."));
        this.#chat.change(this.#id, { figures, end: { reason, message, text, thought: this.#find("[data-reasoning]").textContent } });
      },
    };
  }

  #take({ error, usage, choices }) {
    if (error) this.#chunks.error = error.message ?? "The model failed.";
    if (usage) this.#chunks.usage = usage.completion_tokens;
    const { delta, message } = choices?.[0] ?? {};
    const said = delta ?? message ?? {};
    const text = `${said.content ?? ""}${said.refusal ?? ""}`;
    const thought = said.reasoning_content ?? said.reasoning;
    if (thought) this.#think(thought);
    if (text) this.#answer.append(text);
    if (text || thought) this.#chunks.count++;
  }

  #think(thought) {
    this.#find("details").hidden = false;
    this.#find("[data-reasoning]").append(thought);
  }

  #showEnd({ end, key }) {
    if (this.#shownEnd === key) return;
    this.#shownEnd = key;
    this.#leave();
    this.#meters.leave();
    if (this.#answer.source !== end.text) {
      this.#begin();
      this.#answer.append(end.text);
    }
    if (end.thought && this.#find("details").hidden) this.#think(end.thought);
    this.#answer.end();
    this.#find("[data-copy]").hidden = !end.text;
    this.#tell(end.message, !["completed", "cancelled"].includes(end.reason));
    this.#state(end.reason);
  }

  #tell(message, again) {
    this.#find("[data-message]").textContent = message;
    this.#find("[data-again]").hidden = !again;
    this.#find("[data-outcome]").hidden = !message && !again;
  }

  #state(state, word = words[state] ?? state) {
    const box = this.#find("[data-state]");
    box.dataset.state = state;
    box.textContent = word;
    this.#find("[data-answer]").ariaBusy = ["asking", "live", "reconnecting"].includes(state);
  }

  /** Stops the answer, wherever it is made, as soon as it is known where that is. */
  async stop() {
    this.#chat.change(this.#id, { stop: true });
    const { stream } = this.#chat.get(this.#id);
    if (stream) await stop(stream);
  }

  /** Asks once more: under a new key, which is another question. */
  #again(model) {
    this.#chat.change(this.#id, {
      model, key: newID(), stream: undefined, server: undefined, stop: undefined, end: undefined, figures: undefined,
    });
  }

  async #copy(button) {
    try {
      await navigator.clipboard.writeText(this.#answer.source);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(this.#find("[data-answer]"));
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }
}
