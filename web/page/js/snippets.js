// What to paste to follow the shown stream from elsewhere.

import { streamPath } from "./api.js";
import { find, make } from "./dom.js";

const copiedWait = 1500;

const titles = { curl: "curl", sse: "EventSource", ws: "WebSocket" };

/** Returns the snippets for a stream of a content type. */
function write(name, type) {
  const url = location.origin + streamPath(name);
  const media = type || "text/plain";
  return {
    curl: `# follow it, live
curl -N -H 'Accept: text/event-stream' \\
  '${url}'

# append to it
curl -H 'Content-Type: ${media}' -d 'hello ' \\
  '${url}'

# stop whoever writes it
curl -X POST -H 'Stream-Closed: true' \\
  -H 'Freshet-Close-Reason: cancelled' \\
  '${url}'

# read what is there, from any offset
curl '${url}?offset=-1'
`,
    sse: `const events = new EventSource("${url}");

// Reconnecting and resuming is the browser's work.
events.onmessage = ({ data }) => console.log(data);

events.addEventListener("stream-closed", ({ data }) => {
  console.log("ended:", JSON.parse(data).reason);
  events.close();
});
`,
    ws: `let offset; // the last one seen is all it takes to resume

function connect() {
  const socket = new WebSocket("${url.replace(/^http/, "ws")}", "freshet.v1.json");
  socket.onopen = () => socket.send(JSON.stringify({ op: "follow", id: 1, offset }));
  socket.onclose = ({ code }) => code !== 1000 && setTimeout(connect, 1000);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    for (const record of message.records ?? []) {
      console.log(record.data);
      offset = record.offset;
    }
    if (message.op === "closed") socket.close(1000);
  };
}
connect();
`,
  };
}

const codes = {};

/** Makes the tabs (ARIA Authoring Practices, pattern "Tabs"). */
export function setUpSnippets() {
  const tabs = Object.entries(titles).map(([id, title]) =>
    make("button", { type: "button", role: "tab", id: `tab-${id}`, textContent: title }));
  const panels = Object.keys(titles).map((id) => {
    codes[id] = make("code", { data: { snippet: id } });
    const panel = make("pre", { role: "tabpanel", id: `snippet-${id}`, tabIndex: 0 }, codes[id]);
    panel.setAttribute("aria-labelledby", `tab-${id}`);
    return panel;
  });
  const select = (chosen) => tabs.forEach((tab, i) => {
    tab.setAttribute("aria-selected", i === chosen);
    tab.setAttribute("aria-controls", panels[i].id);
    tab.tabIndex = i === chosen ? 0 : -1;
    panels[i].hidden = i !== chosen;
  });
  tabs.forEach((tab, i) => {
    tab.onclick = () => select(i);
    tab.onkeydown = ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const next = (i + step + tabs.length) % tabs.length;
      select(next);
      tabs[next].focus();
    };
  });
  select(0);
  const copy = make("button", { type: "button", className: "copy", textContent: "Copy" });
  copy.onclick = () => copyText(panels.find((panel) => !panel.hidden), copy);
  const list = make("div", { role: "tablist" }, ...tabs);
  list.setAttribute("aria-label", "Ways to follow the stream");
  find("#snippets").append(make("div", { className: "tabs" }, list, copy), ...panels);
}

/** Fills the snippets in. */
export function fillSnippets(name, type) {
  for (const [id, text] of Object.entries(write(name, type))) codes[id].textContent = text;
}

/** Copies, or selects where the browser does not let pages copy. */
async function copyText(panel, button) {
  try {
    await navigator.clipboard.writeText(panel.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(panel);
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), copiedWait);
}
