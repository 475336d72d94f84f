package websocket

import (
	"fmt"
	"strings"
	"testing"

	cws "github.com/coder/websocket"
	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
)

// DESIGN 4.3: one record a message, each kind of stream in its own form.
func TestPlainSendsEachKind(t *testing.T) {
	for _, tt := range []struct {
		contentType string
		records     []freshet.Record
		kind        cws.MessageType
		want        []string
	}{
		{"application/octet-stream", []freshet.Record{{Data: []byte("\x00\xff")}}, cws.MessageBinary, []string{"\x00\xff"}},
		{"text/plain", []freshet.Record{{Data: []byte("a\r\nb")}, {Data: []byte("\xff€")}}, cws.MessageText, []string{"a\r\nb", "\ufffd€"}},
		{"application/json", []freshet.Record{{Data: []byte(`{"a":1.0}`)}}, cws.MessageText, []string{`{"a":1.0}`}},
		{"text/event-stream", []freshet.Record{{Type: `x"y`, Data: []byte("l1\nl2")}, {}}, cws.MessageText,
			[]string{`{"type":"x\"y","data":"l1\nl2"}`, `{"type":"","data":""}`}},
	} {
		t.Run(tt.contentType, func(t *testing.T) {
			e := newEnv(t, Options{})
			e.create("s", tt.contentType)
			if _, err := e.hub.Append(t.Context(), "s", freshet.Append{Records: tt.records}); err != nil {
				t.Fatal(err)
			}
			before, live := e.dial("s"), e.dial("s?offset=now")
			if _, err := e.hub.Append(t.Context(), "s", freshet.Append{Records: tt.records, Close: &freshet.Closing{Reason: freshet.Failed}}); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				for _, m := range tt.want {
					before.want(tt.kind, m)
				}
			}
			for _, m := range tt.want {
				live.want(tt.kind, m)
			}
			// Guarantee 5: an end is an end, for those who come late, too.
			before.wantEnd(1000, "failed")
			live.wantEnd(1000, "failed")
			e.dial("s?offset=now").wantEnd(1000, "failed")
		})
	}
}

func TestPlainStartsAtAnOffset(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	first := e.append("s", "one")
	e.append("s", "two")
	tail := e.append("s", "three")
	e.close("s", freshet.Completed)
	c := e.dial("s?offset=" + first.String())
	c.want(cws.MessageText, "two")
	c.want(cws.MessageText, "three")
	c.wantEnd(1000, "completed")
	e.dial("s?offset="+tail.String()).wantEnd(1000, "completed")
	e.dial("s?offset="+tail.String()+"-end").wantEnd(1000, "completed")
}

