package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

const (
	// reachMost is how often it is tried to reach an upstream, and reachPause the
	// first pause between two tries. Each is twice the one before.
	reachMost  = 5
	reachPause = 100 * time.Millisecond
)

// Why an upstream is given up.
var (
	errLate    = errors.New("the upstream has not begun its answer in time")
	errStalled = errors.New("the upstream is silent")
)

// isSilence reports whether a call was aborted since its upstream said nothing.
func isSilence(ctx context.Context) bool {
	cause := context.Cause(ctx)
	return errors.Is(cause, errLate) || errors.Is(cause, errStalled)
}

// patience returns for how long the head of an upstream's answer is waited for,
// and how long it may be silent after that.
func (g *Gateway) patience(u *Upstream) (head, stall time.Duration) {
	head, stall = g.opts.Head, g.opts.Stall
	if u.HeadTimeout > 0 {
		head = u.HeadTimeout
	}
	if u.StallTimeout > 0 {
		stall = u.StallTimeout
	}
	return head, stall
}

// call sends a request to an upstream, and aborts it, by its context, if the head
// of the answer does not come in time.
func (g *Gateway) call(r *http.Request, u *Upstream, abort context.CancelCauseFunc) (*http.Response, error) {
	head, _ := g.patience(u)
	late := time.AfterFunc(head, func() { abort(errLate) })
	defer late.Stop()
	return g.reach(r)
}

// watchBody returns what an answer is read through: it aborts the call if the
// upstream falls silent.
func (g *Gateway) watchBody(response *http.Response, u *Upstream, abort context.CancelCauseFunc) *watchdog {
	_, stall := g.patience(u)
	return newWatchdog(response.Body, stall, func() { abort(errStalled) })
}

// reach sends a request. It tries again only if no connection was made, so that
// the upstream cannot have received it. What is tried again beneath it, by
// net/http, are requests without an Idempotency-Key of which nothing was written,
// or which the upstream has said that it did not look at (HTTP/2, REFUSED_STREAM
// and GOAWAY).
func (g *Gateway) reach(r *http.Request) (*http.Response, error) {
	for try, pause := 1, reachPause; ; try, pause = try+1, 2*pause {
		response, err := g.roundTrip(r)
		if err == nil || try == reachMost || !isUnconnected(err) {
			return response, err
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-r.Context().Done():
			return nil, err
		}
		if r.GetBody == nil {
			continue
		}
		if r.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
}

// isUnconnected reports whether an error means that there was no connection to
// the upstream, or to the proxy before it.
func isUnconnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}
