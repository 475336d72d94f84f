// What the tests have a page do, with the browser's own EventSource, WebSocket
// and fetch. Each function adds to what it is given: data, a list of strings,
// and opens, gaps, reason and stopped.
const blank = () => ({ data: [], opens: 0, gaps: 0, reason: "", stopped: "" });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// followEvents follows until the server's 204 stops the browser.
function followEvents(url, got) {
  return new Promise((resolve) => {
    const source = new EventSource(url);
    source.onopen = () => got.opens++;
    source.onmessage = ({ data }) => got.data.push(data);
    source.addEventListener("stream-gap", () => got.gaps++);
    source.addEventListener("stream-closed", ({ data }) => (got.reason = JSON.parse(data).reason));
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      got.stopped = "closed";
      resolve(got);
    };
  });
}

// followSocket follows, resuming after each cut, until it is told the end.
async function followSocket(url, got) {
  let offset;
  const follow = () =>
    new Promise((resolve) => {
      const socket = new WebSocket(url.replace("http", "ws"), "freshet.v1.json");
      socket.onopen = () => {
        got.opens++;
        socket.send(JSON.stringify({ op: "follow", id: 1, offset }));
      };
      socket.onmessage = (event) => {
        const message = JSON.parse(event.data);
        for (const record of message.records ?? []) {
          got.data.push(typeof record.data === "string" ? record.data : JSON.stringify(record.data));
          offset = record.offset;
        }
        if (message.op === "gap") got.gaps++;
        if (message.op !== "closed") return;
        got.reason = message.reason;
        socket.close(1000);
      };
      socket.onclose = ({ code }) => resolve(String(code));
    });
  while (!got.reason) {
    got.stopped = await follow();
    if (!got.reason) await pause(100);
  }
  return got;
}

// followSet follows the streams through one POST /v1/follow, sent again with
// the last id after each cut, until a response ends cleanly. got has for each
// stream what the other functions have for theirs.
async function followSet(names, got) {
  const body = JSON.stringify({ streams: names.map((stream) => ({ stream, offset: "-1" })) });
  let lastEventId;
  const take = (block) => {
    const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
    if (fields.data) {
      const event = JSON.parse(fields.data);
      const stream = got[event.stream];
      if (fields.event === "record") stream.data.push(JSON.stringify(event.data));
      else if (fields.event === "stream-gap") stream.gaps++;
      else if (fields.event === "stream-closed") stream.reason = event.reason;
    }
    lastEventId = fields.id ?? lastEventId;
  };
  const follow = async () => {
    const headers = lastEventId ? { "Last-Event-ID": lastEventId } : {};
    const response = await fetch("/v1/follow", { method: "POST", body, headers });
    if (response.status !== 200) throw new Error(`the server answered ${response.status}`);
    got.opens++;
    // Not through a TextDecoderStream: what is in a pipe when its source fails is
    // lost to the page.
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (let rest = ""; ; ) {
      const { done, value } = await reader.read();
      if (done) return true;
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = blocks.pop();
      blocks.forEach(take);
    }
  };
  while (!(await follow().catch(() => pause(100)))) {}
  got.stopped = "clean end";
  return got;
}

// append appends as a named producer, again and again until it is answered. A
// browser counts connections without credentials apart from those with them, so
// that it has one even if followers have taken all six.
async function append(name, seq, body, headers = {}) {
  for (;;) {
    try {
      const response = await fetch("/v1/stream/" + name, {
        method: "POST",
        credentials: "omit",
        body,
        headers: {
          "Content-Type": "application/json",
          "Producer-Id": "page",
          "Producer-Epoch": "0",
          "Producer-Seq": String(seq),
          ...headers,
        },
      });
      if (!response.ok) throw new Error(`append ${seq} to ${name}: ${response.status} ${await response.text()}`);
      return;
    } catch (error) {
      // What the network does to a request is a TypeError.
      if (!(error instanceof TypeError)) throw error;
      await pause(50);
    }
  }
}

// followMany follows some streams by an EventSource each and others as a set,
// and, once all of that is open, appends to all and closes them with the last
// record.
async function followMany(single, set, records) {
  const got = { set: { opens: 0 } };
  const ends = single.map((name) => followEvents("/v1/stream/" + name, (got[name] = blank())));
  if (set.length > 0) {
    for (const name of set) got.set[name] = blank();
    ends.push(followSet(set, got.set));
  }
  while ([...single.map((name) => got[name]), ...(set.length > 0 ? [got.set] : [])].some(({ opens }) => opens === 0)) {
    await pause(10);
  }
  for (const [seq, record] of records.entries()) {
    const headers = seq === records.length - 1 ? { "Stream-Closed": "true" } : {};
    for (const name of [...single, ...set]) await append(name, seq, record, headers);
  }
  await Promise.all(ends);
  return [...single.map((name) => got[name]), ...set.map((name) => ({ ...got.set[name], opens: got.set.opens, stopped: got.set.stopped }))];
}
