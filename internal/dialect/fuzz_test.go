package dialect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
	"github.com/google/go-cmp/cmp"
)

// FuzzChunks tells any events, read in any dialect, one by one and all at once,
// and requires both to be what a client takes, and the same to it.
func FuzzChunks(f *testing.F) {
	files, err := filepath.Glob("testdata/*.sse")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		d := dialectOf(f, filepath.Base(file))
		for i := range dialects {
			if dialects[i] == d {
				f.Add(uint8(i), uint8(i), data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, which, why uint8, data []byte) {
		checkChunks(t, dialects[int(which)%len(dialects)], why, parse(data))
	})
}

// FuzzSequences does what [FuzzChunks] does to recorded events in any order, as
// often as it likes.
func FuzzSequences(f *testing.F) {
	files, err := filepath.Glob("testdata/*.sse")
	if err != nil {
		f.Fatal(err)
	}
	pools := map[dialect.Dialect][]dialect.Event{}
	for _, file := range files {
		d := dialectOf(f, filepath.Base(file))
		pools[d] = append(pools[d], recorded(f, file)...)
	}
	for i := range dialects {
		f.Add(uint8(i), uint8(i), []byte{0, 1, 2, 3, 2, 9, 10, 11, 8, 7, 12, 12, 11, 20, 30})
	}
	f.Fuzz(func(t *testing.T, which, why uint8, picks []byte) {
		d := dialects[int(which)%len(dialects)]
		var events []dialect.Event
		for _, pick := range picks {
			if e := pools[d][int(pick)%len(pools[d])]; d.Read(e).End == "" {
				events = append(events, e)
			}
		}
		checkChunks(t, d, why, events)
	})
}

func checkChunks(t *testing.T, d dialect.Dialect, why uint8, events []dialect.Event) {
	reasons := []freshet.Reason{freshet.Completed, freshet.Cancelled, freshet.Failed, freshet.Interrupted}
	closure := closed(reasons[int(why)%len(reasons)])

	live := dialect.NewChunks(d, "m")
	got := live.Next()
	for _, e := range events {
		got = append(got, live.Next(e)...)
	}
	got = append(got, live.Close(closure)...)
	got = append(append(got, live.Next(events...)...), live.Close(closure)...)

	replay := dialect.NewChunks(d, "m")
	joined := append(replay.Next(events...), replay.Close(closure)...)

	one, err := takeChunks(got)
	if err != nil {
		t.Fatalf("live: %v\n%s", err, bytes.Join(datas(got), []byte("\n")))
	}
	two, err := takeChunks(joined)
	if err != nil {
		t.Fatalf("replayed: %v\n%s", err, bytes.Join(datas(joined), []byte("\n")))
	}
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("(-live +replayed)\n%s", diff)
	}
}

// FuzzEnds requires of any events that the end is told exactly once: by the
// upstream, or else by [dialect.Dialect.Ends].
func FuzzEnds(f *testing.F) {
	f.Add(uint8(0), []byte("data: {}\n"), []byte(`{"code":"x"}`))
	f.Add(uint8(1), []byte(`data: {"type":"response.created","sequence_number":9223372036854775807,"response":{}}`), []byte(`{`))
	f.Fuzz(func(t *testing.T, which uint8, data, detail []byte) {
		d := dialects[int(which)%len(dialects)]
		var tally dialect.Tally
		for _, e := range parse(data) {
			tally.Add(d.Read(e))
		}
		closure := closed(freshet.Failed)
		closure.Detail = detail
		ends := d.Ends(tally, closure)
		if tally.Ended() != (len(ends) == 0) {
			t.Fatalf("ended: %v, and told %d times", tally.Ended(), len(ends))
		}
		for _, e := range ends {
			if !json.Valid(e.Data) || !utf8.Valid(e.Data) || bytes.ContainsAny(e.Data, "\r\n") {
				t.Errorf("bad data: %q", e.Data)
			}
			tally.Add(d.Read(e))
		}
		if !tally.Ended() {
			t.Errorf("not an end: %q", ends)
		}
	})
}

