package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/wire"
	"github.com/freshet-stream/freshet/sse"
)

const (
	// headLook is how often a caller looks for a head that came without events.
	headLook = time.Second
	// heartbeat is a comment without the empty line that may follow one: the SDKs
	// for Python take that for an event without data, and fail.
	heartbeat = ":\n"
)

// A relay is a caller who gets a generation as the upstream has told it.
type relay struct {
	g        *Gateway
	w        http.ResponseWriter
	r        *http.Request
	id       string
	from     start
	follower *hub.Follower
	meta     Meta
	response *wire.Response
	// chunks is nil unless the answer is told as chunks.
	chunks *dialect.Chunks
	// idle is for how long nothing was sent.
	idle, idleStep time.Duration
}

// A start is where a caller begins.
type start struct {
	offset freshet.Offset
	// after is the number of the last event that is left out, of those that have
	// numbers.
	after int64
}

// beginning is the start of all of an answer.
func beginning() start { return start{after: -1} }

// relay serves a caller with a generation. An error means that nothing was sent.
func (g *Gateway) relay(w http.ResponseWriter, r *http.Request, id string, from start) error {
	ctx, done, err := g.attend(r.Context())
	if err != nil {
		return err
	}
	defer done()
	c := &relay{g: g, w: w, r: r, id: id, from: from, idleStep: min(headLook, g.opts.Heartbeat)}
	c.follower, err = g.opts.Hub.Follow(ctx, genPrefix+id, hub.FollowOptions{
		Cursor: freshet.Cursor{Offset: from.offset}, Idle: c.idleStep,
	})
	if err != nil {
		return err
	}
	defer c.follower.Close()
	if _, gap := c.follower.At(); gap != nil {
		w.Header().Set("Freshet-Gap", gap.Why)
		return freshet.ErrGap.With("this Last-Event-ID leads to nothing in its answer (%s); ask without it", gap.Why)
	}
	return c.run(ctx)
}

