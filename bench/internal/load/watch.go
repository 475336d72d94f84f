package load

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// stampDigits is how many digits a time in a record has. It stands after the
// mark.
const stampDigits = 18

// Stamp lets the producer write into each record when it began to send it. Of
// several that leave together, only the first has that.
func (p *Producer) Stamp() error {
	at := bytes.IndexByte(p.message, mark) + 1
	if at == 0 || at+stampDigits >= len(p.message) {
		return fmt.Errorf("%.60q has no room for a time", p.message)
	}
	p.stamp = p.message[at : at+stampDigits]
	return nil
}

// now returns the time that does not jump (clock_gettime(2)).
func now() (t time.Duration) {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) == nil {
		t = time.Duration(ts.Nano())
	}
	return t
}

func writeTime(dst []byte, t time.Duration) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = '0' + byte(t%10)
		t /= 10
	}
}

// A watch notes how long records were on their way.
type watch struct {
	// cut has the beginnings of records whose rest has not come, by connection.
	cut map[int][]byte

	mu     sync.Mutex
	delays []time.Duration
}

// look reads the times in what has come on a connection.
func (w *watch) look(fd int, p []byte) {
	t := now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if cut := w.cut[fd]; len(cut) > 0 {
		p = append(cut, p...)
		delete(w.cut, fd)
	}
	for {
		at := bytes.IndexByte(p, mark)
		if at < 0 {
			return
		}
		if p = p[at:]; len(p) <= stampDigits {
			w.cut[fd] = bytes.Clone(p)
			return
		}
		if sent, err := strconv.ParseInt(string(p[1:1+stampDigits]), 10, 64); err == nil {
			w.delays = append(w.delays, t-time.Duration(sent))
		}
		p = p[1:]
	}
}

// Delays returns how long the records were on their way that have come since it
// was last called, of followers that are timed.
func (f *Followers) Delays() []time.Duration {
	w := f.watch
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delays := w.delays
	w.delays = nil
	return delays
}
