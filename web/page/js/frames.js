// Cuts the bytes of a WebSocket, from server to client, into its frames
// (RFC 6455, section 5.2), after the head of the HTTP response before them.

const http = [..."HTTP/"].map((c) => c.charCodeAt(0));

export class Frames {
  #rest = new Uint8Array(0);
  #begun = false;
  #decoder = new TextDecoder();

  /** Returns the frames that are complete now: their head in hexadecimal, and their text. */
  take(bytes) {
    const joined = new Uint8Array(this.#rest.length + bytes.length);
    joined.set(this.#rest);
    joined.set(bytes, this.#rest.length);
    this.#rest = joined;
    const out = this.#begun ? [] : this.#response();
    for (let frame; (frame = this.#frame()); ) out.push(frame);
    return out;
  }

  /** Takes the lines of the HTTP response, if the bytes begin with one. */
  #response() {
    this.#begun = true;
    if (!http.every((c, i) => this.#rest[i] === c)) return [];
    const text = new TextDecoder("latin1").decode(this.#rest);
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      this.#begun = false;
      return [];
    }
    this.#rest = this.#rest.subarray(end + 4);
    return text.slice(0, end).split("\r\n").map((line) => ({ text: line }));
  }

  /** Takes one frame, or nothing if it is not complete. */
  #frame() {
    const bytes = this.#rest;
    if (bytes.length < 2) return undefined;
    const short = bytes[1] & 0x7f;
    const size = { 126: 4, 127: 10 }[short] ?? 2;
    if (bytes.length < size) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const length = size === 2 ? short : size === 4 ? view.getUint16(2) : Number(view.getBigUint64(2));
    if (bytes.length < size + length) return undefined;
    this.#rest = bytes.subarray(size + length);
    const head = [...bytes.subarray(0, size)].map((b) => b.toString(16).padStart(2, "0")).join(" ");
    const payload = bytes.subarray(size, size + length);
    const isClose = (bytes[0] & 0x0f) === 8;
    const text = isClose && length >= 2
      ? `${view.getUint16(size)} ${this.#decoder.decode(payload.subarray(2))}`
      : this.#decoder.decode(payload);
    return { head, text: text.trimEnd() };
  }
}
