// npm's eventsource, until the server's 204 stops it.
import { EventSource } from "eventsource";
import { end, event, opened, url } from "./app.mjs";

const source = new EventSource(url);
source.onopen = opened;
for (const type of ["message", "stream-gap", "stream-closed"]) {
  source.addEventListener(type, ({ data }) => event(type, data));
}
source.onerror = ({ code }) => {
  if (source.readyState === source.CLOSED) end(code);
};
