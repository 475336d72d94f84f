// npm's eventsource-client, until the server's 204 ends its iteration.
import { createEventSource } from "eventsource-client";
import { end, event, opened, url } from "./app.mjs";

const source = createEventSource({ url, onConnect: opened });
for await (const message of source) event(message.event ?? "message", message.data);
end(source.readyState);
