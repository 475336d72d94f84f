package sse

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/text"
	"github.com/freshet-stream/freshet/internal/wire"
	codec "github.com/freshet-stream/freshet/sse"
)

// A setSession is one response with several streams. Each has a goroutine, which
// takes from its follower only when it may write: none of them holds what the
// reader does not take.
type setSession struct {
	transport *Transport
	// foreign is the last event id that does not belong to this set, if one
	// was sent.
	foreign string

	mu       sync.Mutex
	response *wire.Response
	cursor   *setCursor
	wrote    time.Time
}

// run writes events until all streams have ended, the reader is gone, or the
// response is to end.
func (s *setSession) run(set []asked) {
	ctx, cancel := context.WithCancelCause(s.response.Context())
	defer cancel(nil)
	prelude := appendPrelude(nil, string(s.cursor.append(nil)))
	if s.foreign != "" {
		prelude = appendPrelude(nil, "")
	}
	if err := s.response.Write(prelude); err != nil {
		s.response.Abort()
	}
	var streams sync.WaitGroup
	var panicked atomic.Pointer[failure]
	for i := range set {
		if s.cursor.positions[i].state == ended {
			continue
		}
		streams.Go(func() {
			// net/http contains a panic in its own goroutine only: here it goes on.
			defer func() {
				if p := recover(); p != nil {
					panicked.Store(&failure{p, debug.Stack()})
					cancel(nil)
				}
			}()
			if err := s.follow(ctx, i, &set[i]); err != nil {
				cancel(err)
			}
		})
	}
	streams.Wait()
	if f := panicked.Load(); f != nil {
		panic(f)
	}
	if ctx.Err() != nil {
		s.response.Abort()
	}
	s.response.End()
}

// A failure is a panic of another goroutine, and where that was.
type failure struct {
	value any
	stack []byte
}

// Error makes net/http log it whole.
func (f *failure) Error() string { return fmt.Sprintf("%v\n%s", f.value, f.stack) }

// follow writes the events of one stream until its end was told.
func (s *setSession) follow(ctx context.Context, i int, a *asked) error {
	m := &member{session: s, index: i, name: a.Stream}
	from := a.cursor
	s.mu.Lock()
	if p := s.cursor.positions[i]; p.state == reading {
		from = freshet.Cursor{Offset: p.at}
	}
	s.mu.Unlock()
	requested := from.String()
	if s.foreign != "" {
		from, requested = freshet.Cursor{}, s.foreign
	}
	follower, err := s.transport.hub.Follow(ctx, a.Stream, hub.FollowOptions{Cursor: from, Idle: s.transport.heartbeat})
	if errors.Is(err, freshet.ErrNotFound) {
		return m.write(func(dst []byte) []byte { return m.appendGone(dst, requested, freshet.GapUnknown, from.Offset) })
	}
	if err != nil {
		return err
	}
	defer follower.Close()
	info, _ := follower.Info()
	m.kind = freshet.KindOf(info.Spec.ContentType)
	if at, _ := follower.At(); s.foreign != "" {
		err := m.write(func(dst []byte) []byte { return m.appendGap(dst, requested, freshet.GapDiverged, at) })
		if err != nil {
			return err
		}
	}
	for {
		batch, err := follower.Next(ctx)
		at, _ := follower.At()
		var gone *freshet.GapError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &gone):
			return m.write(func(dst []byte) []byte { return m.appendGone(dst, at.String(), gone.Why, at) })
		case err != nil:
			return err
		case batch.Idle:
			err = s.beat()
		default:
			err = m.write(func(dst []byte) []byte { return m.appendBatch(dst, &batch) })
		}
		if err != nil {
			return err
		}
	}
}

// beat sends a sign of life, unless another stream has just sent anything.
func (s *setSession) beat() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.wrote) < s.transport.heartbeat/2 {
		return nil
	}
	s.wrote = time.Now()
	return s.response.Write([]byte(heartbeat))
}

// A member is one stream of a set.
type member struct {
	session *setSession
	index   int
	name    string
	kind    freshet.Kind
	holder  text.Holder
	// joined is text that is gathered for one event.
	joined []byte
	last   freshet.Offset
}

