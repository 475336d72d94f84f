package hub

import (
	"context"
	"errors"
	"time"

	"github.com/freshet-stream/freshet"
)

// chaseMost is how many pages a window that is behind the stream is filled with
// in a row. One that is further behind starts anew at the tail, and followers
// page until they are there.
const chaseMost = 16

// looks are how a topic reads the store: one look at a time, however many ask.
type looks struct {
	// stop ends the subscription. It is nil if there is none.
	stop func()
	// looking says that a look is under way, or about to begin.
	looking bool
	// started and finished count looks, and wanted is the last that there has to
	// be; looked is closed when one finishes. It is nil if nobody waits.
	started, finished, wanted uint64
	looked                    chan struct{}
	// want is where the first look begins: where the follower does that came
	// first, and with it mostly the others.
	want freshet.Cursor
	// seen is the stream as it was at the last look.
	seen freshet.Info
	// chased counts the looks in a row that did not reach the tail.
	chased int
	// failed is why the last look failed, if it did.
	failed error
}

// wantLook has the store looked at once more, and returns the number of that
// look: one that begins after now. The lock is held.
func (t *topic) wantLook() (number uint64) {
	t.wanted = t.started + 1
	if !t.looking && !t.dropped {
		t.looking = t.hub.goDo(t.look)
	}
	return t.wanted
}

// wantLookAfter has the store looked at unless that was so, or will be, after the
// look with a number. It returns the number of the next. The lock is held.
func (t *topic) wantLookAfter(began uint64) (number uint64) {
	if t.wanted <= began {
		t.wantLook()
	}
	return began + 1
}

// await waits until a look is finished. The lock is held, except meanwhile.
func (t *topic) await(ctx context.Context, number uint64) error {
	for t.finished < number {
		if t.looked == nil {
			t.looked = make(chan struct{})
		}
		looked := t.looked
		t.mu.Unlock()
		var err error
		select {
		case <-looked:
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-t.hub.ctx.Done():
			err = freshet.ErrShutdown
		}
		t.mu.Lock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *topic) look() {
	for t.lookOnce() {
	}
}

// lookOnce compares the window with the store, and reports whether that is to
// be done again. The lock is not held.
func (t *topic) lookOnce() (again bool) {
	t.mu.Lock()
	t.started++
	win, known, subscribed, want := t.win, t.phase == live, t.stop != nil, t.want
	t.want = freshet.Cursor{}
	t.mu.Unlock()

	var seen sight
	var err error
	if !subscribed {
		err = t.subscribe()
	}
	if err == nil {
		turn := t.hub.inTurn(func() { seen, err = t.load(win, known, want) })
		err = errors.Join(err, turn)
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	if errors.Is(err, freshet.ErrGap) && !t.dropped { // the stream changed during the look
		t.wantLook()
	} else {
		t.settle(win.tail, seen, err)
		t.finish()
	}
	if t.looking = t.wanted > t.started && !t.dropped; !t.looking {
		t.planCheck()
		t.keepWatched()
	}
	return t.looking
}

// finish tells those who wait for the look that has started last. The lock is
// held.
func (t *topic) finish() {
	t.finished = t.started
	if t.looked != nil {
		close(t.looked)
		t.looked = nil
	}
}

// subscribe asks the store for hints. It returns once they are sure to come.
func (t *topic) subscribe() error {
	stop, err := t.hub.store.Follow(t.hub.ctx, t.name, t.hint)
	if err != nil {
		return err
	}
	t.mu.Lock()
	dropped := t.dropped
	if !dropped {
		t.stop = stop
	}
	t.mu.Unlock()
	if dropped {
		stop()
	}
	return nil
}

// A sight is what a look saw: the records after a position, anew if they do not
// continue the window.
type sight struct {
	freshet.Page
	from freshet.Offset
	anew bool
}

// load reads what follows the window, if there is one whose end is known to the
// store, and otherwise what is wanted. It touches a followed stream.
func (t *topic) load(win window, known bool, want freshet.Cursor) (seen sight, err error) {
	h := t.hub
	switch {
	case known:
		seen, err = t.readOn(win)
	case want.Now:
		seen.Info, err = h.store.Info(h.ctx, t.name)
		seen.from = seen.Info.Tail
	default:
		seen, err = t.readFrom(want.Offset)
		if errors.Is(err, freshet.ErrGap) {
			seen, err = t.readFrom(freshet.Offset{})
		}
	}
	if err != nil {
		return seen, err
	}
	seen.anew = seen.anew || !known
	if t.attended() && h.touch(h.ctx, &seen.Info) {
		seen.Info.Touched = time.Now()
	}
	return seen, nil
}

// readOn reads what follows the window, or the position where the stream's
// history has left it.
func (t *topic) readOn(win window) (seen sight, err error) {
	seen, err = t.readFrom(win.tail)
	if !errors.Is(err, freshet.ErrGap) {
		return seen, err
	}
	fork, err := t.findFork(win)
	if err != nil {
		return sight{}, err
	}
	return t.readFrom(fork)
}

func (t *topic) readFrom(at freshet.Offset) (seen sight, err error) {
	seen.from = at
	seen.Page, err = t.hub.store.Read(t.hub.ctx, t.name, at, t.hub.pageLimit())
	if at.IsBeginning() {
		seen.from, seen.anew = seen.Info.Oldest, true
	}
	return seen, err
}

// latest returns the stream's tail as it is known here. The lock is held.
func (t *topic) latest() freshet.Offset {
	if t.seen.Tail.Seq > t.win.tail.Seq {
		return t.seen.Tail
	}
	return t.win.tail
}

// attended reports whether the stream has followers here. The lock is not held.
func (t *topic) attended() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.followers > 0
}

// settle makes what a look saw what is known. The window ended at start when it
// began. The lock is held.
func (t *topic) settle(start freshet.Offset, seen sight, err error) {
	if t.dropped {
		return
	}
	switch {
	case err == nil:
		t.failed = nil
		t.seen = seen.Info
		t.install(start, seen)
	case errors.Is(err, freshet.ErrNotFound):
		t.failed = nil
		t.vanish()
	default:
		t.fail(err)
	}
}

// fail notes that the store could not be asked. The lock is held.
func (t *topic) fail(err error) {
	if t.failed == nil {
		t.interval = 0
		if t.hub.ctx.Err() == nil {
			t.hub.log.Warn("look at stream", "stream", t.name, "error", err)
		}
	}
	t.failed = err
}
