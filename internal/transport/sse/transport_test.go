package sse

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/memstore"
	codec "github.com/freshet-stream/freshet/sse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rig is a server of one transport over a store in memory.
type rig struct {
	*testing.T
	hub *hub.Hub
	url string
}

func newRig(t *testing.T) *rig { return newRigWith(t, time.Minute) }

func newRigWith(t *testing.T, heartbeat time.Duration) *rig {
	return newRigOver(t, heartbeat, memstore.New(memstore.Options{}))
}

func newRigOver(t *testing.T, heartbeat time.Duration, store freshet.Store) *rig {
	h := hub.New(hub.Options{Store: store})
	transport := New(Options{Hub: h, Heartbeat: heartbeat})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/follow" {
			transport.ServeSet(w, r)
			return
		}
		transport.ServeStream(w, r, strings.TrimPrefix(r.URL.Path, "/"))
	}))
	t.Cleanup(func() {
		h.Close()
		srv.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return &rig{t, h, srv.URL + "/"}
}

func (r *rig) create(name, contentType string) freshet.Info {
	r.Helper()
	info, _, err := r.hub.Create(r.Context(), name, freshet.Creation{Spec: freshet.Spec{ContentType: contentType}})
	if err != nil {
		r.Fatal(err)
	}
	return info
}

func (r *rig) append(name string, records ...freshet.Record) freshet.Offset {
	r.Helper()
	result, err := r.hub.Append(r.Context(), name, freshet.Append{Records: records})
	if err != nil {
		r.Fatal(err)
	}
	return result.Tail
}

func (r *rig) appendText(name string, texts ...string) (tail freshet.Offset) {
	r.Helper()
	for _, s := range texts {
		tail = r.append(name, freshet.Record{Data: []byte(s)})
	}
	return tail
}

func (r *rig) close(name string, reason freshet.Reason) {
	r.Helper()
	if _, err := r.hub.Append(r.Context(), name, freshet.Append{Close: &freshet.Closing{Reason: reason}}); err != nil {
		r.Fatal(err)
	}
}

// An event is one as a client gets it, with its id.
type event struct{ typ, data, id string }

// A reader is an open response.
type reader struct {
	*testing.T
	response *http.Response
	decoder  *codec.Decoder
	comments int
}

// get asks for a stream as an EventSource with a last event id does.
func (r *rig) get(path, lastID string) *reader {
	r.Helper()
	request, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, r.url+path, nil)
	request.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	return r.open(request)
}

// open sends a request and reads its answer as events.
func (r *rig) open(request *http.Request) *reader {
	r.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = response.Body.Close() })
	reader := &reader{T: r.T, response: response}
	reader.decoder = codec.NewDecoder(bufio.NewReader(response.Body), codec.DecoderOptions{
		IDOnly: true, OnComment: func([]byte) { reader.comments++ },
	})
	return reader
}

// next returns the next block that has data or an id.
func (r *reader) next() (event, error) {
	e, err := r.decoder.Next()
	got := event{typ: string(e.Type), data: string(e.Data)}
	if e.HasID {
		got.id = string(e.ID)
	}
	return got, err
}

// expect reads blocks and compares them.
func (r *reader) expect(want ...event) {
	r.Helper()
	for _, w := range want {
		got, err := r.next()
		if err != nil {
			r.Fatalf("error %v, want %+v", err, w)
		}
		if got != w {
			r.Fatalf("got %+v, want %+v", got, w)
		}
	}
}

// end expects the response to end, cleanly or not.
func (r *reader) end(want error) {
	r.Helper()
	if got, err := r.next(); !errors.Is(err, want) {
		r.Fatalf("got %+v, error %v, want error %v", got, err, want)
	}
}

func gapEvent(requested, resumed, why string) event {
	data, _ := json.Marshal(map[string]string{"requested": requested, "resumed": resumed, "why": why})
	e := event{typ: "stream-gap", data: string(data)}
	if resumed != "-1" {
		e.id = resumed
	}
	return e
}

func closedEvent(reason string, at string) event {
	return event{typ: "stream-closed", data: `{"reason":"` + reason + `"}`, id: at + "-end"}
}

func TestAStreamFromTheBeginningToTheEnd(t *testing.T) {
	r := newRig(t)
	begin := r.create("s", "text/plain").Tail
	got := r.get("s", "")
	if h := got.response.Header; h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store, no-transform" || h.Get("X-Accel-Buffering") != "no" {
		t.Errorf("headers are %v", h)
	}
	got.expect(event{id: begin.String()})
	if retry, ok := got.decoder.Retry(); !ok || retry < 750*time.Millisecond || retry > 1250*time.Millisecond {
		t.Errorf("retry is %v", retry)
	}
	one := r.appendText("s", "one")
	got.expect(event{data: "one", id: one.String()})
	r.close("s", freshet.Cancelled)
	got.expect(closedEvent("cancelled", one.String()))
	got.end(io.EOF)
}

