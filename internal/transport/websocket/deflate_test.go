package websocket

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	cws "github.com/coder/websocket"
	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
)

// dialDeflate connects a client that offers compression in one of its ways.
func (e *env) dialDeflate(path string, mode cws.CompressionMode, protocols ...string) *client {
	e.Helper()
	c, answer, err := cws.Dial(e.Context(), e.server.URL+"/v1/stream/"+path, &cws.DialOptions{
		Subprotocols: protocols, CompressionMode: mode, CompressionThreshold: 1,
	})
	if err != nil {
		e.Fatal(err)
	}
	if got := answer.Header.Get("Sec-WebSocket-Extensions"); !strings.HasPrefix(got, deflateName) {
		e.Fatalf("the answer to the offer is %q", got)
	}
	c.SetReadLimit(64 << 20)
	e.Cleanup(func() { _ = c.CloseNow() })
	return &client{e.T, c}
}

// deflateModes are how an independent client compresses what it sends.
var deflateModes = []cws.CompressionMode{cws.CompressionNoContextTakeover, cws.CompressionContextTakeover}

// samples are data around every bound.
func samples() []string {
	noise := make([]byte, 70<<10)
	for i := range noise {
		noise[i] = byte('!' + rand.N(90))
	}
	all := []string{"x", string(noise)}
	for _, n := range []int{deflateLeast - 1, deflateLeast, 4 << 10, longBytes, longBytes + 1, 3 * longBytes, 1 << 20} {
		all = append(all, strings.Repeat("drop by drop 💧 ", n/18+1), strings.Repeat("y", n))
	}
	return all
}

func TestCompressedPlainConnections(t *testing.T) {
	for _, mode := range deflateModes {
		e := newEnv(t, Options{Compression: true})
		e.create("s", "text/plain")
		e.create("to", "text/plain")
		want := samples()
		for _, data := range want {
			e.append("s", data)
		}
		c, plain := e.dialDeflate("s?append=to", mode), e.dial("s")
		for _, data := range want {
			c.want(cws.MessageText, data)
			plain.want(cws.MessageText, data)
			c.send("%s", data)
		}
		_ = c.Conn.Close(cws.StatusNormalClosure, "")
		if got := e.content("to"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v: what was appended differs", mode)
		}
	}
}

func TestCompressedOperations(t *testing.T) {
	e := newEnv(t, Options{Compression: true})
	e.create("s", "text/plain")
	c := e.dialDeflate("s", cws.CompressionNoContextTakeover, Protocol)
	c.send(`{"op":"follow","id":1}`)
	for i, data := range samples() {
		quoted, _ := json.Marshal(data)
		c.send(`{"op":"append","id":%d,"records":[{"data":%s}]}`, i, quoted)
		acked, got := false, ""
		for !acked || got != data {
			switch m := c.next(); m.Op {
			case "ack":
				acked = true
			case "records":
				for _, r := range m.Records {
					var piece string
					if err := json.Unmarshal(r.Data, &piece); err != nil {
						t.Fatal(err)
					}
					got += piece
				}
			default:
				t.Fatalf("got %+v", m)
			}
		}
	}
}

// offer is the header of an offer.
const offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"

// deflated is data as a client that knows RFC 7692 sends it.
func deflated(data string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = io.WriteString(w, data)
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), flushed)
}

// marked is a frame with the bit that says that its message is compressed.
func marked(op ws.OpCode, fin bool, payload string) []byte {
	f := frame(op, fin, payload)
	f[0] |= 0x40
	return f
}

// Only what is worth it is compressed, and followers share the work.
func TestWhatIsCompressed(t *testing.T) {
	e := newEnv(t, Options{Compression: true})
	e.create("s", "text/plain")
	short, long, noise := "short", strings.Repeat("long", 1000), samples()[1][:2000]
	e.append("s", short, long, noise)
	read := func(r *raw) (compressed []bool) {
		for range 3 {
			f, err := readFrame(r.in)
			if err != nil {
				t.Fatal(err)
			}
			compressed = append(compressed, f.Header.Rsv1())
			if f.Header.Rsv1() && len(f.Payload) > 100 {
				t.Errorf("%d bytes were sent for %d", len(f.Payload), len(long))
			}
		}
		return compressed
	}
	if got := read(e.dialRaw("s", offer)); fmt.Sprint(got[:2]) != "[false true]" {
		t.Errorf("compressed are %v", got)
	}
	for name, r := range map[string]*raw{"without an offer": e.dialRaw("s", ""), "with one that is declined": e.dialRaw("s",
		"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n")} {
		if got := read(r); fmt.Sprint(got) != "[false false false]" {
			t.Errorf("%s: compressed are %v", name, got)
		}
	}
	off := newEnv(t, Options{})
	off.create("s", "text/plain")
	off.append("s", short, long, noise)
	if got := read(off.dialRaw("s", offer)); fmt.Sprint(got) != "[false false false]" {
		t.Errorf("unless configured, compressed are %v", got)
	}
}

