package hub

import (
	"errors"

	"github.com/freshet-stream/freshet"
)

// A fork is where the history of a stream has left the one that a window held,
// after the store has lost the tail. Followers that were shown some of what is
// lost go on there.
type fork struct {
	at freshet.Offset
	// lost are the positions after at, without a gap.
	lost []freshet.Offset
}

// has reports whether o is one of the positions that were lost.
func (f *fork) has(o freshet.Offset) bool {
	return o.Seq > f.at.Seq && o.Seq-f.at.Seq <= uint64(len(f.lost)) && f.lost[o.Seq-f.at.Seq-1] == o
}

// findFork returns the last position of the window that still lies in the
// stream's history, or the zero offset if there is none. The window's tail does
// not.
func (t *topic) findFork(win window) (freshet.Offset, error) {
	none := freshet.Offset{}
	in, err := t.isHistory(win.base)
	if !in || err != nil {
		return none, err
	}
	// Positions are in the history up to the fork and not beyond.
	low, high := win.base.Seq, win.tail.Seq
	for low+1 < high {
		middle := low + (high-low)/2
		in, err := t.isHistory(win.at(middle))
		switch {
		case err != nil:
			return none, err
		case in:
			low = middle
		default:
			high = middle
		}
	}
	return win.at(low), nil
}

// isHistory asks the store whether a position lies in the stream's history.
func (t *topic) isHistory(at freshet.Offset) (bool, error) {
	_, err := t.hub.store.Read(t.hub.ctx, t.name, at, freshet.Limit{Records: 1})
	if errors.Is(err, freshet.ErrGap) {
		return false, nil
	}
	return err == nil, err
}

// cutWindow takes what was lost after at out of the window. The lock is held.
func (t *topic) cutWindow(at freshet.Offset) {
	t.forgetPages()
	t.lost = fork{at: at}
	for seq := at.Seq + 1; seq <= t.win.tail.Seq; seq++ {
		t.lost.lost = append(t.lost.lost, t.win.at(seq))
	}
	t.hub.windowBytes.Add(int64(t.win.cut(at)))
}
