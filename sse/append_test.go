package sse_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/sse"
)

func TestAppendEvent(t *testing.T) {
	for _, tc := range []struct {
		name    string
		typ     string
		data    string
		id      string
		want    string
		nilData bool
	}{
		{name: "data", data: "a", want: "data: a\n\n"},
		{name: "all, the id last", typ: "e", data: "a", id: "1", want: "event: e\ndata: a\nid: 1\n\n"},
		{name: "lines", data: "a\nb\rc\r\nd", want: "data: a\ndata: b\ndata: c\ndata: d\n\n"},
		{name: "empty lines", data: "\n\r\r\n\n", want: "data: \ndata: \ndata: \ndata: \ndata: \n\n"},
		{name: "empty data", want: "data: \n\n"},
		{name: "no data", typ: "e", id: "1", nilData: true, want: "event: e\nid: 1\n\n"},
		{name: "nothing", nilData: true, want: "\n"},
		{name: "leading space", typ: " e", data: " a", id: " 1", want: "event:  e\ndata:  a\nid:  1\n\n"},
		{name: "JSON", data: `{"a":"b\n"}`, want: "data: {\"a\":\"b\\n\"}\n\n"},
		{name: "fields in data", data: "a\nid: 9\n\n: c", want: "data: a\ndata: id: 9\ndata: \ndata: : c\n\n"},
		{name: "invalid UTF-8", typ: "\xff", data: "\xe2\x82x", id: "\xf0\x9f", want: "event: \uFFFD\ndata: \uFFFDx\nid: \uFFFD\n\n"},
		{name: "fields in type and id", typ: "e\ndata: x", data: "a", id: "1\r\n\x00\n", want: "event: e\uFFFDdata: x\ndata: a\nid: 1\uFFFD\uFFFD\uFFFD\uFFFD\n\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data := []byte(tc.data)
			if tc.nilData {
				data = nil
			}
			got := string(sse.AppendEvent([]byte("before\n"), tc.typ, data, tc.id))
			if got != "before\n"+tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAppendID(t *testing.T) {
	for id, want := range map[string]string{
		"1":        "id: 1\n\n",
		"":         "id: \n\n",
		"a\nb\x00": "id: a\uFFFDb\uFFFD\n\n",
	} {
		if got := string(sse.AppendID(nil, id)); got != want {
			t.Errorf("AppendID(%q) = %q, want %q", id, got, want)
		}
	}
}

func TestAppendComment(t *testing.T) {
	for text, want := range map[string]string{
		"":                       ":\n",
		"a":                      ": a\n",
		"a\r\nb\rc\n":            ": a\n: b\n: c\n: \n",
		"\n\ndata: x\n\n":        ": \n: \n: data: x\n: \n: \n",
		"\xff":                   ": \uFFFD\n",
		strings.Repeat("x", 100): ": " + strings.Repeat("x", 100) + "\n",
	} {
		if got := string(sse.AppendComment(nil, text)); got != want {
			t.Errorf("AppendComment(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestAppendRetry(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                            "retry: 0\n",
		time.Second:                  "retry: 1000\n",
		time.Nanosecond:              "retry: 1\n",
		1500 * time.Microsecond:      "retry: 2\n",
		-time.Second:                 "retry: 0\n",
		time.Duration(math.MaxInt64): "retry: 9223372036855\n",
	} {
		if got := string(sse.AppendRetry(nil, d)); got != want {
			t.Errorf("AppendRetry(%v) = %q, want %q", d, got, want)
		}
	}
}

// Table 3-8 of the Unicode Standard, and what Go's own ways would give.
func TestAppendValidReplacesMaximalSubparts(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", ""},
		{"plain é € 😀", "plain é € 😀"},
		{"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82A", "????????A"},
		{"\xed\xa0\x80\xed\xbf\xbf\xed\xafA", "????????A"},
		{"\xf4\x91\x92\x93\xffA\x80\xbfB", "?????A??B"},
		{"\xe1\x80\xe2\xf0\x91\x92\xf1\xbfA", "????A"},
		{"\xe2\x82", "?"},
		{"\xf0\x9f\x98", "?"},
		{"\xf0\x9f\x98\xf0\x9f\x98\x80", "?😀"},
		{"a\xffb", "a?b"},
	} {
		want := strings.ReplaceAll(tc.want, "?", "\uFFFD")
		if got := string(sse.AppendValid(nil, []byte(tc.text))); got != want {
			t.Errorf("AppendValid(%q) = %q, want %q", tc.text, got, want)
		}
	}
}

func TestEncoder(t *testing.T) {
	var w writes
	e := sse.NewEncoder(&w)
	for _, err := range []error{
		e.Retry(time.Second),
		e.ID("0"),
		e.Event("add", []byte("a\nb"), "1"),
		e.Comment("beat"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"retry: 1000\n", "id: 0\n\n", "event: add\ndata: a\ndata: b\nid: 1\n\n", ": beat\n"}
	if got := strings.Join(w.calls, "|"); got != strings.Join(want, "|") {
		t.Errorf("writes %q, want %q", w.calls, want)
	}
	w.err = errors.New("gone")
	if err := e.Event("", nil, ""); err != w.err {
		t.Errorf("error %v, want the writer's", err)
	}
}

// writes is a writer that notes its calls.
type writes struct {
	calls []string
	err   error
}

func (w *writes) Write(b []byte) (int, error) {
	w.calls = append(w.calls, string(b))
	return len(b), w.err
}