// Guarantee 5. DESIGN trap: a drop between the last record and stream-closed.
func TestTheEndIsToldUntilItWasHeard(t *testing.T) {
	r := newRig(t)
	r.create("s", "text/plain")
	tail := r.appendText("s", "one")
	r.close("s", freshet.Completed)
	for range 2 {
		got := r.get("s", tail.String())
		got.expect(event{id: tail.String()}, closedEvent("completed", tail.String()))
		got.end(io.EOF)
	}
	if got := r.get("s", tail.String()+"-end"); got.response.StatusCode != http.StatusNoContent {
		t.Errorf("coming back with the id of the end gets %s", got.response.Status)
	}
	if got := r.get("s?offset="+tail.String()+"-end", ""); got.response.StatusCode != http.StatusNoContent {
		t.Errorf("the same as an offset gets %s", got.response.Status)
	}
	r.create("empty", "text/plain")
	r.close("empty", freshet.Completed)
	if got := r.get("empty", freshet.Offset{}.String()+"-end"); got.response.StatusCode != http.StatusNoContent {
		t.Errorf("coming back to a stream without records after its end gets %s", got.response.Status)
	}
}

// DESIGN traps: unknown, future, foreign and former-incarnation ids.
func TestLossIsToldInBand(t *testing.T) {
	r := newRig(t)
	r.create("s", "text/plain")
	former := r.appendText("s", "old", "older")
	if err := r.hub.Delete(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	begin := r.create("s", "text/plain").Tail
	tail := r.appendText("s", "new", "er")
	r.create("other", "text/plain")
	foreign := r.appendText("other", "x", "y")
	future := freshet.Offset{Seq: tail.Seq + 5, Mark: tail.Mark}
	for name, tt := range map[string]struct{ id, why string }{
		"former incarnation":             {former.String(), freshet.GapDiverged},
		"end of the former incarnation":  {former.String() + "-end", freshet.GapDiverged},
		"another stream's":               {foreign.String(), freshet.GapDiverged},
		"beyond the tail":                {future.String(), freshet.GapAhead},
		"no offset at all":               {"42", freshet.GapDiverged},
		"far longer than any offset":     {strings.Repeat("9", 200), freshet.GapDiverged},
		"an offset with something added": {tail.String() + "-END", freshet.GapDiverged},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.get("s", tt.id)
			requested := strings.TrimSuffix(tt.id, "-end")
			if strings.HasSuffix(tt.id, "-end") {
				requested = tt.id
			}
			got.expect(gapEvent(requested, begin.String(), tt.why), event{data: "newer", id: tail.String()})
			_ = got.response.Body.Close()
		})
	}
}

func TestWhatIsNoCursorBeginsAtTheBeginning(t *testing.T) {
	r := newRig(t)
	begin := r.create("s", "text/plain").Tail
	tail := r.appendText("s", "one")
	for _, tt := range []struct{ path, id string }{{"s", ""}, {"s", "-1"}, {"s?offset=-1", ""}, {"s", freshet.Offset{}.String()}, {"s?last-event-id=", ""}} {
		r.get(tt.path, tt.id).expect(event{id: begin.String()}, event{data: "one", id: tail.String()})
	}
	r.get("s?offset=now", "").expect(event{id: tail.String()})
	r.get("s?lastEventId="+begin.String(), "").expect(event{id: begin.String()}, event{data: "one", id: tail.String()})
	// The header is newer than the URL, which an EventSource keeps.
	r.get("s?offset="+begin.String(), tail.String()).expect(event{id: tail.String()})
}

func TestAStreamThatDoesNotExist(t *testing.T) {
	r := newRig(t)
	got := r.get("missing", "")
	if got.response.StatusCode != http.StatusNotFound || got.response.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("without a cursor: %s %v", got.response.Status, got.response.Header)
	}
	id := freshet.Offset{Seq: 3, Mark: 7}.String()
	got = r.get("missing", id)
	got.expect(gapEvent(id, "-1", freshet.GapUnknown), closedEvent("unknown", id))
	got.end(io.EOF)
	got = r.get("missing", "what?")
	got.expect(gapEvent("what?", "-1", freshet.GapUnknown), closedEvent("unknown", freshet.Offset{}.String()))
	got.end(io.EOF)
	if got = r.get("missing", id+"-end"); got.response.StatusCode != http.StatusNoContent {
		t.Errorf("with the id of an end: %s", got.response.Status)
	}
}

