package workload

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// A Door is an address at which the fleet is reached: a server, a load balancer,
// or a proxy before either.
type Door struct {
	Name string
	// Addr is host:port.
	Addr string
}

// Options configure a workload. Recorder and Doors are needed.
type Options struct {
	Recorder *history.Recorder
	// Doors are chosen from for each connection.
	Doors []Door
	// Seed makes the choices those of every run with the same one.
	Seed uint64
	// Lanes is how many streams there are at a time (8). In the first LongLanes
	// of them they are ten times as long as in the others.
	Lanes, LongLanes int
	// Streams bounds how many streams each lane has. 0 is as many as there is
	// time for until Stop.
	Streams int
	// Plots are the names of those that are played; none is all.
	Plots []string
	// Stop ends the lanes, each after its stream. nil is never.
	Stop <-chan struct{}
	// Healed is closed when no fault is left. nil is from the beginning.
	Healed <-chan struct{}
	// Patience is how many signs of life, without any news, a follower takes for
	// an end that it is not told, once the stream has ended and Healed is closed
	// (60). A producer gives up after as many failures.
	Patience int
	// Idle is after how long without a byte a connection counts as lost (6s).
	// Servers send heartbeats in less than that.
	Idle time.Duration
	// Pace bounds the pause between two appends of a producer (40ms).
	Pace time.Duration
}

func (o Options) withDefaults() Options {
	if o.Lanes <= 0 {
		o.Lanes = 8
	}
	if o.Patience <= 0 {
		o.Patience = 60
	}
	if o.Idle <= 0 {
		o.Idle = 6 * time.Second
	}
	if o.Pace <= 0 {
		o.Pace = 40 * time.Millisecond
	}
	if o.Healed == nil {
		healed := make(chan struct{})
		close(healed)
		o.Healed = healed
	}
	return o
}

// stopped reports whether no further stream is to begin.
func (o *Options) stopped() bool { return isClosed(o.Stop) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// random returns the source of choices of one actor.
func (o *Options) random(actor string) *rand.Rand {
	var sum uint64
	for _, b := range []byte(actor) {
		sum = sum*31 + uint64(b)
	}
	return rand.New(rand.NewPCG(o.Seed, sum))
}

// pick returns one of several.
func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// url returns the address of a stream behind a door.
func (d Door) url(name string) string { return fmt.Sprintf("http://%s/v1/stream/%s", d.Addr, name) }
