package loss_test

import (
	"strings"

	"github.com/freshet-stream/freshet"
)

// position returns the number in an offset, 0 for the beginning.
func (f *reader) position(offset string) uint64 {
	f.Helper()
	c, err := freshet.ParseCursor(offset)
	if err != nil {
		f.Fatalf("%s: was given the offset %q: %v", f.name, offset, err)
	}
	return c.Offset.Seq
}

// checkHistory holds what a reader saw against what the store has: what it was
// shown up to the fork and after its last gap is the log, record by record and
// with the same offsets; between there is nothing but what was lost. It returns
// how many gaps it was told. Guarantees 1, 2 and 6.
func (f *reader) checkHistory(fork uint64) (gaps int) {
	f.Helper()
	log, _ := f.records(f.stream)
	seen := f.sightings()
	gaps = count(seen, func(s sighting) bool { return s.kind == aGap })
	run, at := 0, uint64(0)
	for _, s := range seen {
		switch s.kind {
		case aGap:
			run++
			resumed := f.position(s.resumed)
			if resumed != 0 && resumed != fork {
				f.Errorf("%s: resumed at %d; history forked at %d and begins at 0", f.name, resumed, fork)
			}
			at = resumed
		case aRecord:
			at++
			if n := f.position(s.offset); n != at {
				f.Errorf("%s: was shown record %d, %s, where %d had to come", f.name, n, s.data, at)
				return gaps
			}
			inHistory := run == gaps || at <= fork
			if !inHistory && !strings.Contains(s.data, "lost") {
				f.Errorf("%s: was shown %s as record %d beyond the fork; it was never there", f.name, s.data, at)
			}
			if !inHistory {
				continue
			}
			if at > uint64(len(log)) {
				f.Errorf("%s: was shown record %d, %s, and never told that it was lost", f.name, at, s.data)
				return gaps
			}
			if r := log[at-1]; string(r.Data) != s.data || r.Offset.String() != s.offset {
				f.Errorf("%s: was shown %s at %s; record %d is %s at %s", f.name, s.data, s.offset, at, r.Data, r.Offset)
			}
		}
	}
	return gaps
}

// checkWhole is checkHistory for a reader that has come to the end of the stream.
func (f *reader) checkWhole(fork uint64, wantGaps int) {
	f.Helper()
	log, info := f.records(f.stream)
	if got := f.checkHistory(fork); got != wantGaps {
		f.Errorf("%s: was told %d gaps, want %d; it saw %v", f.name, got, wantGaps, f.sightings())
	}
	seen := f.sightings()
	last := len(seen) - 1
	if info.Closed != nil {
		if s := seen[last]; s.kind != anEnd || s.why != string(info.Closed.Reason) {
			f.Errorf("%s: was told %v and not the end", f.name, s)
		}
		last--
	}
	for ; last >= 0 && seen[last].kind != aRecord; last-- {
	}
	if last < 0 || f.position(seen[last].offset) != uint64(len(log)) {
		f.Errorf("%s: has not come to record %d; it saw %v", f.name, len(log), seen)
	}
}
