import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { useEffect, useState } from "react";

// Chat is a conversation by the AI SDK's own useChat and transport. With `resume`
// it asks on every start for an answer that is under way.
export function Chat({ id, model }) {
  const [transport] = useState(() => new DefaultChatTransport({ api: "/v1/chat", body: model ? { model } : {} }));
  const [before] = useState(() => JSON.parse(localStorage.getItem(id)) ?? []);
  const { messages, status, error, sendMessage, resumeStream } = useChat({ id, transport, messages: before, resume: true });

  // Freshet keeps answers; the conversation is the application's to keep.
  useEffect(() => localStorage.setItem(id, JSON.stringify(messages)), [id, messages]);

  // useChat does not come back by itself after a cut, which is a TypeError.
  useEffect(() => {
    if (!(error instanceof TypeError)) return;
    const timer = setTimeout(resumeStream, 500);
    return () => clearTimeout(timer);
  }, [error, resumeStream]);

  // useChat's own stop only stops reading. This stops the model, for all who read.
  const stop = () => fetch(`/v1/chat/${id}/stop`, { method: "POST" });

  const ask = (event) => {
    event.preventDefault();
    sendMessage({ text: event.target.question.value });
    event.target.reset();
  };

  const busy = status === "submitted" || status === "streaming";
  return (
    <>
      <div id="messages" aria-live="polite">
        {messages.map(({ id: key, role, parts }) => (
          <p key={key} className={role}>{parts.filter(({ type }) => type === "text").map(({ text }) => text).join("")}</p>
        ))}
      </div>
      <p id="status">{error ? error.message : status}</p>
      <form onSubmit={ask}>
        <input name="question" aria-label="Question" placeholder="Ask something" autoComplete="off" required />
        <button disabled={busy}>Send</button>
        <button type="button" id="stop" disabled={!busy} onClick={stop}>Stop</button>
      </form>
    </>
  );
}
