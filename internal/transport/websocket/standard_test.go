package websocket

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
)

// RFC 6455: what a client does wrong, and with which code it is told.
func TestViolationsOfTheStandard(t *testing.T) {
	e := newEnv(t, Options{Limits: freshet.Limits{Record: 1 << 20}})
	e.create("s", "text/plain")
	unmasked := ws.MustCompileFrame(ws.NewTextFrame([]byte("hi")))
	long := func(length uint64) []byte {
		return binary.BigEndian.AppendUint64([]byte{0x82, 0x80 | 127}, length)
	}
	closing := func(code uint16, reason string) []byte {
		return frame(ws.OpClose, true, string(binary.BigEndian.AppendUint16(nil, code))+reason)
	}
	for name, tt := range map[string]struct {
		send []byte
		code ws.StatusCode
	}{
		"5.1: no mask":                        {unmasked, 1002},
		"5.2: RSV1 without an extension":      {append([]byte{0x81 | 0x40}, text1("x")[1:]...), 1002},
		"5.2: RSV3":                           {append([]byte{0x81 | 0x10}, text1("x")[1:]...), 1002},
		"5.2: opcode 3":                       {frame(3, true, "x"), 1002},
		"5.2: opcode 11":                      {frame(11, true, ""), 1002},
		"5.2: a negative length":              {append(long(1<<63), "mask"...), 1002},
		"5.2: all bits of the length":         {append(long(1<<64-1), "mask"...), 1002},
		"the largest length":                  {append(long(1<<63-1), "mask"...), 1009},
		"a message too long by its header":    {append(long(2<<20), "mask"...), 1009},
		"a message too long in fragments":     {append(frame(ws.OpBinary, false, strings.Repeat("x", 1<<20)), frame(ws.OpContinuation, true, strings.Repeat("x", 1<<19))...), 1009},
		"5.4: a continuation of nothing":      {frame(ws.OpContinuation, true, "x"), 1002},
		"5.4: a message within a message":     {append(frame(ws.OpText, false, "x"), text1("y")...), 1002},
		"5.5: a ping in fragments":            {frame(ws.OpPing, false, "x"), 1002},
		"5.5: a ping too long":                {frame(ws.OpPing, true, strings.Repeat("x", 126)), 1002},
		"5.5.1: a close of one byte":          {frame(ws.OpClose, true, "x"), 1002},
		"5.5.1: a close reason not in UTF-8":  {closing(1000, "\xff"), 1007},
		"7.4: close code 999":                 {closing(999, ""), 1002},
		"7.4: close code 1004":                {closing(1004, ""), 1002},
		"7.4: close code 1005":                {closing(1005, ""), 1002},
		"7.4: close code 1006":                {closing(1006, ""), 1002},
		"7.4: close code 1015":                {closing(1015, ""), 1002},
		"7.4: close code 2999":                {closing(2999, ""), 1002},
		"7.4: close code 5000":                {closing(5000, ""), 1002},
		"7.4: close code 0":                   {closing(0, ""), 1002},
		"8.1: not UTF-8":                      {text1("a\xffb"), 1007},
		"8.1: a surrogate":                    {text1("\xed\xa0\x80"), 1007},
		"8.1: overlong":                       {text1("\xc0\xaf"), 1007},
		"8.1: ends inside a character":        {text1("a\xe2\x82"), 1007},
		"8.1: not UTF-8 over fragments":       {append(frame(ws.OpText, false, "\xe2\x82"), frame(ws.OpContinuation, true, "x")...), 1007},
		"8.1: at once, before the end":        {frame(ws.OpText, false, "a\xff"), 1007},
		"8.1: ends inside one over fragments": {append(frame(ws.OpText, false, "\xe2"), frame(ws.OpContinuation, true, "\x82")...), 1007},
	} {
		for _, mode := range []string{"plain", "operations"} {
			t.Run(mode+"/"+name, func(t *testing.T) {
				headers := ""
				if mode == "operations" {
					headers = "Sec-WebSocket-Protocol: " + Protocol + "\r\n"
				}
				r := e.dialRaw("s?append=s", headers)
				r.T = t
				r.send(tt.send)
				r.wantClose(tt.code)
			})
		}
	}
	if got := e.content("s"); got != nil {
		t.Errorf("the stream got %q", got)
	}
	e.eventually("all connections are gone", func() bool { return e.open() == 0 && e.hub.Stats().Followers == 0 })
}