// parse takes each data line for an event, with the type of the event line
// before it.
func parse(data []byte) []dialect.Event {
	var events []dialect.Event
	typ := ""
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, "\r\n")
		if value, ok := bytes.CutPrefix(line, []byte("event: ")); ok {
			typ = string(value)
		} else if value, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			events = append(events, dialect.Event{Type: typ, Data: value})
			typ = ""
		}
	}
	return events
}

func datas(events []dialect.Event) [][]byte {
	var out [][]byte
	for _, e := range events {
		out = append(out, e.Data)
	}
	return out
}

// A part is what a client has made of chunks.
type part struct {
	Kind, ID, Text, Value string
}

// requiredMembers are those without which a client throws, of all the chunks that
// versions 5 and 6 of the AI SDK know and that an answer can need.
var requiredMembers = map[string]string{
	"start": "messageId", "start-step": "", "finish-step": "", "finish": "", "abort": "", "error": "errorText",
	"text-start": "id", "text-delta": "id delta", "text-end": "id",
	"reasoning-start": "id", "reasoning-delta": "id delta", "reasoning-end": "id",
	"tool-input-start": "toolCallId toolName", "tool-input-delta": "toolCallId inputTextDelta",
	"tool-input-available": "toolCallId toolName input", "tool-input-error": "toolCallId toolName input errorText",
	"tool-output-available": "toolCallId output",
	"source-url":            "sourceId url", "message-metadata": "messageMetadata",
}

// takeChunks takes chunks as strictly as the strictest client does.
func takeChunks(events []dialect.Event) ([]part, error) {
	var parts []part
	open := map[string]int{}
	inputs := map[string]bool{}
	ended := false
	for i, e := range events {
		if i == len(events)-1 {
			if string(e.Data) != "[DONE]" || !ended {
				return nil, fmt.Errorf("the last is %s, ended %v", e.Data, ended)
			}
			break
		}
		c := map[string]any{}
		if err := json.Unmarshal(e.Data, &c); err != nil {
			return nil, fmt.Errorf("%w in %s", err, e.Data)
		}
		typ, _ := c["type"].(string)
		members, known := requiredMembers[typ]
		for _, member := range strings.Fields(members) {
			_, has := c[member]
			known = known && has
		}
		if !known || e.Type != "" || !utf8.Valid(e.Data) || bytes.ContainsAny(e.Data, "\r\n") {
			return nil, fmt.Errorf("no such chunk: %q %q", e.Type, e.Data)
		}
		if ended || (i == 0) != (typ == "start") || (i == 1) != (typ == "start-step") {
			return nil, fmt.Errorf("out of place: %s", e.Data)
		}
		id, _ := c["id"].(string)
		call, _ := c["toolCallId"].(string)
		kind, _, _ := strings.Cut(typ, "-")
		at, isOpen := open[kind+id+call]
		_, begun := inputs[call]
		switch typ {
		case "text-start", "reasoning-start", "tool-input-start":
			if isOpen || begun {
				return nil, fmt.Errorf("begun twice: %s", e.Data)
			}
			open[kind+id+call] = len(parts)
			parts = append(parts, part{Kind: kind, ID: id + call})
			if call != "" {
				inputs[call] = true
			}
		case "text-delta", "reasoning-delta", "tool-input-delta":
			if !isOpen {
				return nil, fmt.Errorf("not open: %s", e.Data)
			}
			for _, member := range []string{"delta", "inputTextDelta"} {
				added, _ := c[member].(string)
				parts[at].Text += added
			}
		case "text-end", "reasoning-end", "tool-input-available", "tool-input-error":
			if !isOpen {
				return nil, fmt.Errorf("not open: %s", e.Data)
			}
			delete(open, kind+id+call)
			parts[at].Value = string(e.Data)
		case "tool-output-available":
			if !begun {
				return nil, fmt.Errorf("no such call: %s", e.Data)
			}
			parts = append(parts, part{Kind: typ, Value: string(e.Data)})
		case "finish":
			if len(open) > 0 {
				return nil, fmt.Errorf("finished with %v open", open)
			}
			ended = true
		case "error", "abort":
			ended = true
		default:
			parts = append(parts, part{Kind: typ, Value: string(e.Data)})
		}
	}
	return parts, nil
}
