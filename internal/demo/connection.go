package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
)

// The ends of a connection.
const (
	endClosed = "closed"
	endReset  = "reset"
)

const (
	// retryWait is how long it takes until what could not be appended is tried
	// again.
	retryWait = time.Second
	// partingTime is for how long the end of a connection may take to be told.
	partingTime = 2 * time.Second
)

// A connection is one that carries a stream, over SSE or WebSocket, and is
// shown. Its own stream, that of its tap, is followed by the page, wherever
// that is connected: what happens to the connection is appended there, and so
// is what the page wants to happen to it.
type connection struct {
	hub    *hub.Hub
	log    *slog.Logger
	stream string
	// name is the connection's in messages, and as a producer.
	name  string
	queue *queue
	// life ends with the connection, or with the demo. over ends it.
	life context.Context
	over context.CancelFunc

	// mu guards cut, which ends the connection so that its reader sees it break.
	mu  sync.Mutex
	cut func()
}

// run shows the connection until it is over, and obeys. It closes orders.
func (c *connection) run(orders *hub.Follower) {
	var obeying sync.WaitGroup
	obeying.Go(func() {
		defer orders.Close()
		c.obey(orders)
	})
	defer obeying.Wait()
	seq := uint64(0)
	for last := false; !last; {
		select {
		case <-c.queue.ready:
		case <-c.life.Done():
			c.end(endClosed)
		}
		var waiting []message
		if waiting, last = c.queue.take(); len(waiting) == 0 {
			continue
		}
		if err := c.append(waiting, seq); err != nil {
			// It goes on unseen.
			c.log.Debug("show connection", "stream", c.stream, "error", err)
			return
		}
		seq++
	}
}

// append appends messages to the stream, as soon as the store lets it.
func (c *connection) append(messages []message, seq uint64) error {
	a := freshet.Append{Producer: &freshet.Producer{ID: c.name, Seq: seq}}
	for _, m := range messages {
		data, err := json.Marshal(&m)
		if err != nil {
			return err
		}
		a.Records = append(a.Records, freshet.Record{Data: data})
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer context.AfterFunc(c.life, func() { time.AfterFunc(partingTime, cancel) })()
	for {
		_, err := c.hub.Append(ctx, c.stream, a)
		passing := errors.Is(err, freshet.ErrUnavailable) || errors.Is(err, freshet.ErrUncertain) || errors.Is(err, freshet.ErrOverloaded)
		if !passing || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryWait):
		}
	}
}

// obey cuts the connection when the page says so.
func (c *connection) obey(orders *hub.Follower) {
	for {
		batch, err := orders.Next(c.life)
		if err != nil {
			return
		}
		for i := range batch.Len() {
			var said order
			if json.Unmarshal(batch.Record(i).Data, &said) == nil && said.Cut {
				c.reset()
				return
			}
		}
	}
}

// reset breaks the connection: by a TCP reset, or over HTTP/2 by a reset of its
// stream.
func (c *connection) reset() {
	c.end(endReset)
	c.mu.Lock()
	cut := c.cut
	c.mu.Unlock()
	cut()
}

// end says that the connection is over. The first end counts.
func (c *connection) end(how string) {
	c.tell(message{End: how})
	c.over()
}

// hijacked lets a cut reset conn, which is no longer HTTP's.
func (c *connection) hijacked(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = func() { reset(conn) }
}

// wrote shows bytes that were written, and does not keep them.
func (c *connection) wrote(p []byte) {
	if len(p) > 0 {
		c.tell(message{Bytes: bytes.Clone(p)})
	}
}

func (c *connection) tell(m message) {
	m.Conn, m.At = c.name, time.Now().UnixMilli()
	c.queue.offer(m)
}
