package websocket

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/problem"
)

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(`{"op":"follow","id":"1","stream":"s","offset":"now","wait":1.5}`))
	f.Add([]byte(`{"op":"append","id":-1e5,"records":[{"data":"x","type":"t"},{"data":{"a":[]}}],"producer":{"id":"p","epoch":1,"seq":2}}`))
	f.Add([]byte(`{"op":"close","id":1,"reason":"failed"}`))
	f.Add([]byte(`{"op":"append","id":{},"records":[{"data":"` + "\xff" + `"}]}`))
	items := itemFormats()
	f.Fuzz(func(t *testing.T, message []byte) {
		r, err := readRequest(message)
		if err != nil && !errors.Is(err, problem.ErrMessage) {
			t.Fatalf("the error is %v", err)
		}
		for _, reply := range [][]byte{ackMessage(r.ID, freshet.Offset{}, true), errorMessage(r.ID, freshet.ErrClosed, nil)} {
			if !json.Valid(reply) {
				t.Fatalf("%q is answered with %q", message, reply)
			}
		}
		if err != nil {
			return
		}
		for kind := freshet.KindBytes; kind <= freshet.KindEvents; kind++ {
			records, err := r.records(kind)
			if err != nil {
				if !errors.Is(err, freshet.ErrRecord) && !errors.Is(err, freshet.ErrEmpty) {
					t.Fatalf("the error is %v", err)
				}
				continue
			}
			for _, record := range records {
				item := items[kind].append(nil, &record)
				if !json.Valid(item) {
					t.Fatalf("the item of %q is %q", record.Data, item)
				}
			}
		}
		_, _ = r.producer()
		_, _ = r.wait()
	})
}

// Whatever comes and however it is cut, messages are the same, and within
// bounds.
func FuzzReceiver(f *testing.F) {
	f.Add(text1("a€"))
	f.Add(append(frame(ws.OpText, false, "\xe2"), append(frame(ws.OpPing, true, "p"), frame(ws.OpContinuation, true, "\x82\xac")...)...))
	f.Add([]byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4})
	f.Add(frame(ws.OpBinary, true, string(make([]byte, 700))))
	f.Add(frame(ws.OpClose, true, "\x03\xe8bye"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		const limit = 600
		read := func(src io.Reader, early []byte) (out []byte, err error) {
			r := receiver{in: input{src: src, early: early}, limit: limit}
			r.pong = func(p []byte) error {
				if len(p) > 125 {
					t.Fatalf("a ping of %d bytes", len(p))
				}
				out = append(out, "pong "+string(p)...)
				return nil
			}
			for {
				op, message, err := r.next()
				if err != nil {
					return out, err
				}
				if len(message) > limit || op == ws.OpText && !utf8.Valid(message) || op != ws.OpText && op != ws.OpBinary {
					t.Fatalf("got the message %v %q", op, message)
				}
				out = append(append(out, byte(op)), message...)
			}
		}
		whole, err := read(bytes.NewReader(sent), nil)
		single, err1 := read(iotest.OneByteReader(bytes.NewReader(sent)), nil)
		early, err2 := read(bytes.NewReader(nil), sent)
		if !bytes.Equal(whole, single) || !bytes.Equal(whole, early) || err.Error() != err1.Error() || err.Error() != err2.Error() {
			t.Fatalf("%q gives %q %v, %q %v, and %q %v", sent, whole, err, single, err1, early, err2)
		}
	})
}

// Frames that are put together in place are those of the library.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("before"), 0)
	f.Add([]byte(""), 125)
	f.Add([]byte("x"), 126)
	f.Add([]byte("x"), 65535)
	f.Add([]byte("x"), 65536)
	f.Fuzz(func(t *testing.T, before []byte, n int) {
		if n < 0 || n > 1<<20 {
			return
		}
		payload := bytes.Repeat([]byte("p"), n)
		b := bytes.Clone(before)
		at := beginFrame(&b)
		b = append(b, payload...)
		endFrame(&b, at, ws.Header{OpCode: ws.OpText, Fin: true})
		want := append(bytes.Clone(before), ws.MustCompileFrame(ws.NewTextFrame(payload))...)
		if !bytes.Equal(b, want) || !bytes.Equal(appendFrame(before, ws.OpText, payload), want) {
			t.Fatalf("a frame of %d bytes is %.20q", n, b)
		}
	})
}

// A long record cut into frames reads as it would in one piece.
func FuzzCodecsCut(f *testing.F) {
	f.Add([]byte("a€😀\xe2\x82é\xff\x80\x80\x80\x80\x80"), 3)
	f.Add([]byte("\xf0\x9f\x98\x80\xf0\x9f\x98"), 5)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		if n < 4 || n > 100 {
			return
		}
		for i, c := range []codec{asIs(), asText(), asString(), asBase64()} {
			var got []byte
			for rest := data; ; {
				if len(rest) <= n {
					got = c.append(got, rest)
					break
				}
				k := c.cut(rest, n)
				if k <= 0 || k > n {
					t.Fatalf("codec %d cuts at %d of %d", i, k, n)
				}
				got, rest = c.append(got, rest[:k]), rest[k:]
			}
			if want := c.append(nil, data); !bytes.Equal(got, want) {
				t.Fatalf("codec %d gives %q in pieces of %d, want %q", i, got, n, want)
			}
		}
	})
}
