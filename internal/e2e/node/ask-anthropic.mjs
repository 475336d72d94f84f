// npm's @anthropic-ai/sdk: Messages, streamed and whole.
import Anthropic from "@anthropic-ai/sdk";
import { apiKey, call, model, prompts, url } from "./ask.mjs";

const client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });

for (const [name, prompt] of Object.entries(prompts)) {
  const message = {
    model,
    max_tokens: 1000,
    messages: [{ role: "user", content: prompt }],
    tools: [{ name: "look_up", input_schema: { type: "object", properties: { city: { type: "string" } } } }],
  };
  await call(`messages, streamed: ${name}`, async (take) => {
    for await (const event of await client.messages.create({ ...message, stream: true })) take(event);
  });
  await call(`messages, assembled: ${name}`, async (take) => take(await client.messages.stream(message).finalMessage()));
  await call(`messages, whole: ${name}`, async (take) => take(await client.messages.create(message)));
}
