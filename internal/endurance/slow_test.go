package endurance

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"
)

// A size is how much the test of slow readers does.
type size struct{ quick, slow, bytes int }

func sizeOf() size {
	switch {
	case isFull():
		return size{quick: 990, slow: 10, bytes: 64 << 20}
	case isRace():
		return size{quick: 240, slow: 3, bytes: 1 << 20}
	}
	// Many times what the window and the system hold for one reader.
	return size{quick: 990, slow: 10, bytes: 1 << 20}
}

// slowMost bounds what a reader that does not read costs the server: what a page
// of records is when it is written, and what any follower costs.
const slowMost = 128 << 10

// DESIGN trap: a reader that stops among a thousand that do not. Guarantees 2, 7.
// Those that read get everything while those that do not have not read a byte;
// they cost the server next to nothing, and get everything when they come to it.
func TestReadersThatDoNotReadCostNothing(t *testing.T) {
	s := sizeOf()
	without := s
	without.slow = 0
	alone := without.run(t)
	among := s.run(t)
	ratio, each := float64(among)/float64(alone), (among-alone)/int64(s.slow)
	t.Logf("heap with %d readers %d bytes, with %d more that do not read %d: %.3f ×, %d each", s.quick, alone, s.slow, among, ratio, each)
	if ratio > 1.25 || each > slowMost {
		t.Errorf("the heap is %d bytes with readers that do not read, and %d without", among, alone)
	}
}

func (s size) run(t *testing.T) (heap int64) {
	t.Helper()
	began := time.Now()
	p := start(t, t.TempDir())
	defer p.stop()
	p.send("PUT", "s", "")
	records := s.bytes / recordBytes

	var quick, slow []*follower
	for range s.quick {
		quick = append(quick, p.dial("s", 0))
	}
	for range s.slow {
		slow = append(slow, p.dial("s", 4<<10))
	}
	p.until("every follower", func() bool { return p.sample().Followers == int64(s.quick+s.slow) })

	var reading, closing sync.WaitGroup
	errs := make([]error, s.quick)
	ended := make(chan struct{})
	for i, f := range quick {
		reading.Add(1)
		closing.Go(func() {
			errs[i] = f.begin()
			if errs[i] == nil {
				errs[i] = f.read(1, records)
			}
			reading.Done()
			<-ended
			if errs[i] == nil {
				errs[i] = f.end()
			}
		})
	}
	const together = 64
	for n := 1; n <= records; n += together {
		var body strings.Builder
		for i := range min(together, records-n+1) {
			fmt.Fprintf(&body, "%c%s", "[,"[min(i, 1)], record(n+i))
		}
		p.send("POST", "s", body.String()+"]")
	}
	reading.Wait()
	s.awaitStuck(p, slow, records)
	got := p.steady()
	t.Logf("%d readers have got %d records each after %v; %+v", s.quick, records, time.Since(began).Round(time.Second/10), got)
	if most := int64(256 << 10); got.WindowBytes > most {
		t.Errorf("the window has %d bytes and may have %d", got.WindowBytes, most)
	}
	p.send("POST", "s", "", "Stream-Closed", "true")
	close(ended)
	closing.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("reader %d: %v", i, err)
		}
	}
	for i, f := range slow {
		err := f.begin()
		if err == nil {
			err = f.read(1, records)
		}
		if err == nil {
			err = f.end()
		}
		if err != nil {
			t.Fatalf("slow reader %d: %v", i, err)
		}
	}
	return got.Heap
}

// awaitStuck waits until the server waits for each of the slow readers: until
// the system holds so much of what it wrote that it takes no more, and that is by
// far not all.
func (s size) awaitStuck(p *process, slow []*follower, records int) {
	p.Helper()
	before := map[int]int64{}
	p.until("a server that waits", func() bool {
		held, err := inKernel(slow)
		if err != nil {
			p.Fatal(err)
		}
		stuck := maps.Equal(held, before)
		for _, bytes := range held {
			stuck = stuck && bytes > int64(eventBytes)
		}
		before = held
		return stuck
	})
	for port, bytes := range before {
		if bytes > int64(records*eventBytes/2) {
			p.Fatalf("the system holds %d bytes of %d for the slow reader at port %d", bytes, records*eventBytes, port)
		}
	}
	p.Logf("the system holds %v", before)
}

// dial makes a follower that is closed at the end of the test.
func (p *process) dial(name string, buffer int) *follower {
	p.Helper()
	f, err := dial(p.addr, name, buffer)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(f.close)
	return f
}
