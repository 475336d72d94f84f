// Follows a stream with npm's eventsource until the server tells it to stop,
// and prints what it got: node follow-eventsource.mjs URL
import { EventSource } from "eventsource";

const got = { text: "", opens: 0, gaps: 0, reason: null, stopped: null };
const source = new EventSource(process.argv[2]);

source.onopen = () => got.opens++;
source.onmessage = ({ data }) => (got.text += data);
source.addEventListener("stream-gap", () => got.gaps++);
source.addEventListener("stream-closed", ({ data }) => (got.reason = JSON.parse(data).reason));
source.onerror = ({ code }) => {
  if (source.readyState !== source.CLOSED) return;
  got.stopped = code;
  console.log(JSON.stringify(got));
};
