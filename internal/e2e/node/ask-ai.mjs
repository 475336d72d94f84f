// npm's ai, with its providers for the three formats.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, streamText, tool } from "ai";
import { apiKey, call, model as name, prompts, told, url } from "./ask.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;

const options = { name: "origin", baseURL: `${url}/v1`, apiKey };
const models = {
  compatible: createOpenAICompatible({ ...options, includeUsage: true }).chatModel(name),
  chat: createOpenAI(options).chat(name),
  responses: createOpenAI(options).responses(name),
  messages: createAnthropic(options).messages(name),
};
const tools = {
  look_up: tool({ inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } } }) }),
};

// plain is a part as far as it comes from the provider: not what was asked, nor
// the times and ids that the client makes.
function plain(part) {
  return JSON.parse(
    JSON.stringify(part, (key, value) => {
      if (["request", "headers", "performance", "timestamp"].includes(key)) return undefined;
      if (String(value).startsWith("aitxt-")) return undefined;
      return value instanceof Error ? told(value) : value;
    }),
  );
}

for (const [what, prompt] of Object.entries(prompts)) {
  for (const [kind, model] of Object.entries(models)) {
    const asked = { model, prompt, tools, maxRetries: 0 };
    await call(`${kind}, streamed: ${what}`, async (take) => {
      const answer = streamText({ ...asked, onError: () => {} });
      for await (const part of answer.fullStream) take(plain(part));
    });
    await call(`${kind}, whole: ${what}`, async (take) => {
      const { text, reasoningText, toolCalls, finishReason, usage } = await generateText(asked);
      take(plain({ text, reasoningText, toolCalls, finishReason, usage }));
    });
  }
}