// RFC 6455: what a client may do, however odd.
func TestWhatTheStandardAllows(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("to", "text/plain")
	r := e.dialRaw("to?append=to&offset=now", "")
	euro := "€"
	r.send(
		frame(ws.OpPing, true, ""), frame(ws.OpPing, true, strings.Repeat("p", 125)), frame(ws.OpPong, true, "unasked"),
		frame(ws.OpText, false, "a"+euro[:1]), frame(ws.OpPing, true, "between"), frame(ws.OpContinuation, false, ""),
		frame(ws.OpContinuation, false, euro[1:2]), frame(ws.OpContinuation, true, euro[2:]+"b"),
		text1(""), frame(ws.OpText, false, ""), frame(ws.OpContinuation, true, ""),
		frame(ws.OpBinary, true, "\xff"),
		text1(strings.Repeat("x", 125)), text1(strings.Repeat("y", 126)), text1(strings.Repeat("z", 65536)),
	)
	r.want(ws.OpPong, "")
	r.want(ws.OpPong, strings.Repeat("p", 125))
	var messages []string
	for len(messages) < 5 {
		f, err := readFrame(r.in)
		if err != nil {
			t.Fatal(err)
		}
		if f.Header.OpCode == ws.OpPong {
			if string(f.Payload) != "between" {
				t.Errorf("got the pong %q", f.Payload)
			}
			continue
		}
		messages = append(messages, string(f.Payload))
	}
	want := []string{"a€b", "\ufffd", strings.Repeat("x", 125), strings.Repeat("y", 126), strings.Repeat("z", 65536)}
	for i := range want {
		if messages[i] != want[i] {
			t.Errorf("message %d is %.80q, want %.80q", i, messages[i], want[i])
		}
	}
	for i, code := range []uint16{1000, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 4999, 0} {
		c := e.dialRaw("to?offset=now", "")
		payload := ""
		if code != 0 {
			payload = string(binary.BigEndian.AppendUint16(nil, code)) + "bye"
		}
		c.send(frame(ws.OpClose, true, payload))
		if reason := c.wantClose(ws.StatusCode(code)); reason != "" {
			t.Errorf("close %d was echoed with the reason %q", i, reason)
		}
	}
}

// A byte at a time, so that every read ends somewhere inside a frame.
func TestFramesInSmallestPieces(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	r := e.dialRaw("s?append=s", "")
	for _, b := range append(text1("grüße"), append(text1(strings.Repeat("n", 300)), frame(ws.OpPing, true, "p")...)...) {
		r.send([]byte{b})
	}
	e.eventually("both are appended", func() bool { return len(e.content("s")) == 2 })
	if got := e.content("s"); got[0] != "grüße" || got[1] != strings.Repeat("n", 300) {
		t.Errorf("got %q", got)
	}
}

// What a client sends before it has the answer to its handshake is not lost.
func TestFramesRightBehindTheHandshake(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	early := fmt.Sprintf(handshakeFormat, "s?append=s", "") + string(text1("early")) + string(text1(strings.Repeat("e", 2000)))
	r := e.exchange(early)
	r.want(ws.OpText, "early")
	r.want(ws.OpText, strings.Repeat("e", 2000))
	r.send(text1("later"))
	r.want(ws.OpText, "later")
}

func TestHandshakesThatAreRefused(t *testing.T) {
	e := newEnv(t, Options{})
	e.create("s", "text/plain")
	good := map[string]string{
		"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	}
	for name, tt := range map[string]struct {
		header, value string
		path          string
		status        int
		says          string
	}{
		"no upgrade":              {"Upgrade", "", "s", 400, "Upgrade: websocket"},
		"another upgrade":         {"Upgrade", "h2c", "s", 400, "Upgrade: websocket"},
		"no connection":           {"Connection", "keep-alive", "s", 400, "proxy"},
		"version 8":               {"Sec-WebSocket-Version", "8", "s", 426, "13"},
		"no version":              {"Sec-WebSocket-Version", "", "s", 426, "13"},
		"no key":                  {"Sec-WebSocket-Key", "", "s", 400, "Sec-WebSocket-Key"},
		"a short key":             {"Sec-WebSocket-Key", "AAAA", "s", 400, "16 bytes"},
		"a key not in base64":     {"Sec-WebSocket-Key", "!!!!!!!!!!!!!!!!!!!!!!==", "s", 400, "16 bytes"},
		"a missing stream":        {"", "", "none", 404, "PUT"},
		"a missing one from now":  {"", "", "none?offset=now", 404, "PUT"},
		"a malformed offset":      {"", "", "s?offset=7", 400, "offset"},
		"a malformed query":       {"", "", "s?offset=%zz", 400, "query"},
		"appending to nothing":    {"", "", "s?append=none", 404, "PUT"},
		"appending to no name":    {"", "", "s?append=", 400, "name"},
		"appending under gen":     {"", "", "s?append=gen/x", 403, "gen/"},
		"appending to a bad name": {"", "", "s?append=a/../b", 400, ".."},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, e.server.URL+"/v1/stream/"+tt.path, nil)
			for k, v := range good {
				r.Header.Set(k, v)
			}
			if tt.header != "" {
				if r.Header.Set(tt.header, tt.value); tt.value == "" {
					r.Header.Del(tt.header)
				}
			}
			answer, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if answer.StatusCode != tt.status || answer.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(string(body), tt.says) {
				t.Errorf("got %s %v %s", answer.Status, answer.Header, body)
			}
			if tt.status == 426 && answer.Header.Get("Sec-WebSocket-Version") != "13" {
				t.Errorf("the headers are %v", answer.Header)
			}
		})
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if e.hub.Stats().Followers != 0 {
		t.Errorf("followers are left: %+v", e.hub.Stats())
	}
}
