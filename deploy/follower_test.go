package deploy_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/freshet-stream/freshet/sse"
)

// An events is a follower over SSE.
type events struct {
	rig    *rig
	body   io.ReadCloser
	in     *sse.Decoder
	server string
}

// follow follows a stream over SSE after an id, if there is one.
func (r *rig) follow(c *http.Client, name, lastID string) *events {
	r.t.Helper()
	e, err := r.tryFollow(c, name, lastID)
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// tryFollow is follow, for when the connection may be lost first.
func (r *rig) tryFollow(c *http.Client, name, lastID string) (*events, error) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url(name), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := c.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		r.t.Fatalf("follow %s: %s %s", name, answer.Status, text)
	}
	r.t.Cleanup(func() { _ = answer.Body.Close() })
	if answer.Header.Get("Content-Encoding") != "" {
		r.t.Errorf("the events are packed: %v", answer.Header)
	}
	return &events{r, answer.Body, sse.NewDecoder(answer.Body, sse.DecoderOptions{}), by(answer)}, nil
}

// next returns the next number.
func (e *events) next() (int, error) {
	event, err := e.in.Next()
	if err != nil {
		return 0, err
	}
	if len(event.Type) > 0 {
		return 0, fmt.Errorf("got the event %s: %s", event.Type, event.Data)
	}
	return strconv.Atoi(string(event.Data))
}

// want stops the test unless these are the next numbers.
func (e *events) want(numbers ...int) {
	e.rig.t.Helper()
	for _, want := range numbers {
		if got, err := e.next(); err != nil || got != want {
			e.rig.t.Fatalf("%s sent %d (%v), want %d", e.server, got, err, want)
		}
	}
}

// leave hangs up, and returns the id with which to come back.
func (e *events) leave() string {
	_ = e.body.Close()
	return e.in.LastEventID()
}

// A socket is a follower over WebSocket.
type socket struct {
	rig    *rig
	conn   *websocket.Conn
	server string
	// offset is that after the last record.
	offset string
}

// dial opens a WebSocket at a path, with the client's cookies.
func (r *rig) dial(c *http.Client, path string) *socket {
	r.t.Helper()
	s, err := r.tryDial(c, path)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *rig) tryDial(c *http.Client, path string) (*socket, error) {
	r.t.Helper()
	conn, answer, err := websocket.Dial(r.t.Context(), r.balancer.URL()+path, &websocket.DialOptions{
		HTTPClient: c, Subprotocols: []string{"freshet.v1.json"},
	})
	if err != nil {
		return nil, err
	}
	r.t.Cleanup(func() { _ = conn.CloseNow() })
	return &socket{rig: r, conn: conn, server: by(answer)}, nil
}

// follow asks for a stream after an offset, or from the beginning.
func (s *socket) follow(name, offset string) {
	s.rig.t.Helper()
	message := map[string]any{"op": "follow", "id": 1, "stream": name}
	if offset != "" {
		message["offset"] = offset
	}
	if err := wsjson.Write(s.rig.t.Context(), s.conn, message); err != nil {
		s.rig.t.Fatal(err)
	}
}

// next returns the numbers of the next message.
func (s *socket) next() ([]int, error) {
	var message struct {
		Op, Code, Message string
		Records           []struct {
			Offset string
			Data   int
		}
	}
	if err := wsjson.Read(s.rig.t.Context(), s.conn, &message); err != nil {
		return nil, err
	}
	if message.Op != "records" {
		return nil, fmt.Errorf("got %+v", message)
	}
	var numbers []int
	for _, record := range message.Records {
		numbers, s.offset = append(numbers, record.Data), record.Offset
	}
	return numbers, nil
}

// want stops the test unless these are the next numbers.
func (s *socket) want(numbers ...int) {
	s.rig.t.Helper()
	for len(numbers) > 0 {
		got, err := s.next()
		if err != nil {
			s.rig.t.Fatalf("%s: %v, want %d", s.server, err, numbers)
		}
		for _, n := range got {
			if len(numbers) == 0 || n != numbers[0] {
				s.rig.t.Fatalf("%s sent %d, want %d", s.server, got, numbers)
			}
			numbers = numbers[1:]
		}
	}
}

// wantLost stops the test unless the connection ends.
func (s *socket) wantLost() {
	s.rig.t.Helper()
	got, err := s.next()
	if err == nil || errors.Is(err, s.rig.t.Context().Err()) {
		s.rig.t.Fatalf("the connection of %s goes on: %d", s.server, got)
	}
}
