package generation_test

import (
	"context"
	"strings"

	"github.com/coder/websocket"
)

// A socket follows a stream over WebSocket.
type socket struct {
	ctx      context.Context
	conn     *websocket.Conn
	messages []string
}

// socket follows a stream on a server.
func (r *rig) socket(i int, name string) *socket {
	r.Helper()
	c, _, err := websocket.Dial(r.ctx, r.urls[i]+"/v1/stream/"+name, &websocket.DialOptions{Subprotocols: []string{"freshet.v1.json"}})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = c.CloseNow() })
	if err := c.Write(r.ctx, websocket.MessageText, []byte(`{"op":"follow","id":1}`)); err != nil {
		r.Fatal(err)
	}
	return &socket{ctx: r.ctx, conn: c}
}

// toEnd reads until it is told the end.
func (s *socket) toEnd() error {
	for !strings.Contains(s.last(), `"op":"closed"`) {
		_, message, err := s.conn.Read(s.ctx)
		if err != nil {
			return err
		}
		s.messages = append(s.messages, string(message))
	}
	return nil
}

// last returns the last message that was read.
func (s *socket) last() string {
	if len(s.messages) == 0 {
		return ""
	}
	return s.messages[len(s.messages)-1]
}
