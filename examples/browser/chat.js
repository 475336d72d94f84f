// A chat with a language model, through Freshet. Cut the network or refresh the
// page in the middle of an answer: it goes on where it was.
import { events } from "./events.js";

const query = new URLSearchParams(location.search);
const server = query.get("server") ?? "http://127.0.0.1:4437";
const model = query.get("model") ?? "demo";

const find = (selector) => document.querySelector(selector);
const messages = find("#messages"), form = find("form"), stop = find("#stop"), status = find("#status");

// What has to outlive the page. While there is a key, its answer is not complete.
const chat = JSON.parse(localStorage.getItem("chat")) ?? { messages: [] };
const save = () => localStorage.setItem("chat", JSON.stringify(chat));

// The same chat in another tab has moved on: this one follows.
addEventListener("storage", ({ newValue }) => {
  if (newValue !== JSON.stringify(chat)) location.reload();
});

form.onsubmit = (event) => {
  event.preventDefault();
  if (chat.key) return;
  chat.messages.push({ role: "user", content: form.question.value });
  chat.key = crypto.randomUUID();
  save(); // before anything is sent: whatever happens now, the answer can be found again
  show("user").textContent = form.question.value;
  form.reset();
  answer();
};

// answer shows the answer to the last message, from its beginning. A request with
// the same key and body is the same question, so that asking again costs nothing.
async function answer() {
  const paragraph = show("assistant");
  const body = JSON.stringify({ model, stream: true, messages: chat.messages });
  let text = "", lastId = "", wait = 500;
  const take = (piece) => {
    paragraph.textContent = text += piece;
    messages.scrollTop = messages.scrollHeight;
  };
  const end = (how) => {
    if (text) chat.messages.push({ role: "assistant", content: text });
    delete chat.key;
    save();
    stop.disabled = true;
    status.textContent = how;
  };
  for (;;) {
    status.textContent = "…";
    try {
      const headers = { "Content-Type": "application/json", "Idempotency-Key": chat.key };
      if (lastId) headers["Last-Event-ID"] = lastId;
      const response = await fetch(`${server}/v1/chat/completions`, { method: "POST", headers, body });
      if (response.ok) {
        stop.onclick = () => close(response.headers.get("Freshet-Stream"));
        stop.disabled = false;
        for await (const { id, data } of events(response.body)) {
          [lastId, wait] = [id, 500];
          if (data === "[DONE]") return end("");
          const { error, choices } = JSON.parse(data);
          if (error) return end(error.code === "cancelled" ? "stopped" : error.message);
          take(choices[0]?.delta.content ?? "");
        }
      } else if (response.status < 500 && response.status !== 429) {
        return end(await response.text());
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // which is what fetch throws when it is cut
    }
    status.textContent = "reconnecting…";
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(2 * wait, 10_000);
  }
}

// close ends the answer, for all who read it.
async function close(stream) {
  const headers = { "Stream-Closed": "true", "Freshet-Close-Reason": "cancelled" };
  try {
    await fetch(`${server}/v1/stream/${stream}`, { method: "POST", headers });
  } catch {
    status.textContent = "not stopped, try again";
  }
}

function show(role) {
  const paragraph = document.createElement("p");
  paragraph.className = role;
  messages.append(paragraph);
  return paragraph;
}

for (const { role, content } of chat.messages) show(role).textContent = content;
if (chat.key) answer();