// RFC 7692, sections 6 and 7.2.3: what a client may send.
func TestCompressedInput(t *testing.T) {
	e := newEnv(t, Options{Compression: true})
	e.create("s", "text/plain")
	text := strings.Repeat("Grüße ", 300)
	packed := deflated(text)
	last := "\xf3\x48\xcd\xc9\xc9\x07\x00" // "Hello" in a block that says it is the last
	for name, tt := range map[string]struct {
		frames [][]byte
		want   string
	}{
		"whole":             {[][]byte{marked(ws.OpText, true, packed)}, text},
		"in fragments":      {[][]byte{marked(ws.OpText, false, packed[:1]), frame(ws.OpPing, true, ""), frame(ws.OpContinuation, false, packed[1:5]), frame(ws.OpContinuation, true, packed[5:])}, text},
		"not compressed":    {[][]byte{text1("as it is")}, "as it is"},
		"a final block":     {[][]byte{marked(ws.OpText, true, last+"\x00")}, "Hello"},
		"final, no padding": {[][]byte{marked(ws.OpText, true, last)}, "Hello"},
		"two blocks":        {[][]byte{marked(ws.OpText, true, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")}, "Hello"},
		"a stored block":    {[][]byte{marked(ws.OpText, true, "\x00\x05\x00\xfa\xffHello\x00")}, "Hello"},
	} {
		e.create(name, "text/plain")
		r := e.dialRaw("s?append="+strings.ReplaceAll(name, " ", "%20"), offer)
		r.send(tt.frames...)
		r.send(frame(ws.OpClose, true, "\x03\xe8"))
		r.wantClose(1000)
		if got := strings.Join(e.content(name), "|"); got != tt.want {
			t.Errorf("%s: appended was %.100q", name, got)
		}
	}
}

func TestBadCompressedInput(t *testing.T) {
	e := newEnv(t, Options{Compression: true})
	e.create("s", "text/plain")
	packed := deflated("Hello, hello, hello")
	ping := frame(ws.OpPing, true, "")
	ping[0] |= 0x40
	rsv2 := marked(ws.OpText, true, packed)
	rsv2[0] |= 0x20
	for name, tt := range map[string]struct {
		frames [][]byte
		code   ws.StatusCode
	}{
		"no deflate":              {[][]byte{marked(ws.OpText, true, "\xff\xff\xff")}, 1007},
		"cut short":               {[][]byte{marked(ws.OpText, true, packed[:4])}, 1007},
		"more behind the last":    {[][]byte{marked(ws.OpText, true, "\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00")}, 1007},
		"no characters":           {[][]byte{marked(ws.OpText, true, deflated("\xff\xfe"))}, 1007},
		"a compressed ping":       {[][]byte{ping}, 1002},
		"a marked continuation":   {[][]byte{marked(ws.OpText, false, packed[:3]), marked(ws.OpContinuation, true, packed[3:])}, 1002},
		"another reserved bit":    {[][]byte{rsv2}, 1002},
		"characters cut in parts": {[][]byte{frame(ws.OpText, false, "\xe2\x82"), frame(ws.OpContinuation, true, "")}, 1007},
	} {
		r := e.dialRaw("s?append=s", offer)
		r.send(tt.frames...)
		if reason := r.wantClose(tt.code); reason == "" {
			t.Errorf("%s: no reason", name)
		}
	}
	r := e.dialRaw("s?append=s", "")
	r.send(marked(ws.OpText, true, packed))
	r.wantClose(1002)
}

// A bomb costs no more than the largest message that may be sent.
func TestABombIsEnded(t *testing.T) {
	const record = 1 << 20
	e := newEnv(t, Options{Compression: true, Limits: freshet.Limits{Record: record}})
	e.create("s", "text/plain")
	bomb := deflated(strings.Repeat("\x00", 16*record))
	if len(bomb) > record/8 {
		t.Fatalf("16 MiB are %d bytes", len(bomb))
	}
	r := e.dialRaw("s?append=s", offer)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r.send(marked(ws.OpText, false, bomb[:1000]), frame(ws.OpContinuation, true, bomb[1000:]))
	if reason := r.wantClose(1009); !strings.Contains(reason, "decompressed") {
		t.Errorf("the reason is %q", reason)
	}
	runtime.ReadMemStats(&after)
	// Both forms of the message, by doubling, and the test's own frames.
	if n := after.TotalAlloc - before.TotalAlloc; n > 16*record {
		t.Errorf("it took %d bytes to find out", n)
	}
	if len(e.content("s")) != 0 {
		t.Error("something was appended")
	}
}

func TestInflateStopsAtTheLimit(t *testing.T) {
	var i inflater
	for _, n := range []int{0, 1, 100, growBytes, 100_000} {
		data := strings.Repeat("x", n)
		got, err := i.message([]byte(deflated(data)), n)
		if err != nil || string(got) != data {
			t.Errorf("%d bytes: got %d, error %v", n, len(got), err)
		}
		if n > 0 {
			if got, err := i.message([]byte(deflated(data)), n-1); err != errInflated {
				t.Errorf("%d bytes of %d: got %d, error %v", n, n-1, len(got), err)
			}
		}
	}
}

func FuzzInflate(f *testing.F) {
	f.Add([]byte(deflated("hello")), 5)
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00"), 100)
	f.Fuzz(func(t *testing.T, compressed []byte, limit int) {
		limit = int(uint(limit) % (1 << 16))
		var i inflater
		got, err := i.message(bytes.Clone(compressed), limit)
		if len(got) > limit || err != nil && err != errInflated && err != errDeflate {
			t.Errorf("got %d bytes of %d, error %v", len(got), limit, err)
		}
		var d deflater
		b := append([]byte("head"), compressed...)
		d.replace(&b, 4, true, false)
		if back, err := i.message(b[4:], len(compressed)); err != nil || !bytes.Equal(back, compressed) || string(b[:4]) != "head" {
			t.Errorf("%q became %q, error %v", compressed, back, err)
		}
	})
}
