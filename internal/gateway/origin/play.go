package origin

import (
	"context"
	"net/http"
	"time"
)

// brokenWhy is what is said of a failure amid an answer.
const brokenWhy = "The server had an error while processing your request."

// play writes the stream of an answer as the script says. The error is that of
// the context, or of a caller who reads no more.
func (o *Origin) play(ctx context.Context, w http.ResponseWriter, f format, a answer, s script) error {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	flush := http.NewResponseController(w).Flush
	if err := flush(); err != nil {
		return err
	}
	pace := newPace(s.gap)
	defer pace.stop()
	var buffer []byte
	for n, e := range f.events(a) {
		if e.token {
			if err := pace.wait(ctx); err != nil {
				return err
			}
		}
		switch n {
		case s.stall:
			if err := o.stall(ctx); err != nil {
				return err
			}
		case s.cut:
			panic(http.ErrAbortHandler)
		case s.end:
			return nil
		case s.fail:
			e = f.failed(n)
		}
		buffer = e.append(buffer[:0])
		if _, err := w.Write(buffer); err != nil {
			return err
		}
		if err := flush(); err != nil {
			return err
		}
		if n == s.fail {
			return nil
		}
	}
	return nil
}

// stall waits for Resume or for the end of the context.
func (o *Origin) stall(ctx context.Context) error {
	select {
	case <-o.resumed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Resume lets the answers that have stalled go on, and those to come that would.
func (o *Origin) Resume() { o.resume.Do(func() { close(o.resumed) }) }

// A pace makes time pass between tokens.
type pace struct {
	ticker *time.Ticker
}

// newPace returns a pace of a token each gap; without one there is no waiting.
func newPace(gap time.Duration) pace {
	if gap == 0 {
		return pace{}
	}
	return pace{time.NewTicker(gap)}
}

func (p pace) wait(ctx context.Context) error {
	if p.ticker == nil {
		return ctx.Err()
	}
	select {
	case <-p.ticker.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p pace) stop() {
	if p.ticker != nil {
		p.ticker.Stop()
	}
}
