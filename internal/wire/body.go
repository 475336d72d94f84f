package wire

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// BodyStall is for how long the body of a request may bring nothing.
const BodyStall = 30 * time.Second

// A Body is the body of a request. A slow client is waited for, but not one that has
// stopped: reading then fails with [os.ErrDeadlineExceeded]. One goroutine at a time
// may read.
type Body struct {
	body    io.Reader
	control *http.ResponseController
	stall   time.Duration
	stopped bool
}

// NewBody returns the body of the request that w answers. Whoever has read it calls
// Done.
func NewBody(w http.ResponseWriter, body io.Reader) *Body {
	return &Body{body: body, control: http.NewResponseController(w), stall: BodyStall}
}

// Read implements [io.Reader].
func (b *Body) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(b.stall))
	n, err := b.body.Read(p)
	b.stopped = b.stopped || errors.Is(err, os.ErrDeadlineExceeded)
	return n, err
}

// Done ends the waiting for the body. What comes after it is another's to wait for;
// but of a body that has stopped nothing comes, for which net/http would wait before
// it answers.
func (b *Body) Done() {
	if !b.stopped {
		_ = b.control.SetReadDeadline(time.Time{})
	}
}
