// undici's EventSource, until the server's 204 stops it. Its timer alone does not
// keep a process running, which a server for example has other reasons to do.
import { EventSource } from "undici";
import { end, event, opened, url } from "./app.mjs";

const running = setInterval(() => {}, 60_000);
const source = new EventSource(url);
source.onopen = opened;
for (const type of ["message", "stream-gap", "stream-closed"]) {
  source.addEventListener(type, ({ data }) => event(type, data));
}
source.onerror = () => {
  if (source.readyState !== EventSource.CLOSED) return;
  clearInterval(running);
  end("closed");
};
