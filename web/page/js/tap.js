// Taps: what servers write to the connections whose random words are known here.
// Each tap is a stream of its own. The server that has the connection appends to
// it, and this follows it from wherever the page is connected.

const reopenWait = 1000;
/** How long a stream is waited for, in seconds, until it is asked for again. */
const streamWait = 300;
const streams = "demo/tap-";

/** Returns a word that nobody else can guess. */
export function newTap() {
  return crypto.getRandomValues(new Uint32Array(4)).reduce((word, n) => word + n.toString(36).padStart(7, "0"), "");
}

/** Returns whether a stream is that of a tap. */
export const isTap = (stream) => stream.startsWith(streams);

/**
 * Watches connections. panes says for each tap which Pane its connection is of.
 * Returns a function that ends it.
 */
export function watch(panes) {
  const offsets = {};
  const connections = {};
  let socket, timer;
  let over = false;

  const follow = (tap) => {
    const { [tap]: offset } = offsets;
    socket.send(JSON.stringify({ op: "follow", id: tap, stream: streams + tap, offset, wait: streamWait }));
  };
  const show = (tap, { conn, open, bytes, dropped, end }) => {
    const pane = panes[tap];
    if (open) {
      connections[tap] = conn;
      pane.bytes.open(open);
      pane.server(open.server);
    }
    // A server that was slow to notice an end tells it when the next one has begun.
    if (conn !== connections[tap]) return;
    if (bytes) pane.bytes.written(decode(bytes));
    if (dropped) pane.bytes.dropped(dropped);
    if (end) pane.bytes.end(end);
  };
  const hear = {
    records: (tap, { records }) => {
      for (const { offset, data } of records) {
        offsets[tap] = offset;
        show(tap, data);
      }
    },
    gap: (tap, { resumed }) => { offsets[tap] = resumed; },
    // The stream is gone, or did not come: it will, with the next connection.
    closed: (tap) => {
      delete offsets[tap];
      follow(tap);
    },
    error: (tap, { code }) => {
      if (code === "not_found") follow(tap);
      else socket.close();
    },
  };
  const connect = () => {
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/v1/ws`, "freshet.v1.json");
    socket.onopen = () => Object.keys(panes).forEach(follow);
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      const tap = message.id ?? message.stream?.slice(streams.length);
      if (!over && tap in panes) hear[message.op]?.(tap, message);
    };
    socket.onclose = () => {
      if (!over) timer = setTimeout(connect, reopenWait);
    };
  };

  connect();
  return () => {
    over = true;
    clearTimeout(timer);
    socket.close();
  };
}

function decode(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}
