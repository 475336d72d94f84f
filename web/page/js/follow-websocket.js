// Following over WebSocket. A WebSocket does not come back by itself, so this
// opens the next one, and asks for what comes after the last offset.

const backoff = { first: 250, most: 5000 };

/**
 * Follows a stream and tells the pane what happens.
 * Returns a function that ends it.
 */
export function followWebSocket(url, pane) {
  let socket, timer, offset;
  let wait = backoff.first;
  let over = false;

  const end = (reason) => {
    over = true;
    pane.ended(reason);
    socket.close();
  };

  const hear = {
    records: ({ records }) => {
      offset = records.at(-1).offset;
      pane.received(records.map(show), offset);
    },
    gap: ({ why, resumed }) => {
      offset = resumed;
      pane.gap(why, resumed);
    },
    closed: ({ reason }) => end(reason),
    error: ({ code, message }) => {
      pane.failed(message);
      end(code === "not_found" ? "unknown" : "refused");
    },
  };

  const connect = () => {
    socket = new WebSocket(url, "freshet.v1.json");
    socket.onopen = () => {
      wait = backoff.first;
      socket.send(JSON.stringify({ op: "follow", id: 1, offset }));
      pane.connected();
    };
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (!over) hear[message.op]?.(message);
    };
    socket.onclose = () => {
      if (over) return;
      pane.lost();
      timer = setTimeout(connect, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, backoff.most);
    };
  };

  connect();
  return () => {
    over = true;
    clearTimeout(timer);
    socket.close();
  };
}

/** Returns a record's data as text. */
function show({ data }) {
  return typeof data === "string" ? data : JSON.stringify(data);
}
