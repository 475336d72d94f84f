package websocket

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/gobwas/ws"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/ingest"
	"github.com/freshet-stream/freshet/internal/problem"
)

// A plain session follows one stream, a record a message, and appends the
// messages of the client to another if it was asked to.
type plain struct {
	c  *conn
	to *target
	// broken says that an append failed, after which none is made. It belongs
	// to the connection's jobs.
	broken bool
}

// servePlain answers a request for a plain connection. An error means that the
// request was not upgraded, unless it is errUpgrade.
func (t *Transport) servePlain(w http.ResponseWriter, asked handshake, name string, query url.Values) error {
	ctx := asked.request.Context()
	cursor, err := freshet.ParseCursorOf(name, query.Get("offset"))
	if err != nil {
		return err
	}
	var to *target
	if query.Has("append") {
		to = &target{hub: t.opts.Hub, name: query.Get("append")}
		if err := checkTarget(to.name); err != nil {
			return err
		}
		if err := to.look(ctx); err != nil {
			return fmt.Errorf("look at the stream to append to: %w", err)
		}
	}
	follower, lost, err := followOrGap(ctx, t.opts.Hub, name, hub.FollowOptions{Cursor: cursor, Idle: t.opts.Heartbeat})
	if err != nil {
		return err
	}
	nc, early, err := t.upgrade(w, asked)
	if err != nil {
		if follower != nil {
			follower.Close()
		}
		return err
	}
	c := t.newConn(asked, nc, early, t.opts.plainLimit())
	p := &plain{c: c, to: to}
	c.session = p
	if lost != nil {
		p.gone(nil, cursor.Offset, lost)
	} else {
		formats := &t.plain
		if c.out.deflate != nil {
			formats = &t.deflated
		}
		f := &follow{c: c, frames: &singles{&c.out, formats}, tell: p}
		t.work.Go(func() { f.run(c.ctx, c.ctx, follower) })
	}
	t.run(c)
	return nil
}

// message appends what the client sent.
func (p *plain) message(_ ws.OpCode, payload []byte) error {
	switch {
	case p.to == nil:
		return &fault{ws.StatusPolicyViolation, "to append what you send, connect with ?append=NAME"}
	case len(payload) == 0:
		return nil
	}
	p.c.line.stays = true
	p.c.push(len(payload), func() {
		if p.broken {
			return
		}
		_, err := p.to.append(p.c.t.appending, nil, func(kind freshet.Kind) ([]freshet.Record, error) {
			return plainRecords(kind, payload)
		})
		if err != nil {
			p.broken = true
			p.failed(nil, err)
		}
	})
	return nil
}

// plainRecords returns the record that a message of a plain connection stands
// for.
func plainRecords(kind freshet.Kind, payload []byte) ([]freshet.Record, error) {
	var record freshet.Record
	var err error
	switch kind {
	case freshet.KindJSON:
		record, err = ingest.Value(payload)
	case freshet.KindEvents:
		record, err = readEvent(payload)
	default:
		record.Data = payload
	}
	return []freshet.Record{record}, err
}

// closed ends the connection with the stream.
func (p *plain) closed(_ *[]byte, reason string) {
	p.c.stop(ws.StatusNormalClosure, reason)
}

// gap ends the connection, since it cannot be told where records go on.
func (p *plain) gap(_ *[]byte, gap *hub.Gap) bool {
	p.c.stop(statusGap, gap.Why+"; resume at "+gap.Resumed.String())
	return false
}

// gone ends the connection of a stream that does not exist any more.
func (p *plain) gone(_ *[]byte, _ freshet.Offset, lost *freshet.GapError) {
	p.c.stop(statusGap, lost.Why+"; the stream is gone, resume at -1 if it comes back")
}

// failed ends the connection over an error.
func (p *plain) failed(_ *[]byte, err error) {
	p.c.t.report(err)
	coded, what := problem.Of(err)
	p.c.stop(ws.StatusCode(what.Close), coded.Code+": "+coded.Detail)
}
