// @microsoft/fetch-event-source, until a response ends cleanly. It is made for
// browsers and wants these two in Node. It loses the empty lines that data begins
// with, so that text is asked for as JSON strings.
globalThis.window = globalThis;
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };

const { fetchEventSource } = await import("@microsoft/fetch-event-source");
const { end, event, json, opened, url } = await import("./app.mjs");

await fetchEventSource(json ? url : url + "?encoding=json", {
  async onopen(response) {
    if (response.status !== 200) throw new Error(`the server answered ${response.status}`);
    opened();
  },
  onmessage: ({ event: type, data }) => {
    // It also gives blocks that have only an id, which carry nothing.
    if (data === "") return;
    event(type || "message", json || type ? data : JSON.parse(data));
  },
});
end("clean end");
