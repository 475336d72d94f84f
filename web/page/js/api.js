// The requests that the page makes, but for the long ones.

import { note } from "./servers.js";

/** Returns the path at which a stream is. */
export function streamPath(name) {
  const segment = (s) => encodeURIComponent(s).replaceAll("'", "%27");
  return `/v1/stream/${name.split("/").map(segment).join("/")}`;
}

/** Sends a request. The error that it throws says what the server said is wrong. */
export async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", ...options });
  } catch {
    throw new Error("The server does not answer.");
  }
  note(response.headers.get("Freshet-Server"));
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(problem.detail ?? `The server answered ${response.status}.`), {
    status: response.status,
    code: problem.code,
  });
}

/** Starts a producer and returns the name of the stream that it writes. */
export async function startDemo() {
  const response = await request("/v1/demo", { method: "POST" });
  return (await response.json()).stream;
}

/** Returns a stream's content type, or "" if there is no such stream. */
export async function contentType(name) {
  try {
    const { headers } = await request(streamPath(name), { method: "HEAD" });
    return headers.get("Content-Type");
  } catch (error) {
    if (error.status === 404) return "";
    throw error;
  }
}

/** Appends to a stream. */
export function append(name, type, body) {
  return request(streamPath(name), { method: "POST", headers: { "Content-Type": type }, body });
}

/** Stops whatever writes a stream, by closing it. */
export function stop(name) {
  return request(streamPath(name), {
    method: "POST",
    headers: { "Stream-Closed": "true", "Freshet-Close-Reason": "cancelled" },
  });
}

/** Has the server break the connection that has a tap. */
export function cut(tap) {
  return request("/v1/demo/cut", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ tap }),
  });
}

/** Returns streams in order of name. */
export async function list(prefix, limit) {
  const query = new URLSearchParams({ prefix, limit });
  return (await (await request(`/v1/streams?${query}`)).json()).streams;
}

/** Returns what is stored of a stream of text, page by page until its tail. */
export async function read(name) {
  const decoder = new TextDecoder();
  let text = "";
  for (let offset = "-1"; ; ) {
    const response = await request(`${streamPath(name)}?offset=${offset}`);
    text += decoder.decode(await response.arrayBuffer(), { stream: true });
    offset = response.headers.get("Stream-Next-Offset");
    if (response.headers.has("Stream-Up-To-Date")) return text + decoder.decode();
  }
}
