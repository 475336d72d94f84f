// What has to outlive the page. A chat is its turns, and each of them an item of
// localStorage, so that tabs do not overwrite what others know.

const prefix = "freshet-chat/";

/** How long turns are kept, in milliseconds. */
const kept = 30 * 24 * 3600_000;

/** Returns a name that nobody else comes to. */
export function newID() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A turn is a question and its answer:
 *
 *     question, model, key   what is asked, under which Idempotency-Key
 *     stream, server         where the answer is, and who asked for it, once that is known
 *     stop                   that it shall be stopped
 *     end                    how it ended: { reason, message, text }, once it has
 *     figures                what is known of how it came
 */
export class Chat {
  /** Called with the id of a turn that has changed, in whichever tab. */
  onchange = () => {};
  #prefix;

  constructor(id) {
    this.#prefix = `${prefix}${id}/`;
    forget();
    addEventListener("storage", ({ key }) => {
      if (key === null) location.reload();
      else if (key.startsWith(this.#prefix)) this.onchange(key.slice(this.#prefix.length));
    });
  }

  /** Returns the ids of all turns, in order. */
  ids() {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(this.#prefix))
      .map((key) => key.slice(this.#prefix.length))
      .sort();
  }

  get(id) {
    return JSON.parse(localStorage.getItem(this.#prefix + id));
  }

  /** Adds a turn after all others. */
  add(turn) {
    const last = this.ids().at(-1) ?? "";
    const at = Math.max(Date.now(), timeOf(last) + 1);
    const id = `${at.toString(36).padStart(9, "0")}-${newID()}`;
    this.#set(id, turn);
  }

  /** Changes some of what is known of a turn. */
  change(id, changes) {
    const turn = this.get(id);
    if (turn) this.#set(id, { ...turn, ...changes });
  }

  #set(id, turn) {
    localStorage.setItem(this.#prefix + id, JSON.stringify(turn));
    this.onchange(id);
  }

  /** Returns what was said before a turn, as models want to be told. */
  before(id) {
    return this.ids().filter((other) => other < id).flatMap((other) => {
      const { question, end } = this.get(other);
      if (!end?.text) return [];
      return [{ role: "user", content: question }, { role: "assistant", content: end.text }];
    });
  }
}

const timeOf = (id) => Number.parseInt(id.split("-", 1)[0], 36) || 0;

/** Removes turns of any chat that are old. */
function forget() {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(prefix) && timeOf(key.split("/").at(-1)) < Date.now() - kept) localStorage.removeItem(key);
  }
}
