// npm's openai: chat completions and Responses, streamed and whole.
import OpenAI from "openai";
import { apiKey, call, given, model, prompts, url } from "./ask.mjs";

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const parameters = { type: "object", properties: { city: { type: "string" } } };

for (const [name, prompt] of Object.entries(prompts)) {
  const chat = {
    model,
    messages: [{ role: "user", content: prompt }],
    tools: [{ type: "function", function: { name: "look_up", parameters } }],
  };
  const response = { model, input: prompt, tools: [{ type: "function", name: "look_up", parameters }] };
  const usage = { include_usage: true };

  await call(`chat, streamed: ${name}`, async (take) => {
    for await (const chunk of await client.chat.completions.create({ ...chat, stream: true, stream_options: usage })) take(chunk);
  });
  await call(`chat, assembled: ${name}`, async (take) => {
    take(await client.chat.completions.stream({ ...chat, stream_options: usage }).finalChatCompletion());
  });
  await call(`chat, whole: ${name}`, async (take) => take(await client.chat.completions.create(chat)));
  await call(`responses, streamed: ${name}`, async (take) => {
    for await (const event of await client.responses.create({ ...response, stream: true })) take(event);
  });
  await call(`responses, assembled: ${name}`, async (take) => take(await client.responses.stream(response).finalResponse()));
  await call(`responses, whole: ${name}`, async (take) => take(await client.responses.create(response)));
}

if (!given) {
  await call("chat, tried again: limited", async (take) => {
    take(await client.chat.completions.create({ model, messages: [{ role: "user", content: "status=429 retry-after=1" }] }, { maxRetries: 1 }));
  });
  await call("models", async (take) => {
    for await (const listed of client.models.list()) take(listed);
  });
}