func TestAStreamThatGoesWhileFollowed(t *testing.T) {
	r := newRig(t)
	r.create("s", "text/plain")
	tail := r.appendText("s", "one")
	got := r.get("s", tail.String())
	got.expect(event{id: tail.String()})
	if err := r.hub.Delete(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	got.expect(gapEvent(tail.String(), "-1", freshet.GapDeleted), closedEvent("deleted", tail.String()))
	got.end(io.EOF)
}

func TestOnlyAToldEndIsClean(t *testing.T) {
	r := newRig(t)
	r.create("s", "text/plain")
	got := r.get("s", "")
	_, _ = got.next()
	r.hub.Close()
	got.end(io.ErrUnexpectedEOF)
}

func TestHeartbeatsAreComments(t *testing.T) {
	r := newRigWith(t, time.Millisecond)
	r.create("s", "text/plain")
	got := r.get("s", "")
	_, _ = got.next()
	for range 3 {
		line := make([]byte, 3)
		if _, err := io.ReadFull(got.response.Body, line); err != nil || string(line) != ":\n\n" {
			t.Fatalf("got %q, error %v", line, err)
		}
	}
}

func TestContentOfEachKind(t *testing.T) {
	text, binary := "one\r\ntwo\rthree", "\x00\xff"
	for name, tt := range map[string]struct {
		contentType, encoding string
		record                freshet.Record
		want                  event
		base64                bool
	}{
		"text":              {"text/plain", "", freshet.Record{Data: []byte(text)}, event{data: "one\ntwo\nthree"}, false},
		"text as JSON":      {"text/plain", "json", freshet.Record{Data: []byte(text)}, event{data: `"one\r\ntwo\rthree"`}, false},
		"text as base64":    {"text/plain", "base64", freshet.Record{Data: []byte(binary)}, event{data: "AP8="}, true},
		"invalid text":      {"text/plain", "", freshet.Record{Data: []byte("a\xffb\xe2\x82c")}, event{data: "a\ufffdb\ufffdc"}, false},
		"text with space":   {"text/plain", "", freshet.Record{Data: []byte(" x ")}, event{data: " x "}, false},
		"a line break":      {"text/plain", "", freshet.Record{Data: []byte("\n")}, event{data: "\n"}, false},
		"JSON":              {"application/json", "", freshet.Record{Data: []byte(`{"a": 1}`)}, event{data: `{"a": 1}`}, false},
		"JSON as JSON":      {"application/json", "json", freshet.Record{Data: []byte(`{"a": 1}`)}, event{data: `{"a": 1}`}, false},
		"binary":            {"image/png", "", freshet.Record{Data: []byte(binary)}, event{data: "AP8="}, true},
		"binary as JSON":    {"image/png", "json", freshet.Record{Data: []byte(binary)}, event{data: "AP8="}, true},
		"an event":          {"text/event-stream", "", freshet.Record{Type: "t", ID: "7", Data: []byte("a\nb")}, event{typ: "t", data: "a\nb"}, false},
		"an event as JSON":  {"text/event-stream", "json", freshet.Record{Type: "t", Data: []byte("a\rb")}, event{typ: "t", data: `"a\rb"`}, false},
		"an event, no data": {"text/event-stream", "", freshet.Record{Type: "t", Data: []byte{}}, event{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			begin := r.create("s", tt.contentType).Tail
			tt.want.id = r.append("s", tt.record).String()
			path := "s"
			if tt.encoding != "" {
				path += "?encoding=" + tt.encoding
			}
			got := r.get(path, "")
			if encoding := got.response.Header.Get("stream-sse-data-encoding"); (encoding == "base64") != tt.base64 {
				t.Errorf("the data encoding is %q", encoding)
			}
			got.expect(event{id: begin.String()}, tt.want)
		})
	}
}

func TestAskedBadly(t *testing.T) {
	r := newRig(t)
	r.create("s", "text/plain")
	for _, query := range []string{"offset=x", "offset=" + strings.Repeat("1", 5000), "encoding=xml", "offset=%zz", "offset=1_2"} {
		if got := r.get("s?"+query, ""); got.response.StatusCode != http.StatusBadRequest || got.response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%.40s gets %s", query, got.response.Status)
		}
	}
}

// DESIGN trap: a rune split over two appends.
func TestACharacterIsNotCut(t *testing.T) {
	euro := "€"
	for _, encoding := range []string{"", "json"} {
		r := newRig(t)
		begin := r.create("s", "text/plain").Tail
		got := r.get("s?encoding="+encoding, "")
		got.expect(event{id: begin.String()})
		r.appendText("s", "a"+euro[:1], euro[1:2])
		tail := r.appendText("s", euro[2:]+"b")
		want := "a€b"
		if encoding == "json" {
			want = `"a€b"`
		}
		got.expect(event{data: want, id: tail.String()})

		tail = r.appendText("s", "c"+euro[:2])
		r.close("s", freshet.Completed)
		want = "c\ufffd"
		if encoding == "json" {
			want = "\"c\ufffd\""
		}
		got.expect(event{data: want, id: tail.String()}, closedEvent("completed", tail.String()))
	}
}

