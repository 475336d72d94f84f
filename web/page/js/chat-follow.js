// Following an answer with EventSource: the stream has the upstream's own chunks,
// from the first on, and the browser comes back to it by itself.

import { contentType, streamPath } from "./api.js";

/** How long to wait before following anew where the browser has given up. */
const anewWait = 2000;

/**
 * Follows an answer and tells of it:
 *
 *     on.begin()         it comes from its beginning
 *     on.state(state)    live or reconnecting
 *     on.chunk(chunk)    a chunk of it
 *     on.end(reason)     its end, after which nothing is told
 *
 * Returns a function that ends the following.
 */
export function follow(name, on) {
  let source, timer, ended = false;
  const end = (reason) => {
    leave();
    on.end(reason);
  };
  const leave = () => {
    ended = true;
    source.close();
    clearTimeout(timer);
  };
  const take = ({ data }) => {
    if (data === "[DONE]") return;
    try {
      on.chunk(JSON.parse(data));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  };

  const connect = () => {
    on.begin();
    source = new EventSource(streamPath(name));
    source.onopen = () => on.state("live");
    source.onmessage = take;
    source.addEventListener("stream-gap", ({ data }) => {
      // What is gone for good leaves what was shown.
      if (JSON.parse(data).resumed !== "-1") on.begin();
    });
    source.addEventListener("stream-closed", ({ data }) => end(JSON.parse(data).reason));
    source.onerror = (event) => {
      if (event instanceof MessageEvent) take(event); // an event of the upstream that is called error
      else if (source.readyState === EventSource.CLOSED) given();
      else on.state("reconnecting");
    };
  };

  /** The browser has given up: there is no such stream, or something was in the way. */
  const given = async () => {
    const type = await contentType(name).catch(() => "away");
    if (ended) return;
    if (!type) return end("unknown");
    on.state("reconnecting");
    timer = setTimeout(connect, anewWait);
  };

  connect();
  return leave;
}
