package hub

import (
	"time"

	"github.com/freshet-stream/freshet"
)

// slowRead is after how long a read of the store lets another one go ahead. While
// it waits for an answer it costs nothing, and what it waits for may be a part of
// the store that does not answer.
const slowRead = 250 * time.Millisecond

// inTurn makes a call that reads the store when it is its turn: [Options].Reads
// are made at once, however many followers come at once. One that takes long
// delays the others and does not stop them. The error is [freshet.ErrShutdown]
// if the call was not made.
func (h *Hub) inTurn(read func()) error {
	select {
	case h.reads <- struct{}{}:
	case <-h.ctx.Done():
		return freshet.ErrShutdown
	}
	done := func() { <-h.reads }
	patience := time.AfterFunc(slowRead, done)
	defer func() {
		if patience.Stop() {
			done()
		}
	}()
	read()
	return nil
}
