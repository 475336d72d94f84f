// npm's eventsource-parser over fetch, reconnecting until a response ends
// cleanly.
import { EventSourceParserStream } from "eventsource-parser/stream";
import { end, event, opened, pause, url } from "./app.mjs";

let lastEventId;
let retry = 1000;

async function follow() {
  const headers = { Accept: "text/event-stream" };
  if (lastEventId) headers["Last-Event-ID"] = lastEventId;
  const response = await fetch(url, { headers });
  if (response.status !== 200) throw new Error(`the server answered ${response.status}`);
  opened();
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ onRetry: (ms) => (retry = ms) }));
  for await (const { id, event: type, data } of events) {
    if (id !== undefined) lastEventId = id;
    event(type ?? "message", data);
  }
}

for (;;) {
  try {
    await follow();
    break;
  } catch (error) {
    console.error(error.message);
    await pause(retry);
  }
}
end("clean end");
