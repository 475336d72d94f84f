// Shows one stream in both panes, until another is to be shown.

import { streamPath } from "./api.js";
import { followSSE } from "./follow-sse.js";
import { followWebSocket } from "./follow-websocket.js";
import { isTap, newTap, watch } from "./tap.js";

/** Returns whether servers show and cut the connections of a stream. */
const isTapped = (name) => name.startsWith("demo/") && !isTap(name);

/**
 * Follows a stream of a content type in both panes. Returns a function that
 * ends it.
 */
export function show(name, type, panes) {
  const tapped = isTapped(name);
  const byTap = {};
  for (const pane of Object.values(panes)) {
    pane.reset({ joined: /^text\/(?!event-stream)/i.test(type), tapped });
    pane.tap = newTap();
    byTap[pane.tap] = pane;
  }
  const url = ({ tap }) => location.origin + streamPath(name) + (tapped ? `?tap=${tap}` : "");
  const ends = [
    followSSE(url(panes.sse), panes.sse),
    followWebSocket(url(panes.ws).replace(/^http/, "ws"), panes.ws),
  ];
  if (tapped) ends.push(watch(byTap));
  return () => {
    for (const end of ends) end();
  };
}
