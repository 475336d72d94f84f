package dialect_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/internal/dialect"
	"github.com/google/go-cmp/cmp"
)

func TestParseTurn(t *testing.T) {
	turn, err := dialect.ParseTurn([]byte(`{
		"id":"chat-1","trigger":"submit-message","messageId":"x","model":"m","temperature":0.5,"stream":false,
		"messages":[
			{"id":"0","role":"system","parts":[{"type":"text","text":"Be brief."}]},
			{"id":"1","role":"user","parts":[{"type":"text","text":"What is"},{"type":"text","text":" this?"}]},
			{"id":"2","role":"assistant","parts":[
				{"type":"step-start"},
				{"type":"reasoning","text":"hm"},
				{"type":"text","text":"Looking."},
				{"type":"tool-look","toolCallId":"a","state":"output-available","input":{"at": "it"},"output":{"seen":"<cat>"}},
				{"type":"dynamic-tool","toolName":"hear","toolCallId":"b","state":"output-error","rawInput":"{\"x","errorText":"deaf"},
				{"type":"tool-smell","toolCallId":"c","state":"input-available","input":{}},
				{"type":"tool-web_search","toolCallId":"d","state":"output-available","providerExecuted":true,"input":{},"output":[]},
				{"type":"step-start"},
				{"type":"source-url","sourceId":"s","url":"https://example.com/"},
				{"type":"text","text":"A cat.","state":"done"}
			]},
			{"id":"3","role":"assistant","parts":[{"type":"step-start"}]},
			{"id":"4","role":"user","parts":[
				{"type":"text","text":"And these?"},
				{"type":"file","mediaType":"image/png","url":"data:image/png;base64,AA=="},
				{"type":"file","mediaType":"application/pdf","filename":"a.pdf","url":"data:application/pdf;base64,AA=="}
			]}
		]}`), "default")
	if err != nil {
		t.Fatal(err)
	}
	if turn.Chat != "chat-1" || turn.Message != "" {
		t.Errorf("got %+v", turn)
	}
	want := `{"model":"m","temperature":0.5,"stream":true,"stream_options":{"include_usage":true},"messages":[
		{"role":"system","content":"Be brief."},
		{"role":"user","content":"What is this?"},
		{"role":"assistant","content":"Looking.","tool_calls":[
			{"id":"a","type":"function","function":{"name":"look","arguments":"{\"at\":\"it\"}"}},
			{"id":"b","type":"function","function":{"name":"hear","arguments":"\"{\\\"x\""}}]},
		{"role":"tool","content":"{\"seen\":\"<cat>\"}","tool_call_id":"a"},
		{"role":"tool","content":"deaf","tool_call_id":"b"},
		{"role":"assistant","content":"A cat."},
		{"role":"user","content":[
			{"type":"text","text":"And these?"},
			{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},
			{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}}]}]}`
	if diff := cmp.Diff(parsed(t, []byte(want)), parsed(t, turn.Request)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestParseTurnGoesOn: an answer after the results of tools is part of the
// message that has the calls; under another id, clients would show that twice.
func TestParseTurnGoesOn(t *testing.T) {
	turn, err := dialect.ParseTurn([]byte(`{"id":"c","messages":[
		{"id":"u","role":"user","parts":[{"type":"text","text":"hi"}]},
		{"id":"a","role":"assistant","parts":[{"type":"tool-f","toolCallId":"1","state":"output-available","output":1}]}]}`), "default")
	if err != nil || turn.Message != "a" {
		t.Errorf("got %+v, %v", turn, err)
	}
}

// A client that names no model gets the one that is given.
func TestParseTurnTakesTheModel(t *testing.T) {
	turn, err := dialect.ParseTurn([]byte(`{"id":"c","messages":[{"role":"user","parts":[{"type":"text","text":"hi"}]}]}`), "default")
	if err != nil || !strings.Contains(string(turn.Request), `"model":"default"`) {
		t.Errorf("got %s, %v", turn.Request, err)
	}
}

func parsed(t *testing.T, data []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

func TestParseTurnRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`[]`:                       "read chat",
		`{}`:                       "no id",
		`{"id":"a"}`:               "read messages",
		`{"id":7}`:                 "no id",
		`{"id":"a","messages":[]}`: "none says anything",
		`{"id":"a","messages":[{"role":"tool"}]}`:                                          `"tool" is not a role`,
		`{"id":"a","messages":[{"role":"user","parts":[{"type":"file","mediaType":""}]}]}`: "cannot be told",
	} {
		if _, err := dialect.ParseTurn([]byte(body), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

// FuzzParseTurn requires of any body that what is made of it is JSON and asks for
// a stream.
func FuzzParseTurn(f *testing.F) {
	f.Add([]byte(`{"id":"a","messages":[{"role":"user","parts":[{"type":"text","text":"hi"}]}],"stream":false}`))
	f.Add([]byte(`{"id":"a","messages":[{"role":"assistant","parts":[{"type":"tool-x","toolCallId":"c","state":"output-available"}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		turn, err := dialect.ParseTurn(body, "")
		if err != nil {
			return
		}
		var request struct {
			Stream   bool  `json:"stream"`
			Messages []any `json:"messages"`
		}
		if err := json.Unmarshal(turn.Request, &request); err != nil || !request.Stream || len(request.Messages) == 0 {
			t.Errorf("%v in %s", err, turn.Request)
		}
	})
}