// attend makes a caller part of the work, so that a drain waits for it. The
// context ends when the caller leaves, and a little after the grace of a drain: by
// then the end of its generation was told, if this server made it.
func (g *Gateway) attend(ctx context.Context) (context.Context, func(), error) {
	work, done, err := g.opts.Work.Begin()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(work, func() {
		select {
		case <-time.After(partingTime):
			cancel(freshet.ErrShutdown)
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		stop()
		cancel(nil)
		done()
	}, nil
}

func (c *relay) run(ctx context.Context) error {
	for {
		batch, err := c.follower.Next(ctx)
		switch {
		case err != nil && c.response == nil:
			return err
		case err != nil:
			c.response.Abort()
		}
		begins := c.response == nil
		if begins {
			ready, err := c.lookForHead(ctx, &batch)
			switch {
			case err != nil:
				return err
			case !ready:
				continue
			case c.meta.Plain:
				return c.servePlain(ctx, &batch)
			}
			ctx = c.start(ctx)
		}
		if ended := c.deliver(ctx, &batch, begins); ended {
			c.response.End()
			return nil
		}
	}
}

// lookForHead reports whether the head of the answer is there, which is kept
// before the first event, and with it if it can.
func (c *relay) lookForHead(ctx context.Context, batch *hub.Batch) (ready bool, err error) {
	info, err := c.info(ctx)
	if err != nil {
		return false, err
	}
	if c.meta, err = metaOf(&info); err != nil {
		return false, err
	}
	c.chunks = newChunks(c.id, &c.meta)
	if batch.Closed == nil || c.meta.Status != 0 {
		return c.meta.Status != 0, nil
	}
	if batch.Closed.Reason == freshet.Interrupted {
		return false, freshet.ErrShutdown.With("the server that was to answer has ended; ask again")
	}
	// Whoever stopped the answer has asked for no error, and clients would ask
	// again upon one.
	c.meta.Status, c.meta.Header = http.StatusOK, http.Header{"Content-Type": {"text/event-stream"}}
	return true, nil
}

// storeTime is for how long a head is looked for while the store is away: by then
// the owner of the answer has given it up.
const storeTime = 2 * recordTime

// info returns what is known of the answer. While the store is away that is waited
// for: the upstream may answer, and who is refused asks it once more.
func (c *relay) info(ctx context.Context) (freshet.Info, error) {
	for begun := time.Now(); ; {
		info, err := c.g.opts.Hub.Info(ctx, genPrefix+c.id)
		if err == nil || !passes(err) || time.Since(begun) >= storeTime || !pause(ctx) {
			return info, err
		}
	}
}

// start sends the head.
func (c *relay) start(ctx context.Context) context.Context {
	c.setHeaders()
	h := c.w.Header()
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	if c.chunks != nil {
		h.Set(chunksHeader, chunksVersion)
	}
	c.response = wire.Start(ctx, c.w, c.meta.Status, &c.g.callers, drain.SSE)
	return c.response.Context()
}

func (c *relay) setHeaders() {
	h := c.w.Header()
	copyHeaders(h, c.meta.Header)
	h.Set("Freshet-Stream", genPrefix+c.id)
	h.Set("Content-Location", pathOf(c.id))
}

// deliver writes what the follower got, and the head if the response begins with
// it. It reports whether that was the end.
func (c *relay) deliver(ctx context.Context, batch *hub.Batch, begins bool) (ended bool) {
	if batch.Gap != nil {
		// The records are lost that the caller would need, and its SDK knows no way to
		// be told so.
		c.response.Abort()
	}
	out := wire.Buffer()
	defer wire.Recycle(out)
	*out = c.appendBatch(ctx, *out, batch)
	batch.Release()
	if len(*out) == 0 && c.beats(batch) {
		*out = append(*out, heartbeat...)
	}
	if (begins || len(*out) > 0) && c.response.Write(*out) != nil {
		c.response.Abort()
	}
	return batch.Closed != nil
}

// beats reports whether it is time for a sign of life.
func (c *relay) beats(batch *hub.Batch) bool {
	if !batch.Idle {
		return false
	}
	if c.idle += c.idleStep; c.idle < c.g.opts.Heartbeat {
		return false
	}
	c.idle = 0
	return true
}

func (c *relay) appendBatch(ctx context.Context, dst []byte, batch *hub.Batch) []byte {
	if c.chunks != nil {
		return c.appendChunks(dst, batch)
	}
	d := c.g.dialectOf(&c.meta)
	for i := range batch.Len() {
		record := batch.Record(i)
		c.idle = 0
		if c.from.leavesOut(d, record) {
			continue
		}
		dst = c.appendEvent(dst, record.Type, record.Data, record.Offset.String())
	}
	if n := batch.Len(); batch.Closed == nil || n > 0 && read(d, batch.Record(n-1)).End != "" {
		return dst
	}
	return c.appendEnd(ctx, dst, d, batch)
}

// leavesOut reports whether a caller who begins there has had an event. Only for
// those who have had some is it read: callers get events as they are.
func (s start) leavesOut(d dialect.Dialect, record *freshet.Record) bool {
	if s.after < 0 {
		return false
	}
	facts := read(d, record)
	return facts.Numbered && facts.Sequence <= s.after
}

func read(d dialect.Dialect, record *freshet.Record) dialect.Facts {
	return d.Read(dialect.Event{Type: record.Type, ID: record.ID, Data: record.Data})
}

// appendEvent appends an event as its upstream has sent it, with an id. One
// without data is left out: SDKs fail on it.
func (c *relay) appendEvent(dst []byte, typ string, data []byte, offset string) []byte {
	if len(data) == 0 {
		return dst
	}
	return sse.AppendEvent(dst, typ, data, c.id+"."+offset)
}

// appendEnd appends the events that tell an end which the last event has not told.
// Their id is the end's, so that whoever comes back with it gets it told again.
func (c *relay) appendEnd(ctx context.Context, dst []byte, d dialect.Dialect, batch *hub.Batch) []byte {
	tally, err := c.g.tally(ctx, c.id, d)
	if err != nil {
		c.response.Abort()
	}
	for _, e := range d.Ends(tally, *batch.Closed) {
		dst = c.appendEvent(dst, e.Type, e.Data, batch.Offset.String())
	}
	return dst
}

// tally reads a generation from its beginning. What an end that the upstream has
// not told says is made of that, and is rare; events are not read as they pass.
func (g *Gateway) tally(ctx context.Context, id string, d dialect.Dialect) (t dialect.Tally, err error) {
	const pageBytes = 256 << 10
	var at freshet.Offset
	for {
		page, err := g.opts.Hub.Read(ctx, genPrefix+id, at, freshet.Limit{Bytes: pageBytes})
		if err != nil || len(page.Records) == 0 {
			return t, err
		}
		for i := range page.Records {
			t.Add(read(d, &page.Records[i]))
			at = page.Records[i].Offset
		}
	}
}

// servePlain answers with a body that is not a stream of events.
func (c *relay) servePlain(ctx context.Context, batch *hub.Batch) error {
	var body []byte
	for {
		for i := range batch.Len() {
			body = append(body, batch.Record(i).Data...)
		}
		if batch.Closed != nil {
			break
		}
		next, err := c.follower.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		*batch = next
	}
	c.setHeaders()
	h, status := c.w.Header(), c.meta.Status
	setWhole(h)
	if c.chunks != nil {
		status, body = refusal(&c.meta, body)
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	if len(body) > 0 {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	c.response = wire.Start(ctx, c.w, status, &c.g.callers, drain.SSE)
	if len(body) > 0 && c.response.Write(body) != nil {
		c.response.Abort()
	}
	c.response.End()
	return nil
}
