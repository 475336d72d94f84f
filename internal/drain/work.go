package drain

import (
	"context"
	"sync"

	"github.com/freshet-stream/freshet"
)

// Work is what a server does that would be lost if it ended, because nobody can
// take it up elsewhere: the generation whose upstream it reads, and who waits for
// that. A drain lets it finish, for as long as its grace lasts. Its methods may
// be called concurrently.
type Work struct {
	// ctx ends when the grace does.
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu sync.Mutex
	n  int
	// ending says that no more is begun.
	ending bool
	// none is closed when nothing is left; nil unless somebody waits for that.
	none chan struct{}
}

// NewWork returns work of which none is there yet.
func NewWork() *Work {
	w := &Work{}
	w.ctx, w.cancel = context.WithCancelCause(context.Background())
	return w
}

// Begin adds a piece of work, or returns [freshet.ErrShutdown] if the server
// ends. When ctx ends the grace is over: the piece then closes its stream as
// [freshet.Interrupted], under a context of its own, and is done. Whoever began
// calls done, once.
func (w *Work) Begin() (ctx context.Context, done func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ending {
		return nil, nil, freshet.ErrShutdown
	}
	w.n++
	return w.ctx, w.done, nil
}

func (w *Work) done() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n--
	if w.n == 0 && w.none != nil {
		close(w.none)
		w.none = nil
	}
}

// Len returns how many pieces are not done.
func (w *Work) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

// Drain lets no more begin and returns when all is done. grace is for how long
// the work may go on; then it is told to end. It reports whether that was needed.
func (w *Work) Drain(grace context.Context) (interrupted bool) {
	w.mu.Lock()
	w.ending = true
	if w.n == 0 {
		w.mu.Unlock()
		return false
	}
	if w.none == nil {
		w.none = make(chan struct{})
	}
	none := w.none
	w.mu.Unlock()
	select {
	case <-none:
		return false
	case <-grace.Done():
	}
	w.cancel(freshet.ErrShutdown)
	<-none
	return true
}

// End tells all work to end, and returns when it has.
func (w *Work) End() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	w.Drain(over)
}
