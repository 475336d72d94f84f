package demo

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/guard"
	"github.com/freshet-stream/freshet/internal/hub"
)

// tapStreams is what the names of the streams of taps begin with.
const tapStreams = "demo/tap-"

const (
	// Lengths of a tap.
	tapLeast = 16
	tapMost  = 64
	// tapTTL is for how long the stream of a tap outlives its use, and tapBytes
	// how much of it is kept.
	tapTTL   = time.Minute
	tapBytes = 1 << 20
	// tapTime bounds the preparations for a tap, for which the answer waits.
	tapTime = 2 * time.Second
	// connectionsMost bounds the connections of a server that are shown.
	connectionsMost = 128
)

// Tap lets the page that chose the request's tap see what the server writes as
// its answer, and cut it. What it returns is to be used instead of w and r. A
// request without a tap is left as it is, and so is one for the stream of a tap,
// which would show itself.
func (d *Demo) Tap(w http.ResponseWriter, r *http.Request, stream string) (http.ResponseWriter, *http.Request) {
	tap := r.URL.Query().Get("tap")
	if r.Method != http.MethodGet || !isTap(tap) || strings.HasPrefix(stream, tapStreams) {
		return w, r
	}
	tooMany := freshet.ErrOverloaded.With("%d connections are shown, which is as many as may be", connectionsMost)
	if err := d.begin(&d.connections, connectionsMost, tooMany); err != nil {
		d.opts.Logger.Debug("show connection", "stream", stream, "error", err)
		return w, r
	}
	orders, err := d.openTap(r.Context(), tapStreams+tap)
	if err != nil {
		d.end(&d.connections)
		d.opts.Logger.Debug("show connection", "stream", stream, "error", err)
		return w, r
	}
	ctx, cancel := context.WithCancel(r.Context())
	c := &connection{
		hub: d.opts.Hub, log: d.opts.Logger, stream: tapStreams + tap, name: rand.Text()[:8],
		queue: newQueue(), cut: cancel,
	}
	c.life, c.over = context.WithCancel(d.ctx)
	if conn := connOf(ctx); conn != nil && r.ProtoMajor == 1 {
		c.cut = func() {
			reset(conn)
			cancel()
		}
	}
	c.tell(message{Open: &opening{
		Server: d.opts.Name, Protocol: r.Proto, Path: r.URL.EscapedPath(),
		WebSocket: guard.IsUpgrade(r), LastEventID: r.Header.Get("Last-Event-ID"),
	}})
	go func() {
		defer d.end(&d.connections)
		c.run(orders)
	}()
	// The context ends with the connection, and when the request is served.
	keep := context.AfterFunc(ctx, func() { c.end(endClosed) })
	return &tee{ResponseWriter: w, connection: c, keep: keep}, r.WithContext(ctx)
}

// openTap creates the stream of a tap, unless it exists, and follows it from its
// tail: what was asked for before was meant for another connection.
func (d *Demo) openTap(ctx context.Context, stream string) (*hub.Follower, error) {
	ctx, cancel := context.WithTimeout(ctx, tapTime)
	defer cancel()
	info, _, err := d.opts.Hub.Create(ctx, stream, freshet.Creation{Spec: freshet.Spec{
		ContentType: "application/json", TTL: tapTTL, Retain: freshet.Retain{Bytes: tapBytes},
	}})
	if err != nil {
		return nil, err
	}
	return d.opts.Hub.Follow(ctx, stream, hub.FollowOptions{Cursor: freshet.Cursor{Offset: info.Tail}})
}

// isTap reports whether s can be a tap: 16 to 64 characters that need no
// escaping in a URL.
func isTap(s string) bool {
	if len(s) < tapLeast || len(s) > tapMost {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