// write has the response written to by one stream at a time.
func (m *member) write(fill func(dst []byte) []byte) error {
	s := m.session
	s.mu.Lock()
	defer s.mu.Unlock()
	out := wire.Buffer()
	*out = fill(*out)
	s.wrote = time.Now()
	err := error(nil)
	if len(*out) > 0 {
		err = s.response.Write(*out)
	}
	wire.Recycle(out)
	return err
}

// move notes the reader's position and appends the id that says it, which ends
// the event.
func (m *member) move(dst []byte, state standing, at freshet.Offset) []byte {
	m.session.cursor.positions[m.index] = position{state, at}
	dst = append(dst, "id: "...)
	dst = m.session.cursor.append(dst)
	return append(dst, '\n', '\n')
}

func (m *member) appendGap(dst []byte, requested, why string, resumed freshet.Offset) []byte {
	dst = m.appendTold(dst, freshet.TypeGap, map[string]string{"requested": requested, "resumed": resumed.String(), "why": why})
	m.holder.Reset()
	return m.move(dst, reading, resumed)
}

func (m *member) appendClosed(dst []byte, reason string, at freshet.Offset) []byte {
	dst = m.appendTold(dst, freshet.TypeClosed, map[string]string{"reason": reason})
	return m.move(dst, ended, at)
}

func (m *member) appendGone(dst []byte, requested, why string, at freshet.Offset) []byte {
	dst = m.appendTold(dst, freshet.TypeGap, map[string]string{"requested": requested, "resumed": "-1", "why": why})
	dst = append(dst, '\n')
	return m.appendClosed(dst, why, at)
}

// appendTold appends an event that is not a record, but for its id.
func (m *member) appendTold(dst []byte, typ string, data map[string]string) []byte {
	data["stream"] = m.name
	encoded, _ := json.Marshal(data)
	dst = append(dst, "event: "...)
	dst = append(dst, typ...)
	dst = append(dst, '\n')
	return codec.AppendData(dst, encoded)
}

// appendBatch appends what a follower got.
func (m *member) appendBatch(dst []byte, b *hub.Batch) []byte {
	defer b.Release()
	if gap := b.Gap; gap != nil {
		return m.appendGap(dst, gap.Requested.String(), gap.Why, gap.Resumed)
	}
	for i := range b.Len() {
		record := b.Record(i)
		if m.kind != freshet.KindText {
			dst = m.appendRecord(dst, record)
			continue
		}
		data, _, ok := m.holder.Take(record.Data)
		if !ok {
			continue
		}
		if len(m.joined) > 0 && len(m.joined)+len(data) > joinMost {
			dst = m.flush(dst)
		}
		m.joined = append(m.joined, data...)
		m.last = record.Offset
	}
	if b.Closed != nil && m.holder.Holding() {
		m.joined = append(m.joined, m.holder.Flush()...)
		m.last = b.Offset
	}
	dst = m.flush(dst)
	if b.Closed != nil {
		dst = m.appendClosed(dst, string(b.Closed.Reason), b.Offset)
	}
	return dst
}

// flush appends the text that is gathered as one event.
func (m *member) flush(dst []byte) []byte {
	if len(m.joined) > 0 {
		dst = m.appendRecord(dst, &freshet.Record{Data: m.joined, Offset: m.last})
		m.joined = nil
	}
	return dst
}

// appendRecord appends a record as an event.
func (m *member) appendRecord(dst []byte, r *freshet.Record) []byte {
	dst = append(dst, "event: record\ndata: {\"stream\":"...)
	dst = text.AppendQuoted(dst, []byte(m.name))
	dst = append(dst, `,"offset":"`...)
	dst = r.Offset.Append(dst)
	dst = append(dst, '"')
	if r.Type != "" {
		dst = append(dst, `,"type":`...)
		dst = text.AppendQuoted(dst, []byte(r.Type))
	}
	dst = append(dst, `,"data":`...)
	switch m.kind {
	case freshet.KindJSON:
		dst = append(dst, r.Data...)
	case freshet.KindBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, r.Data)
		dst = append(dst, '"')
	default:
		dst = text.AppendQuoted(dst, r.Data)
	}
	dst = append(dst, "}\n"...)
	return m.move(dst, reading, r.Offset)
}
