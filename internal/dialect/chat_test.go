package dialect_test

import (
	"encoding/json"
	"testing"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
	"github.com/google/go-cmp/cmp"
)

func TestChatReads(t *testing.T) {
	for data, want := range map[string]dialect.Facts{
		`[DONE]`: {End: freshet.Completed},
		`{"id":"c1","model":"m","choices":[{"delta":{"role":"assistant","content":""}}]}`:    {ID: "c1", Model: "m"},
		`{"id":"c1","choices":[{"delta":{"content":"a"}}],"usage":null,"error":null}`:        {ID: "c1", Text: true},
		`{"id":"c1","choices":[{"delta":{"refusal":"no"}}]}`:                                 {ID: "c1", Text: true},
		`{"id":"c1","choices":[{"delta":{"reasoning_content":"hm"}}]}`:                       {ID: "c1", Text: true, Thought: true},
		`{"id":"c1","choices":[{"delta":{"tool_calls":[{"index":0}]}}]}`:                     {ID: "c1", Text: true},
		`{"id":"c1","choices":[{"delta":{},"finish_reason":"length"}]}`:                      {ID: "c1", Finish: "length"},
		`{"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}`:         {ID: "c1", Usage: dialect.Usage{Input: 3, Output: 5}},
		`{"error":{"message":"overloaded","type":"server_error","param":null,"code":"503"}}`: {End: freshet.Failed},
		`{"id":7,"model":"m","choices":[{"delta":{"content":"a"}}]}`:                         {Model: "m", Text: true},
		`not JSON`: {},
		``:         {},
	} {
		got := dialect.Chat{}.Read(dialect.Event{Data: []byte(data)})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", data, diff)
		}
	}
}

func TestChatEnds(t *testing.T) {
	closed := freshet.Closure{Closing: freshet.Closing{
		Reason: freshet.Failed,
		Detail: []byte(`{"code":"upstream_stalled","message":"The upstream was silent for 60s.","status":200}`),
	}}
	events := dialect.Chat{}.Ends(dialect.Tally{}, closed)
	if len(events) != 1 || events[0].Type != "" {
		t.Fatalf("got %v", events)
	}
	want := `{"error":{"message":"The upstream was silent for 60s.","type":"server_error","param":null,"code":"upstream_stalled"}}`
	if got := string(events[0].Data); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestEndsAreTold holds for every dialect: an end that the upstream has not told
// is told once, as an end, in valid JSON; one that it has told is not told again.
func TestEndsAreTold(t *testing.T) {
	reasons := map[freshet.Reason]string{
		freshet.Failed: "upstream_error", freshet.Cancelled: "cancelled", freshet.Interrupted: "interrupted",
	}
	for _, d := range dialects {
		for reason, code := range reasons {
			closed := freshet.Closure{Closing: freshet.Closing{Reason: reason}}
			var tally dialect.Tally
			events := d.Ends(tally, closed)
			ends := 0
			for _, e := range events {
				var v any
				if err := json.Unmarshal(e.Data, &v); err != nil {
					t.Errorf("%T, %s: %v in %s", d, reason, err, e.Data)
				}
				if !jsonContains(v, code) {
					t.Errorf("%T, %s: no %s in %s", d, reason, code, e.Data)
				}
				f := d.Read(e)
				tally.Add(f)
				if f.End != "" {
					ends++
				}
			}
			if ends != 1 {
				t.Errorf("%T, %s: %d ends in %s", d, reason, ends, events)
			}
			if again := d.Ends(tally, closed); len(again) > 0 {
				t.Errorf("%T, %s: told again: %s", d, reason, again)
			}
		}
	}
}

var dialects = []dialect.Dialect{dialect.Chat{}, dialect.Responses{}, dialect.Messages{}, dialect.Generic{}}

func jsonContains(v any, s string) bool {
	switch v := v.(type) {
	case string:
		return v == s
	case map[string]any:
		for _, member := range v {
			if jsonContains(member, s) {
				return true
			}
		}
	}
	return false
}

func TestMeter(t *testing.T) {
	var m dialect.Meter
	for _, data := range []string{
		`{"model":"m","choices":[{"delta":{"content":"a"}}]}`,
		`{"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]}`,
	} {
		m.Add(dialect.Chat{}.Read(dialect.Event{Data: []byte(data)}))
	}
	if n, counted := m.Tokens(); n != 2 || counted {
		t.Errorf("by chunks: got %d, %v", n, counted)
	}
	m.Add(dialect.Chat{}.Read(dialect.Event{Data: []byte(
		`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":5}}}`)}))
	want := dialect.Meter{Usage: dialect.Usage{Input: 9, Output: 7, Cached: 4, Reasoning: 5}, Model: "m", Finish: "stop", Chunks: 2}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if n, counted := m.Tokens(); n != 7 || !counted {
		t.Errorf("by usage: got %d, %v", n, counted)
	}
}
