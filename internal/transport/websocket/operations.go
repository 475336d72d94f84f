package websocket

import (
	"net/http"
	"net/url"
	"sync"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/problem"
)

// operations is the session of a connection with the subprotocol [Protocol].
// An operation that fails is answered, and nothing else suffers from it.
type operations struct {
	c *conn
	// stream is the one that an operation means which names none, if any.
	stream string
	// to is used by the connection's jobs.
	to target

	mu    sync.Mutex
	feeds map[string]*feed
}

// serveOperations answers a request for a connection with operations. An error
// means that the request was not upgraded, unless it is errUpgrade.
func (t *Transport) serveOperations(w http.ResponseWriter, asked handshake, stream string, _ url.Values) error {
	nc, early, err := t.upgrade(w, asked)
	if err != nil {
		return err
	}
	c := t.newConn(asked, nc, early, t.opts.operationLimit())
	c.session = &operations{c: c, stream: stream, to: target{hub: t.opts.Hub}, feeds: map[string]*feed{}}
	t.run(c)
	return nil
}

// message does what the client asks for, or lets it be done.
func (o *operations) message(op ws.OpCode, payload []byte) error {
	if op != ws.OpText {
		return o.answer(errorMessage(nil, problem.ErrMessage.With("an operation is JSON in a text message"), nil))
	}
	r, err := readRequest(payload)
	if err == nil {
		err = o.do(&r, len(payload))
	}
	if err != nil {
		return o.answer(errorMessage(r.ID, err, nil))
	}
	return nil
}

// answer sends a message.
func (o *operations) answer(message []byte) error { return o.c.out.send(ws.OpText, message) }

// do begins an operation. size is that of its message, in bytes. An error is
// that of the operation.
func (o *operations) do(r *request, size int) error {
	if r.Op == opAuth {
		return problem.ErrFeature.With("this server does not ask for tokens on a connection yet")
	}
	if r.Stream == "" {
		r.Stream = o.stream
	}
	if err := freshet.ValidateName(r.Stream); err != nil {
		return err
	}
	switch r.Op {
	case opFollow:
		return o.follow(r)
	case opUnfollow:
		return o.unfollow(r)
	case opAppend:
		o.c.line.stays = true
		if err := checkTarget(r.Stream); err != nil {
			return err
		}
		o.c.push(size, func() { o.append(r) })
	case opClose:
		o.c.push(size, func() { o.close(r) })
	}
	return nil
}

// append appends and answers.
func (o *operations) append(r *request) {
	producer, err := r.producer()
	var result freshet.Result
	if err == nil {
		if o.to.name != r.Stream {
			o.to = target{hub: o.to.hub, name: r.Stream}
		}
		result, err = o.to.append(o.c.t.appending, producer, r.records)
	}
	o.settle(r, result, err)
}

// close closes a stream and answers.
func (o *operations) close(r *request) {
	reason, err := freshet.ParseReason(r.Reason)
	var result freshet.Result
	if err == nil {
		result, err = o.to.hub.Append(o.c.t.appending, r.Stream, freshet.Append{Close: &freshet.Closing{Reason: reason}})
	}
	o.settle(r, result, err)
}

// settle answers an append or a close. That nobody may be there to hear it is
// not an error.
func (o *operations) settle(r *request, result freshet.Result, err error) {
	if err != nil {
		o.c.t.report(err)
		_ = o.answer(errorMessage(r.ID, err, &result))
		return
	}
	_ = o.answer(ackMessage(r.ID, result.Tail, result.Duplicate))
}
