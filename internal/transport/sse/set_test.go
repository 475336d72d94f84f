package sse

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet"
)

// follow asks for a set of streams.
func (r *rig) follow(body, lastID string) *reader {
	r.Helper()
	request, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, r.url+"v1/follow", strings.NewReader(body))
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	return r.open(request)
}

func setOf(names ...string) string {
	var streams []asked
	for _, name := range names {
		streams = append(streams, asked{Stream: name})
	}
	body, _ := json.Marshal(map[string]any{"streams": streams})
	return string(body)
}

// told is what an event of a set says.
type told struct {
	Stream, Offset, Type, Requested, Resumed, Why, Reason string
	Data                                                  json.RawMessage
}

func (r *reader) told() (typ string, t told, id string) {
	r.Helper()
	e, err := r.next()
	if err != nil {
		r.Fatal(err)
	}
	if e.data != "" {
		if err := json.Unmarshal([]byte(e.data), &t); err != nil {
			r.Fatalf("%v in %+v", err, e)
		}
	}
	return e.typ, t, e.id
}

// Guarantee 2, for a set: dropped after every single event, nothing is missed
// or doubled, and each stream's end is told once.
func TestASetIsResumedAfterEveryEvent(t *testing.T) {
	r := newRig(t)
	contents := map[string]string{"text": "text/plain", "json": "application/json", "events": "text/event-stream", "bytes": "image/png"}
	want := map[string]string{}
	for name, contentType := range contents {
		r.create(name, contentType)
		for i := range 5 {
			record := freshet.Record{Data: fmt.Appendf(nil, "%d", i)}
			if name == "events" {
				record.Type = "t"
			}
			r.append(name, record)
		}
		r.close(name, freshet.Failed)
	}
	want["text"] = `"01234"`
	want["json"] = "01234"
	want["events"] = `t"0"t"1"t"2"t"3"t"4"`
	want["bytes"] = `"MA==""MQ==""Mg==""Mw==""NA=="`

	body := setOf("text", "json", "events", "bytes")
	got, ends := map[string]string{}, map[string]int{}
	id := ""
	for drops := 0; ; drops++ {
		response := r.follow(body, id)
		if response.response.StatusCode == http.StatusNoContent {
			break
		}
		if _, _, first := response.told(); id != "" && first != id {
			t.Fatalf("the first id is %q after %q", first, id)
		}
		typ, event, next := response.told()
		id = next
		switch typ {
		case "record":
			got[event.Stream] += event.Type + string(event.Data)
		case "stream-closed":
			ends[event.Stream]++
			if event.Reason != "failed" {
				t.Errorf("%s ended as %q", event.Stream, event.Reason)
			}
		default:
			t.Fatalf("event %q %+v", typ, event)
		}
		_ = response.response.Body.Close()
		if drops > 100 {
			t.Fatal("it does not end")
		}
	}
	for name := range contents {
		if got[name] != want[name] || ends[name] != 1 {
			t.Errorf("%s: got %q, want %q, and %d ends", name, got[name], want[name], ends[name])
		}
	}
}

func TestASetTellsWhatIsMissing(t *testing.T) {
	r := newRig(t)
	r.create("here", "text/plain")
	tail := r.appendText("here", "x")
	r.close("here", freshet.Completed)
	response := r.follow(setOf("gone", "here"), "")
	seen := map[string][]string{}
	_, _, _ = response.told()
	for {
		e, err := response.next()
		if err != nil {
			if err != io.EOF {
				t.Errorf("it ended with %v", err)
			}
			break
		}
		var event told
		_ = json.Unmarshal([]byte(e.data), &event)
		seen[event.Stream] = append(seen[event.Stream], e.typ+event.Why+event.Reason+event.Offset)
	}
	want := map[string]string{
		"gone": "[stream-gapunknown stream-closedunknown]",
		"here": "[record" + tail.String() + " stream-closedcompleted]",
	}
	for name, w := range want {
		if g := fmt.Sprint(seen[name]); g != w {
			t.Errorf("%s: got %s, want %s", name, g, w)
		}
	}
}

// Guarantee 6.
func TestAForeignIDIsAGapForEachStreamOfASet(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"a", "b"} {
		r.create(name, "text/plain")
		r.appendText(name, name)
	}
	_, _, other := r.follow(setOf("b", "a"), "").told()
	for _, id := range []string{"what?", other} {
		response := r.follow(setOf("a", "b"), id)
		gaps, records := map[string]bool{}, map[string]bool{}
		for len(records) < 2 {
			typ, event, _ := response.told()
			switch {
			case typ == "stream-gap":
				gaps[event.Stream] = true
				if event.Requested != id || event.Why != freshet.GapDiverged {
					t.Errorf("the gap is %+v", event)
				}
			case !gaps[event.Stream]:
				t.Errorf("%s of %s before a gap", typ, event.Stream)
			default:
				records[event.Stream] = true
			}
		}
	}
}

func TestASetAskedBadly(t *testing.T) {
	r := newRig(t)
	many := make([]string, setMost+1)
	for i := range many {
		many[i] = fmt.Sprint("s", i)
	}
	for name, body := range map[string]string{
		"nothing":         "",
		"no object":       "[]",
		"no streams":      `{"streams":[]}`,
		"another field":   `{"streams":[{"stream":"a"}],"x":1}`,
		"two values":      setOf("a") + setOf("b"),
		"too many":        setOf(many...),
		"one twice":       setOf("a", "a"),
		"a bad name":      setOf("../a"),
		"a bad offset":    `{"streams":[{"stream":"a","offset":"9"}]}`,
		"larger than any": `{"streams":[{"stream":"` + strings.Repeat("a", setBodyBytes) + `"}]}`,
	} {
		if got := r.follow(body, ""); got.response.StatusCode/100 != 4 || got.response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s gets %s", name, got.response.Status)
		}
	}
}

func FuzzSetCursor(f *testing.F) {
	c := setCursor{positions: []position{{}, {reading, freshet.Offset{Seq: 300, Mark: 7}}, {ended, freshet.Offset{}}}}
	f.Add(string(c.append(nil)))
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseSetCursor(s, [8]byte{}, 3)
		if err != nil {
			return
		}
		again, err := parseSetCursor(string(c.append(nil)), [8]byte{}, 3)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(c) {
			t.Fatalf("%+v came back as %+v, %v", c, again, err)
		}
	})
}
