package durablestreams

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
)

// errEnding is what reading a body fails with because the server ends.
var errEnding = errors.New("the server ends")

// An upload is the body of a request that is appended while it arrives. It breaks
// off when the server is to end.
type upload struct {
	// ctx is for the appends: it ends when the client leaves, but not when it is
	// cut off, since what has arrived whole by then is appended and answered.
	ctx     context.Context
	cancel  context.CancelFunc
	body    io.Reader
	control *http.ResponseController
	member  *drain.Member
	// left takes back what waits for the client to leave.
	left func() bool

	// mu guards cut, which says that the body is to break off, and over, which
	// says that it has ended: the connection may be another request's then.
	mu        sync.Mutex
	cut, over bool
}

// receive begins to read the body of r. The caller calls leave.
func (t *Transport) receive(w http.ResponseWriter, r *http.Request) *upload {
	u := &upload{body: r.Body, control: http.NewResponseController(w)}
	u.ctx, u.cancel = context.WithCancel(context.WithoutCancel(r.Context()))
	u.left = context.AfterFunc(r.Context(), u.abandon)
	u.member = t.opts.Exchanges.Join(drain.Upload, u.breakOff)
	return u
}

// Read implements [io.Reader].
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.body.Read(p)
	if err == nil {
		return n, nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	if u.cut && !errors.Is(err, io.EOF) {
		err = errEnding
	}
	return n, err
}

// breakOff lets reading fail.
func (u *upload) breakOff() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.over {
		u.cut = true
		_ = u.control.SetReadDeadline(time.Unix(1, 0))
	}
}

// abandon gives up the appends of a client that has left. When the deadline of
// breakOff meets the end of the body, net/http takes that for leaving, too.
func (u *upload) abandon() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.cut {
		u.cancel()
	}
}

// leave comes before the connection is given back.
func (u *upload) leave() {
	u.left()
	u.member.Leave()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	u.cancel()
}

// landed counts what of a body was appended: in records if it is framed, and
// otherwise in bytes.
type landed struct {
	framed         bool
	records, bytes int
}

func (l *landed) add(records []freshet.Record) {
	l.records += len(records)
	for i := range records {
		l.bytes += len(records[i].Data)
	}
}

// String has the form of the header.
func (l *landed) String() string {
	if l.framed {
		return fmt.Sprintf("records=%d", l.records)
	}
	return fmt.Sprintf("bytes=%d", l.bytes)
}
