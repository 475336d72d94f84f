package demo

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/guard"
	"github.com/freshet-stream/freshet/internal/problem"
	"github.com/freshet-stream/freshet/internal/wire"
)

const (
	// watchersMost bounds the pages that watch at once, tapsEach the
	// connections that one of them watches.
	watchersMost = 64
	tapsEach     = 8
	// sendTime is how long a page may take to read a message.
	sendTime = 10 * time.Second
	// parting is how long a page may take when the demo ends.
	parting = time.Second
	// inboundMost bounds what a page sends, which has nothing to say.
	inboundMost = 4 << 10
)

// serveWatch becomes a WebSocket that shows what is written to the connections
// with the given taps. The last who asks for a tap gets it.
func (d *Demo) serveWatch(w http.ResponseWriter, r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return problem.ErrQuery.With("the query cannot be parsed: %v", err)
	}
	wanted := query["tap"]
	if len(wanted) == 0 || len(wanted) > tapsEach {
		return problem.ErrQuery.With("the query has %d taps and may have 1 to %d, as in ?tap=RANDOM", len(wanted), tapsEach)
	}
	for _, tap := range wanted {
		if !isTap(tap) {
			return problem.ErrQuery.With("tap has to be %d to %d letters, digits, - and _", tapLeast, tapMost)
		}
	}
	if !guard.IsUpgrade(r) {
		return problem.ErrUpgrade.With("this is a WebSocket; connect with one")
	}
	tooMany := freshet.ErrOverloaded.With("%d pages are watching, which is as many as may be; close one", watchersMost)
	if err := d.begin(&d.watchers, watchersMost, tooMany); err != nil {
		return err
	}
	defer d.end(&d.watchers)
	// Once the page knows that it watches, nothing may escape it.
	watch := newWatcher()
	d.taps.watch(wanted, watch)
	defer d.taps.unwatch(wanted, watch)
	conn, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		// The answer has been sent.
		d.opts.Logger.Debug("upgrade tap", "error", err)
		return nil
	}
	serveSocket(d.ctx, conn, watch)
	return nil
}

func (t *taps) watch(wanted []string, w *watcher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watchers == nil {
		t.watchers = map[string]*watcher{}
	}
	for _, tap := range wanted {
		t.watchers[tap] = w
	}
}

func (t *taps) unwatch(wanted []string, w *watcher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tap := range wanted {
		if t.watchers[tap] == w {
			delete(t.watchers, tap)
		}
	}
}

// serveSocket sends what there is to show until the page leaves or ctx ends. It
// closes conn.
func serveSocket(ctx context.Context, conn net.Conn, watch *watcher) {
	// Closing ends a write that waits for the page.
	defer context.AfterFunc(ctx, func() {
		time.AfterFunc(parting, func() { _ = conn.Close() })
	})()
	ctx, cancel := context.WithCancel(ctx)
	out := &lockedWriter{conn: conn}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer cancel()
		listen(conn, out)
	})
	sendAll(ctx, out, watch)
	cancel()
	_ = conn.Close()
	reading.Wait()
}

// sendAll returns when ctx has ended or the page reads no longer.
func sendAll(ctx context.Context, out *lockedWriter, watch *watcher) {
	for {
		select {
		case <-ctx.Done():
			_ = out.write(ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusGoingAway, ""))))
			return
		case <-watch.ready:
		}
		messages, err := watch.take()
		if err != nil {
			return
		}
		pending := wire.Buffer()
		for _, m := range messages {
			*pending = append(*pending, ws.MustCompileFrame(ws.NewTextFrame(m))...)
		}
		err = out.write(*pending)
		wire.Recycle(pending)
		if err != nil {
			return
		}
	}
}

// listen answers pings until the page closes the connection or misbehaves.
func listen(conn net.Conn, out *lockedWriter) {
	control := wsutil.ControlFrameHandler(out, ws.StateServerSide)
	for {
		header, err := ws.ReadHeader(conn)
		if err != nil || header.Length > inboundMost || ws.CheckHeader(header, ws.StateServerSide) != nil {
			return
		}
		body := io.LimitReader(conn, header.Length)
		if header.OpCode.IsControl() {
			err = control(header, body)
		} else {
			_, err = io.Copy(io.Discard, body)
		}
		if err != nil {
			return
		}
	}
}

// A lockedWriter writes whole frames, from several goroutines.
type lockedWriter struct {
	mu   sync.Mutex
	conn net.Conn
}

func (w *lockedWriter) write(p []byte) error {
	_, err := w.Write(p)
	return err
}

// Write implements [io.Writer].
func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.conn.SetWriteDeadline(time.Now().Add(sendTime))
	return w.conn.Write(p)
}
