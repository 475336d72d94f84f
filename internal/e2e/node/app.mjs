// What the scripts beside this one have in common, as any application might: it
// follows the stream at a URL, writes what it is given to stdout (JSON records
// one a line), and ends with a report, as JSON, on the last line of stderr.
//
//	node follow-CLIENT.mjs URL json|text [MODE]
export const [url, content, mode] = process.argv.slice(2);
export const json = content === "json";

const report = { opens: 0, gaps: 0, reason: "", stopped: "" };

export function opened() {
  report.opens++;
}

export function write(data) {
  process.stdout.write(json ? data + "\n" : data);
}

// event takes a server-sent event of a stream's URL, and reports whether it was
// the last.
export function event(type, data) {
  if (type === "stream-gap") report.gaps++;
  else if (type === "stream-closed") closed(JSON.parse(data).reason);
  else write(data);
  return type === "stream-closed";
}

export function gap() {
  report.gaps++;
}

export function closed(reason) {
  report.reason = reason;
}

// end writes the report. The process then ends because nothing is left to do,
// which shows that the client has stopped.
export function end(stopped) {
  report.stopped = String(stopped);
  console.error(JSON.stringify(report));
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
