package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// A Recorder collects the events of a run and writes each to a file as well, if
// it has one. Its methods may be called concurrently.
type Recorder struct {
	began time.Time

	mu     sync.Mutex
	events []Event
	out    *bufio.Writer
	lines  *json.Encoder
	err    error
}

// NewRecorder returns a recorder whose time begins now. Events are written to w
// unless it is nil; the caller closes w after Flush.
func NewRecorder(w io.Writer) *Recorder {
	r := &Recorder{began: time.Now()}
	if w != nil {
		r.out = bufio.NewWriterSize(w, 64<<10)
		r.lines = json.NewEncoder(r.out)
	}
	return r
}

// Now is the time since the recorder began.
func (r *Recorder) Now() time.Duration { return time.Since(r.began) }

// Add records an event. Its time is now, its slices belong to the recorder.
func (r *Recorder) Add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.At = r.Now()
	r.events = append(r.events, e)
	if r.lines != nil && r.err == nil {
		r.err = r.lines.Encode(&e)
	}
}

// Events returns what was recorded so far, in order. The caller does not alter
// it.
func (r *Recorder) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events[:len(r.events):len(r.events)]
}

// Flush writes what is not in the file yet, and returns why some event could not
// be written, if so.
func (r *Recorder) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out != nil && r.err == nil {
		r.err = r.out.Flush()
	}
	if r.err != nil {
		return fmt.Errorf("write history: %w", r.err)
	}
	return nil
}

// Read reads what a Recorder has written. A last line that is not whole, as of a
// run that was killed, is left out.
func Read(r io.Reader) ([]Event, error) {
	var events []Event
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return events, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("read history: line %d: %w", len(events)+1, err)
		}
		events = append(events, e)
	}
}