// Guarantee 6: honest loss.
func TestPlainEndsWithAGap(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	old := e.append("s", "one")
	live := e.dial("s?offset=now")
	if err := e.hub.Delete(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	live.wantEnd(4410, "deleted")
	e.dial("s?offset="+old.String()).wantEnd(4410, "unknown")
	e.create("s", "text/plain")
	e.append("s", "anew")
	e.dial("s?offset="+old.String()).wantEnd(4410, "diverged; resume at 0000000000000000_")
	ahead := freshet.Offset{Seq: 99, Mark: 7}
	e.dial("s?offset="+ahead.String()).wantEnd(4410, "ahead")
}

// DESIGN 4.2: a record that ends inside a character is held and leaves with the
// next, or at the close as U+FFFD.
func TestPlainHoldsHalfCharacters(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	c := e.dial("s")
	e.append("s", "a\xe2")
	e.append("s", "\x82")
	e.append("s", "\xacb")
	e.append("s", "c")
	e.append("s", "\xf0\x9f")
	e.close("s", freshet.Completed)
	c.want(cws.MessageText, "a€b")
	c.want(cws.MessageText, "c")
	c.want(cws.MessageText, "\ufffd")
	c.wantEnd(1000, "completed")
}

func TestPlainAppends(t *testing.T) {
	for _, tt := range []struct {
		contentType string
		send, want  []string
	}{
		{"application/octet-stream", []string{"a", "", "b"}, []string{"a", "b"}},
		{"text/plain", []string{"a", "", "ü"}, []string{"a", "ü"}},
		{"application/json", []string{`{"a":1}`, `[1,2]`, "3\n"}, []string{`{"a":1}`, `[1,2]`, "3"}},
		{"text/event-stream", []string{`{"type":"t","data":"d"}`, `{"data":""}`}, []string{"d", ""}},
	} {
		t.Run(tt.contentType, func(t *testing.T) {
			e := newEnv(t, Options{})
			e.create("in", "text/plain")
			e.create("demo/out", tt.contentType)
			c := e.dial("in?append=demo/out")
			for _, m := range tt.send {
				c.send(m)
			}
			// The close frame is answered when all is appended.
			if err := c.Close(1000, ""); err != nil {
				t.Fatal(err)
			}
			if got := e.content("demo/out"); strings.Join(got, "|") != strings.Join(tt.want, "|") {
				t.Errorf("the stream has %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPlainAppendsThatCannotBe(t *testing.T) {
	for name, tt := range map[string]struct {
		path, contentType string
		message           string
		code              cws.StatusCode
		says              string
	}{
		"nowhere to append to": {"s", "text/plain", "x", 1008, "?append=NAME"},
		"malformed JSON":       {"s?append=s", "application/json", `{"a":`, 1007, "bad_record"},
		"not an event":         {"s?append=s", "text/event-stream", `"x"`, 1007, "bad_record"},
		"a type of ours":       {"s?append=s", "text/event-stream", `{"type":"stream-gap","data":"x"}`, 1007, "stream-gap"},
		"too long":             {"s?append=s", "text/plain", strings.Repeat("x", 2000), 1009, "too_large"},
		"a closed stream":      {"s?append=closed", "text/plain", "x", 1008, "closed"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, Options{Limits: freshet.Limits{Record: 1000}})
			e.create("s", tt.contentType)
			e.create("closed", "text/plain")
			e.close("closed", freshet.Completed)
			c := e.dial(tt.path)
			c.send(tt.message)
			c.wantEnd(tt.code, tt.says)
		})
	}
}

// A stream that was deleted and created again with another content type takes
// what fits it now.
func TestPlainAppendsToAStreamThatChanged(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("in", "text/plain")
	e.create("out", "application/json")
	c := e.dial("in?append=out")
	c.send("1")
	e.eventually("it is appended", func() bool { return len(e.content("out")) == 1 })
	if err := e.hub.Delete(t.Context(), "out"); err != nil {
		t.Fatal(err)
	}
	e.create("out", "text/plain")
	c.send("not JSON")
	e.eventually("it is appended", func() bool { return len(e.content("out")) == 1 })
}

// DESIGN 6: several pending records leave in one write.
func TestPendingRecordsLeaveInOneWrite(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	var all []string
	for i := range 500 {
		all = append(all, fmt.Sprint("record ", i))
	}
	e.append("s", all...)
	c := e.dial("s")
	for _, m := range all {
		c.want(cws.MessageText, m)
	}
	if n := e.writes.Load(); n != 1 {
		t.Errorf("500 records of 10 bytes took %d writes", n)
	}
}

// A record longer than what is written at once arrives as one message, of
// several frames.
func TestPlainSendsLongRecords(t *testing.T) {
	e := newEnv(t, Options{})
	for i, tt := range []struct {
		contentType, data, want string
	}{
		{"application/octet-stream", strings.Repeat("\x00\xff", 1<<20), ""},
		{"text/plain", strings.Repeat("€", 1<<20), ""},
		{"text/plain", "\x82" + strings.Repeat("\xff\x82", 1<<16), strings.Repeat("\ufffd", 1<<17+1)},
		{"application/json", `"` + strings.Repeat("é", 1<<17) + `"`, ""},
		{"text/event-stream", strings.Repeat("é", 1<<17), `{"type":"","data":"` + strings.Repeat("é", 1<<17) + `"}`},
	} {
		name := fmt.Sprint("s", i)
		e.create(name, tt.contentType)
		e.append(name, tt.data, tt.data)
		e.close(name, freshet.Completed)
		kind := cws.MessageText
		if i == 0 {
			kind = cws.MessageBinary
		}
		if tt.want == "" {
			tt.want = tt.data
		}
		c := e.dial(name)
		c.want(kind, tt.want)
		c.want(kind, tt.want)
		c.wantEnd(1000, "completed")
	}
}

// A reason as long as it may be, and not cut inside a character.
func TestCloseReasonsFit(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	e.create("json", "application/json")
	r := e.dialRaw("s?append=json", "")
	r.send(text1(strings.Repeat("€", 100)))
	if reason := r.wantClose(1007); len(reason) > 123 || reason == "" {
		t.Errorf("the reason has %d bytes: %q", len(reason), reason)
	}
	if got := cut("a€€", 5); got != "a€" {
		t.Errorf("cut to %q", got)
	}
	f := ws.NewCloseFrameBody(1000, cut(strings.Repeat("é", 100), maxReasonBytes))
	if len(f) > 125 {
		t.Errorf("the frame has %d bytes", len(f))
	}
}
