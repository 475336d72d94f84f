// Package storetest is the suite that every [freshet.Store] passes. A store's
// own test says how to open one, and calls [Run]:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, storetest.Subject{
//			New: func(t storetest.TB, clock *storetest.Clock) func() freshet.Store { … },
//		})
//	}
//
// The suite has a test for each clause of the contract, and a machine that
// makes random calls and compares every answer with a model of the contract
// that shares no code with it. A store that keeps data through a loss of power
// is also put to [CheckPowerLoss].
package storetest

import (
	"slices"
	"testing"

	"github.com/freshet-stream/freshet"
)

// TB is what the suite's callbacks may use of [*testing.T] and of rapid's T.
type TB interface {
	Helper()
	Name() string
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A Subject is the kind of store under test.
type Subject struct {
	// New makes a place for data, empty and used by nobody else, and returns
	// a function that opens a store on it. The suite closes the stores; what
	// else has to go is for t.Cleanup. The stores tell the time by clock,
	// unless RealTime is set.
	New func(t TB, clock *Clock) (open func() freshet.Store)
	// Volatile stores are empty when they are opened again.
	Volatile bool
	// Fleet says that several stores may be open on the same data at a time.
	// The calls of each test then go to two of them in turn.
	Fleet bool
	// RealTime says that the stores cannot be given a clock. The suite then
	// sleeps, and leaves out what would take too long.
	RealTime bool
	// Stall, if not nil, returns a store whose commits can be held up, with
	// which guarantee 3 is tested.
	Stall func(t TB, clock *Clock) Stall
	// Scale divides the number of records in the tests that have many. 0 is 1.
	Scale int
}

// A Stall is a store on an engine that can be kept from committing.
type Stall struct {
	Store freshet.Store
	// Hold keeps from now on everything that is written from becoming durable,
	// without refusing it, until Release.
	Hold, Release func()
	// Held returns how many times the engine has come to be held.
	Held func() int
}

// Run runs the suite. Its tests run in parallel with each other unless the
// subject tells the real time.
func Run(t *testing.T, s Subject) {
	s.Scale = max(s.Scale, 1)
	for _, tests := range [][]clause{creating(), appending(), producing(), reading(), following(), listing(), sweeping(), living(), retaining(), sizes()} {
		for _, c := range tests {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				e := newEnv(t, s)
				e.skipUnless(c.needs...)
				c.check(e)
			})
		}
	}
	t.Run("Stall", func(t *testing.T) {
		if s.Stall == nil {
			t.Skip("the store's commits cannot be held up")
		}
		t.Parallel()
		checkStall(t, s)
	})
	t.Run("Model", func(t *testing.T) { checkModel(t, s) })
}

// A clause is one sentence of the contract, or one way in which others break
// it. A number in its name is that of the guarantee it belongs to.
type clause struct {
	name  string
	check func(*env)
	needs []need
}

// A need is what a test cannot do without.
type need int

const (
	needClock  need = iota // a clock that can be moved by hours
	needReopen             // data that outlives the store
)

func (e *env) skipUnless(needs ...need) {
	if e.subject.RealTime && slices.Contains(needs, needClock) {
		e.Skip("the store tells the real time")
	}
	if e.subject.Volatile && slices.Contains(needs, needReopen) {
		e.Skip("the store is volatile")
	}
}
