// @durable-streams/client, restarted from the saved offset when a session
// fails, until it says that the stream is closed. MODE is its live mode.
import { stream } from "@durable-streams/client";
import { closed, end, json, mode, opened, pause, url, write } from "./app.mjs";

let offset = "-1";
let over = false;
let current;

async function follow() {
  const session = await stream({ url, offset, live: mode });
  opened();
  current = session;
  let told;
  const last = new Promise((resolve) => (told = resolve));
  const take = (batch, put) => {
    if (current !== session) return;
    put();
    offset = batch.offset;
    over = batch.streamClosed;
    if (over) told();
  };
  if (json) {
    session.subscribeJson((b) => take(b, () => b.items.forEach((item) => write(JSON.stringify(item)))));
  } else {
    // Not subscribeText: a response may end inside a character.
    session.subscribeBytes((b) => take(b, () => process.stdout.write(b.data)));
  }
  try {
    // The client can call a session closed before it has read the last
    // response, and says nothing more if it then fails to.
    await Promise.race([last, session.closed.then(() => pause(2000))]);
  } finally {
    // A session that failed can still have a request open.
    current = undefined;
    session.cancel();
  }
}

while (!over) {
  try {
    await follow();
  } catch (error) {
    console.error(error.message);
    await pause(100);
  }
}
closed((await fetch(url, { method: "HEAD" })).headers.get("Freshet-Close-Reason"));
end("stream closed");
