package gateway

import (
	"io"
	"time"
)

// A watchdog reads a body, and barks unless something comes in time.
type watchdog struct {
	io.Reader
	timer *time.Timer
	stall time.Duration
	// over, unless it is zero, is when it barks whatever comes.
	over time.Time
}

// newWatchdog returns a watchdog that calls bark once after so much silence.
func newWatchdog(body io.Reader, stall time.Duration, bark func()) *watchdog {
	return &watchdog{Reader: body, timer: time.AfterFunc(stall, bark), stall: stall}
}

// Read counts whatever arrives as a sign of life, comments too. The time that
// what was read takes to be recorded is not the upstream's.
func (d *watchdog) Read(p []byte) (int, error) {
	d.timer.Reset(d.patience())
	n, err := d.Reader.Read(p)
	d.timer.Stop()
	return n, err
}

func (d *watchdog) patience() time.Duration {
	if d.over.IsZero() {
		return d.stall
	}
	return min(d.stall, max(time.Until(d.over), 0))
}

// part lets the body go on for the parting time, whatever comes: what is read has
// told its end, and signs of life are none of more.
func (d *watchdog) part() {
	if d.over.IsZero() {
		d.over = time.Now().Add(partingTime)
	}
}

func (d *watchdog) stop() { d.timer.Stop() }
