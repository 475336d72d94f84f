// Where what was posted by hand went: the server that took it, and those from
// which the panes received it.

import { find, make } from "./dom.js";
import { areMany, badge } from "./servers.js";

const most = 3;
const box = find("#trips");
const names = { sse: "SSE", ws: "WebSocket" };

/** Forgets all trips. */
export function clearTrips() {
  box.replaceChildren();
  box.hidden = true;
}

/**
 * Shows a post that began at a time and was answered, as it arrives in the panes.
 * again posts the same once more.
 */
export async function showTrip({ begun, response, panes, again }) {
  const posted = response.headers.get("Freshet-Server");
  const offset = response.headers.get("Stream-Next-Offset");
  if (!areMany() || !posted || !offset) return;
  const trip = make("li", { data: { trip: "", posted } }, make("span", {}, "posted at ", badge(posted)));
  box.prepend(trip);
  while (box.childElementCount > most) box.lastElementChild.remove();
  box.hidden = false;
  const received = await Promise.all(Object.entries(panes).map(async ([kind, pane]) => {
    const { server, at } = await pane.reached(offset);
    const took = `${Math.max(1, Math.round(at - begun))} ms`;
    const where = server ? ["at ", badge(server)] : ["at a server that is not known"];
    trip.append(make("span", { data: { received: kind, server } }, `received over ${names[kind]} `, ...where, ` after ${took}`));
    return server;
  }));
  trip.dataset.trip = received.some((server) => server && server !== posted) ? "across" : "home";
  if (trip.dataset.trip === "across") return;
  const button = make("button", { type: "button", onclick: again }, "Post it again");
  trip.append(make("span", {}, "The balancer chose the panes’ own server. ", button));
}
