package storetest

import (
	"fmt"
	"time"

	"github.com/freshet-stream/freshet"
)

func sweeping() []clause {
	return []clause{
		{name: "Sweep/ClosesOverdueLeases(5)", check: sweepLeases},
		{name: "Sweep/RenewedLeasesLiveOn", check: sweepRenewed},
		{name: "Sweep/RemovesTheExpired", check: sweepExpired},
		{name: "Sweep/DoesAtMostN", check: sweepSome},
		{name: "Sweep/AfterReopen", check: sweepReopened, needs: []need{needReopen}},
		{name: "Expiry/TTLSlides", check: ttlSlides},
		{name: "Expiry/AtATime", check: expiresAt},
		{name: "Expiry/KeepOpenAndKeepClosed", check: keeps},
		{name: "Renew/Watched", check: renewWatched},
	}
}

func sweepLeases(e *env) {
	unit := e.clock.unit()
	e.create("s", freshet.Spec{})
	e.append("s", freshet.Append{Records: text("a"), Lease: 2 * unit})
	e.create("closed", freshet.Spec{})
	e.append("closed", freshet.Append{Lease: unit})
	e.append("closed", freshet.Append{Close: closing(freshet.Completed)})
	e.sweep(0)
	e.clock.Advance(unit)
	e.sweep(0)
	e.append("s", freshet.Append{Records: text("b")}) // moves the lease by its term
	e.clock.Advance(unit)
	e.sweep(0)
	e.clock.Advance(unit)
	e.sweep(1)
	info := e.info("s")
	if info.Closed == nil || info.Closed.Reason != freshet.Interrupted || info.Tail.Seq != 2 {
		e.Fatalf("closed %+v at %v", info.Closed, info.Tail)
	}
	e.equal("the reason of one that was closed", e.info("closed").Closed.Reason, freshet.Completed)
	e.refused("s", freshet.Append{Records: text("c")}, freshet.ErrClosed)
	e.sweep(0)
}

func sweepRenewed(e *env) {
	unit := e.clock.unit()
	e.create("s", freshet.Spec{})
	e.append("s", freshet.Append{Lease: unit})
	for range 3 {
		e.renew("s", freshet.Renewal{Lease: 3 * unit})
		e.clock.Advance(2 * unit)
		e.sweep(0)
	}
	e.renew("s", freshet.Renewal{Lease: unit / 2}) // may be shortened too
	e.clock.Advance(unit)
	e.sweep(1)
	e.equal("reason", e.info("s").Closed.Reason, freshet.Interrupted)
	e.renew("s", freshet.Renewal{Lease: unit})
	e.clock.Advance(2 * unit)
	e.sweep(0)
}

func (e *env) renew(name string, r freshet.Renewal) {
	e.Helper()
	if err := e.store().Renew(e.Context(), name, r); err != nil {
		e.Fatalf("renew %q: %v", name, err)
	}
}

func sweepExpired(e *env) {
	unit := e.clock.unit()
	for i := range 5 {
		name := fmt.Sprintf("s%d", i)
		e.create(name, freshet.Spec{TTL: unit * time.Duration(1+i%2)})
		e.append(name, freshet.Append{Records: text("a"), Lease: unit, Producer: producer("p", 0, 0)})
	}
	e.clock.Advance(unit)
	e.sweep(5) // three removed, two interrupted, which restarts their time to live
	e.missing("s0")
	e.info("s1")
	e.clock.Advance(2 * unit)
	e.sweep(2)
	e.sweep(0)
	e.equal("names", e.names("", "", 10), []string(nil))
	e.create("s0", freshet.Spec{})
	e.equal("data", e.data("s0", freshet.Offset{}, freshet.Limit{}), []string(nil))
}

func sweepSome(e *env) {
	unit := e.clock.unit()
	for i := range 10 {
		e.create(fmt.Sprint(i), freshet.Spec{TTL: unit})
	}
	e.clock.Advance(unit)
	for i, want := range []int{4, 4, 2, 0} {
		done, err := e.store().Sweep(e.Context(), 4)
		if err != nil || done != want {
			e.Fatalf("sweep %d did %d, %v; want %d", i, done, err, want)
		}
	}
}

func sweepReopened(e *env) {
	unit := e.clock.unit()
	e.create("lease", freshet.Spec{})
	e.append("lease", freshet.Append{Lease: unit})
	e.create("ttl", freshet.Spec{TTL: unit})
	e.create("moved", freshet.Spec{KeepOpen: unit})
	e.clock.Advance(unit / 2)
	e.append("moved", freshet.Append{Records: text("a")})
	e.reopen()
	e.clock.Advance(unit / 2)
	e.sweep(2)
	e.reopen()
	e.missing("ttl")
	e.equal("reason", e.info("lease").Closed.Reason, freshet.Interrupted)
	e.info("moved")
	e.clock.Advance(unit / 2)
	e.sweep(1)
	e.missing("moved")
}

func ttlSlides(e *env) {
	unit := e.clock.unit()
	e.create("s", freshet.Spec{TTL: 3 * unit})
	for range 2 {
		e.clock.Advance(2 * unit)
		e.renew("s", freshet.Renewal{Touch: true})
		e.clock.Advance(2 * unit)
		e.append("s", freshet.Append{Records: text("a")})
	}
	e.sweep(0)
	e.clock.Advance(2 * unit)
	e.page("s", freshet.Offset{}, freshet.Limit{}) // reading as such renews nothing
	e.clock.Advance(unit)
	e.missing("s")
	e.sweep(1)
}

func expiresAt(e *env) {
	unit := e.clock.unit()
	e.create("s", freshet.Spec{Expires: e.clock.Now().Add(2 * unit)})
	e.clock.Advance(unit)
	e.append("s", freshet.Append{Records: text("a")})
	e.renew("s", freshet.Renewal{Touch: true})
	e.clock.Advance(unit)
	e.missing("s")
	e.sweep(1)
}

func keeps(e *env) {
	unit := e.clock.unit()
	spec := freshet.Spec{KeepOpen: 4 * unit, KeepClosed: 2 * unit}
	e.create("open", spec)
	e.create("closed", spec)
	e.append("closed", freshet.Append{Close: closing(freshet.Completed)})
	e.clock.Advance(2 * unit)
	e.missing("closed")
	e.append("open", freshet.Append{Records: text("a")})
	e.clock.Advance(3 * unit)
	e.sweep(1)
	e.info("open")
	e.clock.Advance(unit)
	e.missing("open")
	e.sweep(1)
}

func renewWatched(e *env) {
	unit := e.clock.unit()
	e.create("s", freshet.Spec{})
	e.equal("watched at first", e.info("s").Watched.IsZero(), true)
	before := e.clock.Now().Truncate(time.Millisecond)
	e.renew("s", freshet.Renewal{Watched: unit})
	if w := e.info("s").Watched; w.Before(before.Add(unit)) || w.After(e.clock.Now().Add(unit)) {
		e.Fatalf("watched until %v; it is %v", w, e.clock.Now())
	}
	was := e.info("s").Watched
	e.append("s", freshet.Append{Records: text("a"), Close: closing(freshet.Completed)})
	e.equal("watched after an append", e.info("s").Watched, was)
}
