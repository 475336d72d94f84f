// The chat: its turns, and the box for the next question. Where an answer comes from
// is in localStorage, so that this page and any other tab with the same address find
// it again.

import { chosenModel, setUpModels } from "./chat-models.js";
import { Chat, newID } from "./chat-store.js";
import { Turn } from "./chat-turn.js";
import { find } from "./dom.js";

/** How far from its end, in pixels, the page counts as being there. */
const nearEnd = 64;

const log = find("#log");
const form = find("#say");
const text = find("#say textarea");
const stopping = find("#stop");
const turns = new Map();

const known = location.hash.slice(1);
const id = /^[\w-]{1,64}$/.test(known) ? known : newID();
if (id !== known) history.replaceState(null, "", `#${id}`);
addEventListener("hashchange", () => location.reload());
const chat = new Chat(id);

function notice(message) {
  const box = find("#notice");
  box.textContent = message;
  box.hidden = !message;
}

/** Shows a turn as it now is. */
function sync(id) {
  if (!chat.get(id)) return;
  if (!turns.has(id)) {
    const turn = new Turn(chat, id, () => find("#model").value.trim() || chat.get(id).model);
    turns.set(id, turn);
    log.append(turn.element);
  }
  turns.get(id).sync();
  control();
}

/** Returns the id of the turn whose answer is under way. */
const underWay = () => chat.ids().find((id) => !chat.get(id).end);

function control() {
  const ids = chat.ids();
  const current = underWay();
  const stopHadFocus = document.activeElement === stopping;
  find("#send").hidden = !!current;
  stopping.hidden = !current;
  stopping.disabled = !!current && !!chat.get(current).stop;
  if (stopHadFocus && (stopping.hidden || stopping.disabled)) text.focus();
  find("#empty").hidden = ids.length > 0;
  if (ids.length) document.title = `${chat.get(ids[0]).question.slice(0, 60)} · Freshet`;
}

async function say() {
  const question = text.value.trim();
  const model = await chosenModel();
  if (!question || underWay()) return;
  if (!model) {
    notice("Which model? Type its name below your question.");
    find("#model").focus();
    return;
  }
  try {
    // Before anything is sent: whatever happens now, the answer can be found again.
    chat.add({ question, model, key: newID() });
  } catch {
    notice("The browser has no room left for what is said here.");
    return;
  }
  notice("");
  text.value = "";
  atEnd = true;
}

form.onsubmit = (event) => {
  event.preventDefault();
  say();
};
text.onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  say();
};
stopping.onclick = () => turns.get(underWay())?.stop().catch((error) => notice(error.message));
find(".skip").onclick = (event) => {
  // The address after # names the chat.
  event.preventDefault();
  text.focus();
};
find("#new").onclick = () => (location.hash = newID());

// While the end is in sight, it stays so.
let atEnd = true;
history.scrollRestoration = "manual";
addEventListener("scroll", () => {
  const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
  atEnd = scrollHeight - scrollTop - clientHeight < nearEnd;
});
new ResizeObserver(() => {
  if (atEnd) scrollTo(0, document.documentElement.scrollHeight);
}).observe(log);

setUpModels();
chat.onchange = sync;
for (const id of chat.ids()) sync(id);
control();
