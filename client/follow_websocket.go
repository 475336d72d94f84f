package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/freshet-stream/freshet"
)

// subprotocol is that of the messages below.
const subprotocol = "freshet.v1.json"

// followMessage asks for the stream of the connection's URL.
type followMessage struct {
	Op     string `json:"op"`
	ID     int    `json:"id"`
	Offset string `json:"offset,omitempty"`
	// Wait is in seconds.
	Wait int `json:"wait,omitempty"`
}

// serverMessage is what a server sends, but for what endOf and gapOf read.
type serverMessage struct {
	Op      string
	Records []struct {
		Offset, Type string
		Data         json.RawMessage
	}
	Code, Message string
}

// A webSocketSource is one WebSocket.
type webSocketSource struct {
	follower *Follower
	conn     *websocket.Conn
	watch    *watch
}

func (f *Follower) openWebSocket() (source, error) {
	if err := f.resolve(); err != nil {
		return nil, err
	}
	w := newWatch(f.ctx, f.opts.IdleTimeout)
	conn, err := f.dial(w)
	if err != nil {
		w.stop()
		return nil, w.explain(err)
	}
	s := &webSocketSource{follower: f, conn: conn, watch: w}
	if err := s.follow(); err != nil {
		s.close()
		return nil, w.explain(err)
	}
	w.disarm()
	return s, nil
}

func (f *Follower) dial(w *watch) (*websocket.Conn, error) {
	if err := freshet.ValidateName(f.name); err != nil {
		return nil, err
	}
	conn, resp, err := websocket.Dial(w.ctx, f.client.URL(f.name), &websocket.DialOptions{
		HTTPClient:   f.client.http,
		HTTPHeader:   f.client.header.Clone(),
		Subprotocols: []string{subprotocol},
		OnPingReceived: func(context.Context, []byte) bool {
			w.arm()
			return true
		},
	})
	switch {
	case err == nil && conn.Subprotocol() != subprotocol:
		_ = conn.CloseNow()
		return nil, fmt.Errorf("%w: it does not know the WebSocket subprotocol %s", ErrProtocol, subprotocol)
	case err == nil:
		conn.SetReadLimit(maxEventBytes)
		return conn, nil
	case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		return nil, errorOf(resp)
	}
	return nil, err
}

func (s *webSocketSource) follow() error {
	f := s.follower
	ask := followMessage{Op: "follow", ID: 1, Offset: f.at}
	if left := min(time.Until(f.until), maxWait); left > time.Second && !f.isReal() {
		ask.Wait = int(left / time.Second)
	}
	text, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	return s.conn.Write(s.watch.ctx, websocket.MessageText, text)
}

func (s *webSocketSource) close() {
	_ = s.conn.CloseNow()
	s.watch.stop()
}

func (s *webSocketSource) next() (message, error) {
	s.watch.arm()
	defer s.watch.disarm()
	text, err := s.read()
	if err != nil {
		return message{}, s.watch.explain(whyClosed(err))
	}
	var said serverMessage
	if err := json.Unmarshal(text, &said); isCut(text, err) {
		return message{}, errCutMessage
	} else if err != nil {
		return message{}, fmt.Errorf("%w: it sent a message that cannot be read: %w", ErrProtocol, err)
	}
	switch said.Op {
	case "records":
		return s.records(&said)
	case "closed":
		return endOf(text, "")
	case "gap":
		return gapOf(text)
	case "error":
		return message{}, &Error{Code: said.Code, Detail: said.Message}
	}
	// What a later server adds, an older client need not know.
	return message{}, nil
}

// errCutMessage is the drop of a connection within a message.
var errCutMessage = errors.New("the connection has ended within a message")

// isCut reports whether text is only the beginning of a message, which no
// beginning of a JSON object can hide. coder/websocket 1.8.15 takes the end of
// the connection for the end of the message if it comes between two reads.
func isCut(text []byte, err error) bool {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax) && syntax.Offset == int64(len(text))
}

func (s *webSocketSource) read() ([]byte, error) {
	_, r, err := s.conn.Reader(s.watch.ctx)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(s.watch.reader(r))
}

func (s *webSocketSource) records(said *serverMessage) (m message, err error) {
	kind, err := s.follower.learn()
	if err != nil {
		return m, err
	}
	m.records = make([]Record, len(said.Records))
	for i := range said.Records {
		from, to := &said.Records[i], &m.records[i]
		if from.Offset == "" {
			return m, fmt.Errorf("%w: it sent a record without an offset, after which nobody could go on", ErrProtocol)
		}
		to.Offset, to.Type, m.at = from.Offset, from.Type, from.Offset
		switch kind {
		case freshet.KindJSON:
			to.Data = from.Data
		case freshet.KindBytes:
			if to.Data, err = decodeString(from.Data); err == nil {
				to.Data, err = decodeBase64(to.Data)
			}
		default:
			to.Data, err = decodeString(from.Data)
		}
		if err != nil {
			return message{}, err
		}
	}
	return m, nil
}

// whyClosed tells the closing of a WebSocket for good from a drop, by its code
// (RFC 6455, section 7.4).
func whyClosed(err error) error {
	var closed websocket.CloseError
	if !errors.As(err, &closed) {
		return err
	}
	switch closed.Code {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusInternalError,
		websocket.StatusServiceRestart, websocket.StatusTryAgainLater, websocket.StatusBadGateway:
		return err
	}
	return fmt.Errorf("%w: %w", &Error{Detail: closed.Reason}, err)
}
