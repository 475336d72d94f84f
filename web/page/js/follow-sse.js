// Following over Server-Sent Events. All of it: the browser reconnects by
// itself and says in Last-Event-ID where it was.

/**
 * Follows a stream and tells the pane what happens.
 * Returns a function that ends it.
 */
export function followSSE(url, pane) {
  const source = new EventSource(url);
  let ended = false;

  source.onopen = () => pane.connected();
  source.onmessage = (event) => pane.received([event.data], event.lastEventId);
  source.addEventListener("stream-gap", (event) => {
    const { why, resumed } = JSON.parse(event.data);
    pane.gap(why, resumed);
  });
  source.addEventListener("stream-closed", (event) => {
    ended = true;
    pane.ended(JSON.parse(event.data).reason);
  });
  source.onerror = () => {
    // After the end the browser comes back once more and is told 204: enough.
    if (ended) return;
    if (source.readyState === EventSource.CLOSED) pane.ended("refused");
    else pane.lost();
  };
  return () => source.close();
}
