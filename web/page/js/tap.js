// A tap: one more WebSocket, over which the server shows what it writes to the
// connections whose random words are known here.

const reopenWait = 1000;
const openWait = 800;

/** Returns a word that nobody else can guess. */
export function newTap() {
  return crypto.getRandomValues(new Uint32Array(4)).reduce((word, n) => word + n.toString(36).padStart(7, "0"), "");
}

/**
 * Watches connections. views says for each tap which Bytes to show them in, and
 * servers who is told the server's name. Resolves once it watches, or soon if
 * it does not get to; the result ends it.
 */
export function watch(views, onserver) {
  const query = Object.keys(views).map((tap) => `tap=${tap}`).join("&");
  const url = `${location.origin.replace(/^http/, "ws")}/v1/demo/tap?${query}`;
  let socket, timer;
  let over = false;

  const stop = () => {
    over = true;
    clearTimeout(timer);
    socket.close();
  };
  const connect = (ready) => {
    socket = new WebSocket(url);
    socket.onopen = ready;
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      const view = views[message.tap];
      if (over || !view) return;
      if (message.open) {
        view.open(message.open);
        onserver(message.tap, message.open.server);
      } else if (message.bytes) view.written(decode(message.bytes));
      else if (message.dropped) view.dropped(message.dropped);
      else if (message.end) view.end(message.end);
    };
    socket.onclose = () => {
      if (!over) timer = setTimeout(connect, reopenWait, () => {});
    };
  };
  return new Promise((resolve) => {
    connect(() => resolve(stop));
    setTimeout(resolve, openWait, stop);
  });
}

function decode(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}
