package workload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/coder/websocket"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// subprotocol is that of the operations over WebSocket.
const subprotocol = "freshet.v1.json"

// readLimit bounds a message of a server, in bytes.
const readLimit = 32 << 20

// An operator appends over a WebSocket, which it keeps.
type operator struct {
	line *line
	conn *websocket.Conn
	id   int
}

func (s *operator) perRecord() bool   { return false }
func (s *operator) closesApart() bool { return true }

func (s *operator) close() {
	if s.conn != nil {
		_ = s.conn.CloseNow()
		s.conn = nil
	}
}

// An operation is what a client sends.
type operation struct {
	Op       string          `json:"op"`
	ID       int             `json:"id"`
	Stream   string          `json:"stream,omitempty"`
	Offset   string          `json:"offset,omitempty"`
	Wait     int             `json:"wait,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Records  []operand       `json:"records,omitempty"`
	Producer *namedOperation `json:"producer,omitempty"`
}

type operand struct {
	Type string `json:"type,omitempty"`
	Data string `json:"data"`
}

type namedOperation struct {
	ID    string `json:"id"`
	Epoch uint64 `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// A message is what a server sends.
type message struct {
	Op        string `json:"op"`
	ID        int    `json:"id"`
	Stream    string `json:"stream"`
	Offset    string `json:"offset"`
	Duplicate bool   `json:"duplicate"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	Reason    string `json:"reason"`
	Requested string `json:"requested"`
	Resumed   string `json:"resumed"`
	Why       string `json:"why"`
	Records   []struct {
		Offset string          `json:"offset"`
		Data   json.RawMessage `json:"data"`
	} `json:"records"`
}

// uncertain are the codes of errors that say nothing of what was asked.
var uncertain = []string{
	freshet.ErrUncertain.Code, freshet.ErrUnavailable.Code, freshet.ErrOverloaded.Code, freshet.ErrShutdown.Code, "internal",
}

// send appends, and then closes if it is to. The two are not one step.
func (s *operator) send(ctx context.Context, door Door, a *attempt) answer {
	ctx, cancel := context.WithTimeout(ctx, 2*s.line.idle)
	defer cancel()
	if s.conn == nil {
		conn, _, err := dialWebSocket(ctx, s.line, door.url(a.stream))
		if err != nil {
			return unknown(err)
		}
		s.conn = conn
	}
	var got answer
	if len(a.records) > 0 {
		op := operation{Op: "append"}
		for _, r := range a.records {
			o := operand{Data: a.format.value(r, a.most)}
			if a.format == events {
				o.Type = "note"
			}
			op.Records = append(op.Records, o)
		}
		if p := a.producer; p != nil {
			op.Producer = &namedOperation{p.ID, p.Epoch, p.Seq}
		}
		got = s.ask(ctx, op)
	} else {
		got = s.ask(ctx, operation{Op: "close", Reason: string(a.close)})
		got.duplicate = true
	}
	if got.outcome == history.Unknown {
		s.close()
	}
	return got
}

// ask sends an operation and waits for its answer.
func (s *operator) ask(ctx context.Context, op operation) answer {
	s.id++
	op.ID = s.id
	if err := writeJSON(ctx, s.conn, op); err != nil {
		return unknown(err)
	}
	for {
		m, err := readMessage(ctx, s.conn)
		switch {
		case err != nil:
			return unknown(err)
		case m.ID != op.ID:
		case m.Op == "ack":
			return answer{outcome: history.Landed, offset: m.Offset, duplicate: m.Duplicate}
		case m.Op != "error":
		case slices.Contains(uncertain, m.Code):
			return unknown(errors.New(m.Message))
		default:
			return answer{outcome: history.Rejected, code: m.Code, err: errors.New(m.Message)}
		}
	}
}

// dialWebSocket opens a WebSocket at which operations can be sent.
func dialWebSocket(ctx context.Context, l *line, url string) (*websocket.Conn, http.Header, error) {
	conn, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient: l.http, Subprotocols: []string{subprotocol},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("open WebSocket: %w", err)
	}
	conn.SetReadLimit(readLimit)
	return conn, resp.Header, nil
}

// serverHeader is that in which a server tells its name.
const serverHeader = "Freshet-Server"

func writeJSON(ctx context.Context, conn *websocket.Conn, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return conn.Write(ctx, websocket.MessageText, text)
}

func readMessage(ctx context.Context, conn *websocket.Conn) (message, error) {
	var m message
	_, text, err := conn.Read(ctx)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	return m, err
}
