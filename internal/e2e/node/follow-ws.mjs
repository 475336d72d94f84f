// npm's ws, resuming after each cut until it is told the end.
import WebSocket from "ws";
import { closed, end, gap, json, opened, pause, url, write } from "./app.mjs";

let offset;
let over = false;

function connect() {
  const socket = new WebSocket(url.replace("http", "ws"), "freshet.v1.json");
  socket.on("open", () => {
    opened();
    socket.send(JSON.stringify({ op: "follow", id: 1, offset }));
  });
  socket.on("message", (raw) => {
    const message = JSON.parse(raw);
    for (const record of message.records ?? []) {
      write(json ? JSON.stringify(record.data) : record.data);
      offset = record.offset;
    }
    if (message.op === "gap") gap();
    if (message.op !== "closed") return;
    closed(message.reason);
    over = true;
    socket.close(1000);
  });
  socket.on("error", () => {});
  socket.on("close", async (code) => {
    if (over) return end(code);
    await pause(100);
    connect();
  });
}

connect();
