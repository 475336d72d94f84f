package workload

import (
	"context"
	"fmt"

	"github.com/coder/websocket"

	"github.com/freshet-stream/freshet"
)

// readWebSocket follows with operations. After the end it follows once more on
// the same connection, so that it would see anything that comes after the end.
func (r *reader) readWebSocket(ctx context.Context, door Door) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, head, err := dialWebSocket(ctx, r.line, door.url(r.stream.name))
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	op := operation{Op: "follow", ID: 1, Offset: r.cursor}
	if !isClosed(r.created) {
		op.Wait = 20
	}
	if err := writeJSON(ctx, conn, op); err != nil {
		return err
	}
	r.opened(viaWebSocket, head)
	return r.readMessages(ctx, conn)
}

func (r *reader) readMessages(ctx context.Context, conn *websocket.Conn) error {
	for {
		m, err := readMessage(ctx, conn)
		if err != nil {
			return err
		}
		switch m.Op {
		case "records":
			for _, record := range m.Records {
				names, err := r.format.one(record.Data)
				if err == nil {
					err = r.shown(ctx, record.Offset, names)
				}
				if err != nil {
					return err
				}
			}
		case "gap":
			r.gap(m.Requested, m.Resumed, m.Why)
		case "closed":
			r.end(m.Reason, "")
			return r.unfollow(ctx, conn)
		case "error":
			if m.Code == freshet.ErrNotFound.Code {
				return errMissing
			}
			return fmt.Errorf("follow: %s: %s", m.Code, m.Message)
		}
	}
}

// unfollow asks for something that every server answers in turn, and notes what
// comes before the answer.
func (r *reader) unfollow(ctx context.Context, conn *websocket.Conn) error {
	const id = 2
	if err := writeJSON(ctx, conn, operation{Op: "unfollow", ID: id, Stream: r.stream.name}); err != nil {
		return errEnded
	}
	for {
		m, err := readMessage(ctx, conn)
		switch {
		case err != nil, m.ID == id:
			return errEnded
		case m.Op == "closed":
			r.end(m.Reason, "")
		case m.Op == "records":
			for _, record := range m.Records {
				names, err := r.format.one(record.Data)
				if err != nil {
					return err
				}
				_ = r.shown(ctx, record.Offset, names)
			}
		}
	}
}
