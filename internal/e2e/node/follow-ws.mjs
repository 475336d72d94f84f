// Follows a stream with npm's ws, resuming after each cut, and prints what it
// got: node follow-ws.mjs URL
import WebSocket from "ws";

const got = { text: "", opens: 0, gaps: 0, reason: null };
let offset;

function connect() {
  const socket = new WebSocket(process.argv[2], "freshet.v1.json");
  socket.on("open", () => {
    got.opens++;
    socket.send(JSON.stringify({ op: "follow", id: 1, offset }));
  });
  socket.on("message", (raw) => {
    const message = JSON.parse(raw);
    for (const record of message.records ?? []) {
      got.text += record.data;
      offset = record.offset;
    }
    if (message.op === "gap") got.gaps++;
    if (message.op !== "closed") return;
    got.reason = message.reason;
    socket.close();
    console.log(JSON.stringify(got));
  });
  socket.on("error", () => {});
  socket.on("close", () => got.reason ?? setTimeout(connect, 100));
}

connect();
