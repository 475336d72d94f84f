package dialect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
	"github.com/google/go-cmp/cmp"
)

// outputOf returns the output that readers of a stopped answer are told.
func outputOf(t *testing.T, data ...string) string {
	t.Helper()
	var tally dialect.Tally
	data = append([]string{`{"type":"response.created","sequence_number":0,"response":{"id":"r","output":[]}}`}, data...)
	for _, d := range data {
		tally.Add(dialect.Responses{}.Read(dialect.Event{Data: []byte(d)}))
	}
	ends := dialect.Responses{}.Ends(tally, closed(freshet.Cancelled))
	if len(ends) != 1 {
		t.Fatalf("got %v", ends)
	}
	var end struct {
		Response struct {
			Output json.RawMessage `json:"output"`
		} `json:"response"`
	}
	if err := json.Unmarshal(ends[0].Data, &end); err != nil {
		t.Fatal(err)
	}
	return string(end.Response.Output)
}

func TestOutputOfAStoppedAnswer(t *testing.T) {
	message := `{"type":"response.output_item.added","output_index":0,"item":{"id":"m","type":"message","status":"in_progress","content":[]}}`
	for name, test := range map[string]struct {
		data []string
		want string
	}{
		"nothing": {nil, `[]`},
		"text, then a refusal": {
			[]string{
				message,
				`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"a"}`,
				`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"b"}`,
				`{"type":"response.refusal.delta","output_index":0,"content_index":1,"delta":"no"}`,
			},
			`[{"content":[{"type":"output_text","text":"ab","annotations":[]},{"type":"refusal","refusal":"no"}],"id":"m","status":"incomplete","type":"message"}]`,
		},
		"half of a call": {
			[]string{
				`{"type":"response.output_item.added","output_index":0,"item":{"id":"f","type":"function_call","status":"in_progress","arguments":"","name":"n"}}`,
				`{"type":"response.function_call_arguments.delta","output_index":0,"delta":"{\"a\":"}`,
			},
			`[{"arguments":"{\"a\":","id":"f","name":"n","status":"incomplete","type":"function_call"}]`,
		},
		"an item that is done stays as it is": {
			[]string{
				message,
				`{"type":"response.output_item.done","output_index":0,"item":{"id":"m","type":"message","status":"completed","content":[]}}`,
				`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"late"}`,
			},
			`[{"id":"m","type":"message","status":"completed","content":[]}]`,
		},
		"indexes that nothing led to": {
			[]string{
				`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"a"}`,
				`{"type":"response.output_item.added","output_index":7,"item":{}}`,
				`{"type":"response.output_item.added","output_index":-1,"item":{}}`,
				`{"type":"response.output_item.added","output_index":0,"item":null}`,
				`{"type":"response.output_text.delta","output_index":0,"content_index":9,"delta":"a"}`,
			},
			`[]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, outputOf(t, test.data...)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestResponseAsItIs(t *testing.T) {
	var tally dialect.Tally
	if got := tally.Response(); got != nil {
		t.Errorf("before all: %s", got)
	}
	for _, step := range []struct{ data, want string }{
		{`{"type":"response.created","response":{"id":"r","status":"in_progress","output":[]}}`,
			`{"id":"r","output":[],"status":"in_progress"}`},
		{`{"type":"response.output_item.added","output_index":0,"item":{"type":"message"}}`,
			`{"id":"r","output":[{"type":"message"}],"status":"in_progress"}`},
		{`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"a"}`,
			`{"id":"r","output":[{"content":[{"type":"output_text","text":"a","annotations":[]}],"type":"message"}],"status":"in_progress"}`},
		{`{"type":"error","message":"no"}`,
			`{"id":"r","output":[{"content":[{"type":"output_text","text":"a","annotations":[]}],"type":"message"}],"status":"failed"}`},
		{`{"type":"response.completed","response":{"the":"end"}}`, `{"the":"end"}`},
	} {
		tally.Add(dialect.Responses{}.Read(dialect.Event{Data: []byte(step.data)}))
		if diff := cmp.Diff(step.want, string(tally.Response())); diff != "" {
			t.Errorf("after %s (-want +got)\n%s", step.data, diff)
		}
	}
}

func TestOutputIsBounded(t *testing.T) {
	data := []string{`{"type":"response.output_item.added","output_index":0,"item":{"type":"message"}}`}
	delta := fmt.Sprintf(`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":%q}`, strings.Repeat("x", 64<<10))
	for range 20 {
		data = append(data, delta)
	}
	if n := len(outputOf(t, data...)); n < 900<<10 || n > 1100<<10 {
		t.Errorf("%d bytes of output are kept", n)
	}
}

func TestSequenceGoesOn(t *testing.T) {
	var tally dialect.Tally
	for _, data := range []string{
		`{"type":"response.created","sequence_number":0,"response":{"id":"r"}}`,
		`{"type":"response.output_text.delta","sequence_number":41,"delta":"a"}`,
		`{"type":"response.output_text.delta","sequence_number":9223372036854775807,"delta":"a"}`,
	} {
		tally.Add(dialect.Responses{}.Read(dialect.Event{Data: []byte(data)}))
	}
	f := dialect.Responses{}.Read(dialect.Responses{}.Ends(tally, closed(freshet.Failed))[0])
	if !f.Numbered || f.Sequence != 42 || f.ID != "r" {
		t.Errorf("got %+v", f)
	}
}
