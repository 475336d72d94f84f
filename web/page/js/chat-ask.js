// Asking: a POST whose answer need not be read, since its head names the stream
// that has it. To leave is not to stop.

import { stop } from "./api.js";
import { note } from "./servers.js";

/** How long to wait before a server that did not answer is asked again. */
const firstWait = 500;
const mostWait = 10_000;

/**
 * Asks until it is known which stream has the answer to a turn, or why there is
 * none. Of the tabs that show the chat one does, and another if that goes away; and
 * were there two, both would learn of the same answer, since they send the same key.
 */
export async function ask(chat, id, onlost) {
  await alone(`freshet-chat/${id}`, async () => {
    for (let wait = firstWait; ; wait = Math.min(2 * wait, mostWait)) {
      const turn = chat.get(id);
      if (!turn || turn.stream || turn.end) return;
      const found = await post(turn, chat.before(id));
      if (found) {
        chat.change(id, found);
        return;
      }
      onlost();
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  });
  const turn = chat.get(id);
  if (turn?.stop && turn.stream && !turn.end) await stop(turn.stream);
}

/** Runs something that no other tab does meanwhile, where browsers can tell. */
const alone = (name, run) => (navigator.locks ? navigator.locks.request(name, run) : run());

/** Returns what is then known of a turn, or nothing if the server was away. */
async function post({ model, question, key }, before) {
  const leaving = new AbortController();
  let response;
  try {
    response = await fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": key },
      body: JSON.stringify({
        model,
        stream: true,
        stream_options: { include_usage: true },
        messages: [...before, { role: "user", content: question }],
      }),
      signal: leaving.signal,
    });
  } catch {
    return undefined;
  }
  const server = response.headers.get("Freshet-Server");
  note(server);
  if (!response.ok) return { server, end: { reason: "refused", message: await refusal(response), text: "" } };
  leaving.abort();
  return { server, stream: response.headers.get("Freshet-Stream") };
}

/** Returns what a refusal says is wrong. */
async function refusal(response) {
  const { error, detail } = (await response.json().catch(() => null)) ?? {};
  const why = error?.message ?? detail ?? (typeof error === "string" ? error : "The request was refused.");
  const after = response.headers.get("Retry-After");
  return `${response.status}: ${why}${/^\d+$/.test(after) ? ` It asks to wait for ${after} s.` : ""}`;
}
