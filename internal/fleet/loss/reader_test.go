package loss_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/sse"
)

// A sighting is one thing that a reader was told: a record, a gap or the end.
type sighting struct {
	kind string
	// data is that of a record, offset where it ends; with the end, where it is.
	data, offset string
	// resumed and why are those of a gap, why also that of the end.
	resumed, why string
}

const (
	aRecord = "record"
	aGap    = "gap"
	anEnd   = "end"
)

// A reader follows one stream over one connection. Once it has left it can come
// back, with what it knows.
type reader struct {
	*rig
	name, stream, via string

	mu      sync.Mutex
	seen    []sighting
	changed chan struct{}
	// cursor is where it is.
	cursor string
	// failed is why the connection is over although nobody wanted that.
	failed error

	leave func()
	done  chan struct{}
}

// follow lets a reader begin, via sse or websocket.
func (r *rig) follow(at int, via, stream string) *reader {
	f := &reader{rig: r, stream: stream, via: via, changed: make(chan struct{})}
	f.comeBack(at)
	r.Cleanup(f.away)
	return f
}

// comeBack connects to a server, with the last cursor.
func (f *reader) comeBack(at int) {
	f.name = fmt.Sprintf("%s by %s of server %d", f.stream, f.via, at)
	ctx, cancel := context.WithCancel(f.Context())
	f.leave, f.done, f.failed = cancel, make(chan struct{}), nil
	done := f.done
	go func() {
		defer close(done)
		read := f.readSSE
		if f.via == "websocket" {
			read = f.readWebSocket
		}
		err := read(ctx, f.addrs[at])
		f.mu.Lock()
		defer f.mu.Unlock()
		if ctx.Err() == nil {
			f.failed = err
		}
		f.wake()
	}()
}

// away ends the connection and waits for that.
func (f *reader) away() {
	f.leave()
	<-f.done
}

// wake lets those look who wait. The lock is held.
func (f *reader) wake() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *reader) see(s sighting) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, s)
	switch s.kind {
	case aGap:
		f.cursor = s.resumed
	default:
		if s.offset != "" {
			f.cursor = s.offset
		}
	}
	f.wake()
}

// await waits until what the reader has seen is enough.
func (f *reader) await(what string, enough func([]sighting) bool) {
	f.Helper()
	timeout := time.After(patience)
	for {
		f.mu.Lock()
		seen, changed, failed := f.seen, f.changed, f.failed
		f.mu.Unlock()
		if enough(seen) {
			return
		}
		if failed != nil {
			f.Fatalf("%s: the connection broke before %s: %v; it saw %v", f.name, what, failed, seen)
		}
		select {
		case <-changed:
		case <-timeout:
			f.Fatalf("%s: never %s; it saw %v", f.name, what, seen)
		}
	}
}

// awaitRecord waits for a record with some data.
func (f *reader) awaitRecord(data string) {
	f.Helper()
	f.await("saw "+data, func(seen []sighting) bool {
		return len(seen) > 0 && count(seen, func(s sighting) bool { return s.kind == aRecord && s.data == data }) > 0
	})
}

// awaitEnd waits for the end and returns why it came.
func (f *reader) awaitEnd() (why string) {
	f.Helper()
	f.await("was told the end", func(seen []sighting) bool {
		if n := len(seen); n > 0 && seen[n-1].kind == anEnd {
			why = seen[n-1].why
			return true
		}
		return false
	})
	return why
}

// sightings returns what it has seen so far.
func (f *reader) sightings() []sighting {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

func count(seen []sighting, is func(sighting) bool) (n int) {
	for _, s := range seen {
		if is(s) {
			n++
		}
	}
	return n
}

// readSSE follows as an EventSource does.
func (f *reader) readSSE(ctx context.Context, addr string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/v1/stream/"+f.stream, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	if f.cursor != "" {
		req.Header.Set("Last-Event-ID", f.cursor)
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", resp.Status)
	}
	d := sse.NewDecoder(resp.Body, sse.DecoderOptions{IDOnly: true, LastEventID: f.cursor})
	for {
		e, err := d.Next()
		if err != nil {
			return err
		}
		var about struct{ Reason, Resumed, Why string }
		switch string(e.Type) {
		case freshet.TypeGap:
			err = json.Unmarshal(e.Data, &about)
			f.see(sighting{kind: aGap, resumed: about.Resumed, why: about.Why})
		case freshet.TypeClosed:
			err = json.Unmarshal(e.Data, &about)
			f.see(sighting{kind: anEnd, offset: string(e.ID), why: about.Reason})
		default:
			if e.Data != nil {
				f.see(sighting{kind: aRecord, data: string(e.Data), offset: string(e.ID)})
			}
		}
		if err != nil {
			return err
		}
	}
}

// readWebSocket follows by an operation of freshet.v1.json.
func (f *reader) readWebSocket(ctx context.Context, addr string) error {
	conn, _, err := websocket.Dial(ctx, "ws://"+addr+"/v1/stream/"+f.stream, &websocket.DialOptions{
		HTTPClient: f.http, Subprotocols: []string{"freshet.v1.json"},
	})
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	conn.SetReadLimit(1 << 20)
	follow, err := json.Marshal(map[string]any{"op": "follow", "id": 1, "offset": f.cursor})
	if err != nil {
		return err
	}
	if err := conn.Write(ctx, websocket.MessageText, follow); err != nil {
		return err
	}
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		var m struct {
			Op, Reason, Resumed, Why, Code, Message string
			Records                                 []struct {
				Offset string
				Data   json.RawMessage
			}
		}
		if err := json.Unmarshal(text, &m); err != nil {
			return err
		}
		for _, record := range m.Records {
			f.see(sighting{kind: aRecord, data: string(record.Data), offset: record.Offset})
		}
		switch m.Op {
		case "gap":
			f.see(sighting{kind: aGap, resumed: m.Resumed, why: m.Why})
		case "closed":
			f.see(sighting{kind: anEnd, why: m.Reason})
		case "error":
			return errors.Join(io.ErrUnexpectedEOF, fmt.Errorf("%s: %s", m.Code, m.Message))
		}
	}
}
