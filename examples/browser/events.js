// events yields the server-sent events of a response's body as { id, data }.
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = { id: "", data: "" };
      for (const line of block.split("\n")) {
        const [name] = line.split(": ", 1);
        if (name in fields) fields[name] = line.slice(name.length + 2);
      }
      if (fields.data) yield fields;
    }
  }
}
