package e2e

import (
	"context"
	"strings"
	"testing"
)

// drawAsItComes draws texts that are made of pieces as they come, and as a whole,
// and returns those which then differ. A tilde stands for a backtick.
const drawAsItComes = `(async () => {
  window.setTimeout = (draw) => { draw(); }; // at once, with every piece
  const { Markdown } = await import("/js/markdown.js");
  const pieces = ["# ", "\n", "\n\n", "- ", "1. ", "  ", "    ", "> ", "~~~", "~", "*", "**", "_", "~~", "word", " ", "two words", "|", "\n|-|-|\n",
    "<b>", "<!--", "---", "===", "\\", "&amp;", "[a](https://a.example)", "![", "](", ")", "[ ] ", "https://b.example", "\r\n", "\t", "é👩‍🚀", "$"];
  let seed = 1;
  const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
  const differing = [];
  for (let i = 0; i < 1000; i++) {
    const text = Array.from({ length: 1 + random(40) }, () => pieces[random(pieces.length)]);
    const boxes = [0, 1, 2].map(() => document.createElement("div"));
    const [coming, ended, whole] = boxes.map((box) => new Markdown(box));
    for (const piece of text) {
      coming.append(piece);
      ended.append(piece);
    }
    ended.end();
    whole.append(text.join(""));
    const drawn = boxes.map((box) => (box.normalize(), box.innerHTML));
    if (new Set(drawn).size > 1) differing.push(JSON.stringify(text.join("")) + "\n" + drawn.join("\n"));
  }
  return differing;
})()`

// What is drawn as it comes is what the whole becomes, at any time.
func testChatMarkdown(t *testing.T, browser context.Context) {
	p := openTab(t, browser, startServer(t).url+"/chat")
	for _, text := range eval[[]string](p, strings.ReplaceAll(drawAsItComes, "~", "`")) {
		t.Errorf("drawn as it comes, at its end and as a whole: %s", text)
	}
}
