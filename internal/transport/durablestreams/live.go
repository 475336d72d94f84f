package durablestreams

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/wire"
)

// liveTime is after how long a response ends, so that clients come back and
// caches can put those together that ask for the same (section 10.2).
const liveTime = time.Minute

// errLiveTime ends a response whose time is over.
var errLiveTime = errors.New("the response has lasted long enough")

// live answers with the stream as server-sent events (section 5.8): an event
// with data, and after it one that says where it ends.
func (t *Transport) live(w http.ResponseWriter, r *http.Request, name string, q *query) error {
	follower, err := t.hub.Follow(r.Context(), name, hub.FollowOptions{Cursor: q.Cursor, Idle: t.opts.Heartbeat})
	if err != nil {
		return err
	}
	defer follower.Close()
	if _, gap := follower.At(); gap != nil {
		return gone(w, &freshet.GapError{Why: gap.Why, Oldest: gap.Resumed})
	}
	info, _ := follower.Info()
	kind := freshet.KindOf(info.Spec.ContentType)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no")
	if kind == freshet.KindBytes {
		h.Set("Stream-SSE-Data-Encoding", "base64")
	}
	s := &liveSession{
		follower: follower,
		response: wire.Start(r.Context(), w, http.StatusOK, t.opts.Exchanges, drain.LiveSSE),
		packer:   newPacker(kind),
		cursor:   q.cursor,
	}
	s.run()
	return nil
}

// A liveSession is one response.
type liveSession struct {
	follower *hub.Follower
	response *wire.Response
	packer   packer
	// cursor is the last that the client knows.
	cursor string
}

// run writes events until the stream ends, the time is over, the reader is gone,
// or the response is to end.
func (s *liveSession) run() {
	ctx, cancel := context.WithTimeoutCause(s.response.Context(), liveTime, errLiveTime)
	defer cancel()
	at, _ := s.follower.At()
	info, _ := s.follower.Info()
	if at == info.Tail && info.Closed == nil {
		s.write(s.appendControl(nil, at, true, false))
	} else {
		s.write([]byte("\n"))
	}
	for {
		batch, err := s.follower.Next(ctx)
		out := wire.Buffer()
		switch {
		case errors.Is(err, errLiveTime):
			s.response.End()
			return
		case err != nil || batch.Gap != nil:
			// Coming back, the client is told by a status.
			s.response.Abort()
		case batch.Idle:
			*out = append(*out, ":\n\n"...)
		default:
			*out = s.appendBatch(*out, &batch)
			batch.Release()
		}
		if len(*out) > 0 {
			s.write(*out)
		}
		wire.Recycle(out)
		if batch.Closed != nil {
			s.response.End()
			return
		}
	}
}

func (s *liveSession) write(p []byte) {
	if s.response.Write(p) != nil {
		s.response.Abort()
	}
}

// appendBatch appends the events of a batch.
func (s *liveSession) appendBatch(dst []byte, b *hub.Batch) []byte {
	info, _ := s.follower.Info()
	closed := b.Closed != nil
	told := false
	flush := func() {
		data, end := s.packer.take()
		if data == nil {
			return
		}
		dst = appendLines(append(dst, "event: data\n"...), data)
		dst = append(dst, '\n')
		last := end == b.Offset
		told = last
		dst = s.appendControl(dst, end, last && end == info.Tail, last && closed)
	}
	for i := range b.Len() {
		record := b.Record(i)
		if !s.packer.fits(record) {
			flush()
		}
		s.packer.add(record)
	}
	if closed {
		s.packer.finish(b.Offset)
	}
	flush()
	if closed && !told {
		dst = s.appendControl(dst, b.Offset, true, true)
	}
	return dst
}

// appendControl appends the event that says where the reader is.
func (s *liveSession) appendControl(dst []byte, at freshet.Offset, upToDate, closed bool) []byte {
	dst = append(dst, "event: control\ndata:{\"streamNextOffset\":\""...)
	dst = at.Append(dst)
	dst = append(dst, '"')
	if !closed {
		s.cursor = nextCursor(s.cursor)
		dst = append(dst, `,"streamCursor":"`...)
		dst = append(dst, s.cursor...)
		dst = append(dst, '"')
	}
	if upToDate {
		dst = append(dst, `,"upToDate":true`...)
	}
	if closed {
		dst = append(dst, `,"streamClosed":true`...)
	}
	return append(dst, "}\n\n"...)
}