// DESIGN trap: a line that is cut often never gets on past a huge event.
func TestJoinedTextIsBounded(t *testing.T) {
	r := newRig(t)
	r.create("s", "text/plain")
	var all strings.Builder
	for i := range 3000 {
		s := strings.Repeat(string(rune('a'+i%26)), 40) + "\n"
		all.WriteString(s)
		r.appendText("s", s)
	}
	long := strings.Repeat("x", joinMost+1)
	r.appendText("s", long, "end")
	all.WriteString(long + "end")
	r.close("s", freshet.Completed)
	got := r.get("s", "")
	var text strings.Builder
	events := 0
	for {
		e, err := got.next()
		if err != nil {
			t.Fatal(err)
		}
		if e.typ == "stream-closed" {
			break
		}
		if len(e.data) > joinMost && e.data != long {
			t.Fatalf("an event has %d bytes", len(e.data))
		}
		text.WriteString(e.data)
		events++
	}
	if text.String() != all.String() {
		t.Error("the text is another one")
	}
	if events > 10 {
		t.Errorf("%d bytes came in %d events; they should have been joined", all.Len(), events)
	}
}

// DESIGN traps: two drops before the first new id; live records during replay.
func TestResumingAfterEveryEvent(t *testing.T) {
	r := newRig(t)
	begin := r.create("s", "application/octet-stream").Tail.String()
	var want strings.Builder
	for i := range 20 {
		data := []byte{byte(i)}
		want.WriteString(base64.StdEncoding.EncodeToString(data))
		r.append("s", freshet.Record{Data: data})
	}
	r.close("s", freshet.Completed)
	var text strings.Builder
	for id, drops := "", 0; ; drops++ {
		got := r.get("s", id)
		e, err := got.next()
		if err != nil || e.id != id && e.id != begin {
			t.Fatalf("the first block is %+v, error %v", e, err)
		}
		id = e.id
		if drops%3 != 0 {
			if e, err = got.next(); err != nil {
				t.Fatal(err)
			}
			text.WriteString(e.data)
			id = e.id
		}
		_ = got.response.Body.Close()
		if e.typ == "stream-closed" {
			break
		}
	}
	if got, _, _ := strings.Cut(text.String(), "{"); got != want.String() {
		t.Errorf("got %q, want %q", got, want.String())
	}
}

func TestLeavingEndsTheHandler(t *testing.T) {
	r := newRig(t)
	r.create("s", "text/plain")
	ctx, cancel := context.WithCancel(t.Context())
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"s", nil)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if n := r.hub.Stats().Followers; n != 1 {
		t.Fatalf("%d followers", n)
	}
	cancel()
	for r.hub.Stats().Followers != 0 {
		runtime.Gosched()
	}
}

func TestAStreamCanBeWaitedFor(t *testing.T) {
	r := newRigWith(t, time.Millisecond)
	got := r.get("s?wait=60", "")
	got.expect(event{id: freshet.Offset{}.String()})
	for got.comments == 0 {
		line := make([]byte, len(heartbeat))
		if _, err := io.ReadFull(got.response.Body, line); err != nil || string(line) != heartbeat {
			t.Fatalf("got %q, error %v", line, err)
		}
		got.comments++
	}
	r.create("s", "application/json")
	tail := r.append("s", freshet.Record{Data: []byte(`{"a":1}`)})
	got.expect(event{data: `{"a":1}`, id: tail.String()})
	r.close("s", freshet.Completed)
	got.expect(closedEvent("completed", tail.String()))
}

func TestWaitingInVainIsAborted(t *testing.T) {
	r := newRig(t)
	got := r.get("s?wait=1", "")
	got.expect(event{id: freshet.Offset{}.String()})
	got.end(io.ErrUnexpectedEOF)
	// A position was given out: the stream is gone, and not yet to come.
	id := freshet.Offset{Seq: 1, Mark: 1}.String()
	r.get("s?wait=60", id).expect(gapEvent(id, "-1", freshet.GapUnknown), closedEvent("unknown", id))
	for _, wait := range []string{"301", "-1", "soon"} {
		if got := r.get("s?wait="+wait, ""); got.response.StatusCode != http.StatusBadRequest {
			t.Errorf("wait=%s gets %s", wait, got.response.Status)
		}
	}
}
