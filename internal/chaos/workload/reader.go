package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// The transports by which a reader follows.
const (
	viaSSE       = "sse"
	viaLive      = "live=sse"
	viaWebSocket = "websocket"
	viaLongPoll  = "long-poll"
	viaSet       = "follow"
	viaClient    = "client"
)

// A reader follows one stream to its end, and writes down what it is shown. It
// is used by one goroutine.
type reader struct {
	*stream
	name string
	rng  *rand.Rand
	line *line
	// cursor is the last position it was told, as it sends it; "" before.
	cursor string
	// hop is after how many events it leaves for another server.
	hop int
	// ended says that it was told the end, gone that this was because there is no
	// such stream any more.
	ended, gone bool
	// encores is how often it comes back after the end, done that it does no more.
	encores int
	done    bool
}

// The reasons for which a reader lets a connection go by itself.
var (
	errHop     = errors.New("hop")
	errEnded   = errors.New("the end")
	errGaveUp  = errors.New("given up")
	errMissing = errors.New("the stream does not exist")
)

func (s *stream) newReader(name string, rng *rand.Rand) *reader {
	l := newLine(s.opts)
	l.settled = s.settled
	return &reader{stream: s, name: name, rng: rng, line: l, encores: rng.IntN(3)}
}

// read follows the stream over one of several transports at a time.
func (r *reader) read(ctx context.Context, over ...string) {
	defer r.line.close()
	for !r.done && ctx.Err() == nil {
		r.hop = 3 + r.rng.IntN(60)
		err := r.connect(ctx, pick(r.rng, over...))
		switch {
		case errors.Is(err, errEnded):
			r.encore()
			r.startOver()
		case errors.Is(err, errMissing) && r.deleted.Load() && !isReal(r.cursor):
			r.add(history.Event{Kind: history.Left})
			return
		}
		if r.impatient(err) || r.done {
			return
		}
		if !errors.Is(err, errHop) && !errors.Is(err, errEnded) {
			_ = rest(ctx, time.Duration(5+r.rng.IntN(200))*time.Millisecond)
		}
	}
}

func (r *reader) connect(ctx context.Context, via string) error {
	door := pick(r.rng, r.opts.Doors...)
	var err error
	switch via {
	case viaSSE:
		err = r.readSSE(ctx, door)
	case viaLive:
		err = r.readLive(ctx, door)
	case viaWebSocket:
		err = r.readWebSocket(ctx, door)
	case viaLongPoll:
		err = r.readLongPoll(ctx, door)
	default:
		return fmt.Errorf("there is no transport %s", via)
	}
	r.add(history.Event{Kind: history.Dropped, Why: fmt.Sprint(err)})
	return err
}

// encore decides whether to come back after the end.
func (r *reader) encore() {
	r.ended = true
	if r.encores--; r.encores < 0 || r.gone {
		r.done = true
	}
}

// startOver lets a reader that was told that the stream is gone begin anew, as
// another one, if the stream comes again.
func (r *reader) startOver() {
	if r.gone && r.again.Load() {
		r.name, r.cursor = r.name+"+", ""
		r.ended, r.gone, r.done = false, false, false
	}
}

// impatient reports whether the reader gives up, and says so.
func (r *reader) impatient(why error) bool {
	if !r.line.bored() {
		return false
	}
	r.add(history.Event{Kind: history.GaveUp, Why: fmt.Sprint(why)})
	return true
}

func (r *reader) add(e history.Event) {
	e.Stream, e.Who = r.stream.name, r.name
	r.opts.Recorder.Add(e)
}

func (r *reader) opened(via string, resp http.Header) {
	r.add(history.Event{Kind: history.Opened, Via: via, Server: resp.Get(serverHeader), Offset: r.cursor})
}

func (r *reader) placed(offset string) {
	r.cursor = offset
	r.add(history.Event{Kind: history.Placed, Offset: offset})
}

// shown notes records. It returns errHop when it is time for another server.
func (r *reader) shown(ctx context.Context, offset string, names []string) error {
	r.line.news()
	r.cursor = offset
	r.add(history.Event{Kind: history.Shown, Offset: offset, Records: names})
	if r.rng.IntN(30) == 0 {
		r.askTail(ctx)
	}
	if r.hop--; r.hop <= 0 {
		return errHop
	}
	return nil
}

func (r *reader) gap(requested, resumed, why string) {
	r.line.news()
	r.ended = false
	r.cursor = resumed
	r.add(history.Event{Kind: history.Gapped, Offset: requested, Resumed: resumed, Why: why})
}

func (r *reader) end(why, offset string) {
	r.line.news()
	r.gone = why == freshet.GapDeleted || why == freshet.GapExpired || why == freshet.GapUnknown
	r.add(history.Event{Kind: history.Ended, Offset: strings.TrimSuffix(offset, endSuffix), Why: why})
}

// refused notes that it was told to stay away, since it knows the end.
func (r *reader) refused() {
	r.line.news()
	r.add(history.Event{Kind: history.Refused})
}

// askTail asks some server for the tail, and notes it if it is told.
func (r *reader) askTail(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.opts.Idle)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, pick(r.rng, r.opts.Doors...).url(r.stream.name), nil)
	if err != nil {
		return
	}
	resp, err := r.line.http.Do(req)
	if err != nil {
		return
	}
	_ = resp.Body.Close()
	if tail := resp.Header.Get("Stream-Next-Offset"); resp.StatusCode == http.StatusOK && tail != "" {
		r.add(history.Event{Kind: history.Tail, Offset: tail, Server: resp.Header.Get(serverHeader)})
	}
}

// endSuffix follows the tail in the id with which SSE tells the end.
const endSuffix = "-end"

// isReal reports whether a cursor is a position that some server gave out.
func isReal(cursor string) bool {
	c, err := freshet.ParseCursor(cursor)
	return err == nil && c.IsReal()
}
