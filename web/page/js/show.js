// Shows one stream in both panes, until another is to be shown.

import { streamPath } from "./api.js";
import { followSSE } from "./follow-sse.js";
import { followWebSocket } from "./follow-websocket.js";
import { newTap, watch } from "./tap.js";

/** Returns whether the server shows and cuts the connections of a stream. */
const isDemo = (name) => name.startsWith("demo/");

/**
 * Follows a stream of a content type in both panes. Resolves to a function that
 * ends it.
 */
export async function show(name, type, panes, server) {
  const taps = { sse: newTap(), ws: newTap() };
  const tapped = isDemo(name);
  for (const pane of Object.values(panes)) {
    pane.reset({ joined: /^text\/(?!event-stream)/i.test(type), cuttable: tapped, server });
  }
  panes.sse.tap = taps.sse;
  panes.ws.tap = taps.ws;

  let unwatch = () => {};
  if (tapped) {
    const byTap = { [taps.sse]: panes.sse, [taps.ws]: panes.ws };
    const views = { [taps.sse]: panes.sse.bytes, [taps.ws]: panes.ws.bytes };
    unwatch = await watch(views, (tap, name) => name && byTap[tap].server(name));
  }
  const url = (tap) => location.origin + streamPath(name) + (tapped ? `?tap=${tap}` : "");
  const unfollow = [
    followSSE(url(taps.sse), panes.sse),
    followWebSocket(url(taps.ws).replace(/^http/, "ws"), panes.ws),
  ];
  return () => {
    for (const end of unfollow) end();
    unwatch();
  };
}
