package durablestreams

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/problem"
	"github.com/freshet-stream/freshet/internal/wire"
)

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
	from := wire.NewBody(w, http.MaxBytesReader(w, r.Body, most))
	defer from.Done()
	body, err := readAll(from, r.ContentLength)
	var exceeded *http.MaxBytesError
	switch {
	case errors.As(err, &exceeded):
		return nil, tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, problem.ErrBody.With("the body brought nothing for %v", wire.BodyStall)
	case err != nil:
		return nil, problem.ErrBody.With("the body cannot be read to its end: %v", err)
	}
	return body, nil
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
