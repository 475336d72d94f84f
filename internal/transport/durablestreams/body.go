package durablestreams

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/problem"
)

// bodyStall is for how long a body may bring nothing.
const bodyStall = 30 * time.Second

// readBody reads an atomic body, as far as it is allowed.
func (t *Transport) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	most := int64(t.opts.Limits.Append)
	tooLarge := freshet.ErrTooLarge.With("the body may have %d bytes; send it in pieces", most)
	if r.ContentLength > most {
		return nil, tooLarge
	}
	if r.ContentLength == 0 {
		return nil, nil
	}
	control := http.NewResponseController(w)
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	body, err := readAll(&patient{http.MaxBytesReader(w, r.Body, most), control, bodyStall}, r.ContentLength)
	var exceeded *http.MaxBytesError
	switch {
	case errors.As(err, &exceeded):
		return nil, tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, problem.ErrBody.With("the body brought nothing for %v", bodyStall)
	case err != nil:
		return nil, problem.ErrBody.With("the body cannot be read to its end: %v", err)
	}
	return body, nil
}

// A patient reader waits for a slow client, but not for one that has stopped.
type patient struct {
	io.Reader
	control *http.ResponseController
	// stall is for how long a read may take.
	stall time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	_ = p.control.SetReadDeadline(time.Now().Add(p.stall))
	return p.Reader.Read(b)
}

// readAll reads r to its end. The length that the client declared is where the
// buffer begins, but only up to what a client may have the server hold without
// sending it.
func readAll(r io.Reader, declared int64) ([]byte, error) {
	const trusted = 64 << 10
	var b bytes.Buffer
	if declared > 0 {
		b.Grow(int(min(declared, trusted)) + bytes.MinRead)
	}
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}
