// npm's ai as useChat uses it: its transport, and the messages that it makes of
// chunks. The page is reloaded in mid-answer, and an answer is stopped.
import { DefaultChatTransport, readUIMessageStream } from "ai";

const [url, model] = process.argv.slice(2);
const transport = new DefaultChatTransport({ api: `${url}/v1/chat`, body: { model } });
const chatId = "conversation";

function send(prompt, signal) {
  const messages = [{ id: "u", role: "user", parts: [{ type: "text", text: prompt }] }];
  return transport.sendMessages({ trigger: "submit-message", chatId, messages, abortSignal: signal });
}

// last returns the message at the end of a stream of chunks, and what went wrong.
async function last(stream) {
  let message, failure;
  const onError = (error) => (failure = error.message);
  for await (message of readUIMessageStream({ stream, onError, terminateOnError: false })) continue;
  const text = message.parts.filter((p) => p.type === "text").map((p) => p.text).join("");
  return { id: message.id, text, failure, metadata: message.metadata };
}

async function types(stream) {
  const all = [];
  for await (const chunk of stream) all.push(chunk.type);
  return all;
}

const told = { none: await transport.reconnectToStream({ chatId }) };
told.whole = await last(await send("tokens=20"));

const reload = new AbortController();
const reader = (await send("tokens=60 pace=100", reload.signal)).getReader();
let first;
for (let n = 0; n < 12; n++) {
  const { value } = await reader.read();
  first ??= value.messageId;
}
reload.abort();
told.first = first;
told.resumed = await last(await transport.reconnectToStream({ chatId }));
told.over = await transport.reconnectToStream({ chatId });

const stopped = types(await send("stall=5"));
const resumed = types(await transport.reconnectToStream({ chatId }));
told.stop = (await fetch(`${url}/v1/chat/${chatId}/stop`, { method: "POST" })).status;
told.stopped = [(await stopped).at(-1), (await resumed).at(-1)];
told.failed = await last(await send("tokens=9 end=5"));
told.refused = await send("status=429").then(
  () => "answered",
  (error) => error.message,
);
console.log(JSON.stringify(told));
