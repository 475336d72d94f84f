package origin

import (
	"encoding/json"
	"strings"
	"testing"
)

// The last text is found where the formats have any, and no deeper: a caller who
// nests lists would have all of them read as often as they are deep.
func TestContent(t *testing.T) {
	const nest = 9000
	for body, want := range map[string]string{
		`"a"`:  "a",
		`null`: "",
		`[{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"image"}]`:                   "b",
		`[{"role":"user","content":"a"},{"role":"user","content":[{"text":"b"}]}]`:                   "b",
		`[{"role":"user","content":[{"type":"tool_result","content":[{"text":"a"}]}]}]`:              "a",
		`[{"content":[{"content":[{"content":"a"}]}]}]`:                                              "a",
		`[{"content":[{"content":[{"content":["a"]}]}]}]`:                                            "",
		strings.Repeat(`[{"content":`, nest/2) + `"a"` + strings.Repeat(`}]`, nest/2):                "",
		`[{"text":"b","content":` + strings.Repeat(`[`, nest) + strings.Repeat(`]`, nest) + `}, {}]`: "!",
	} {
		var c content
		err := json.Unmarshal([]byte(body), &c)
		if failed := want == "!"; (err != nil) != failed || !failed && string(c) != want {
			t.Errorf("%.80s: got %q, %v", body, c, err)
		}
	}
}
