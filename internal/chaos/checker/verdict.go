package checker

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/freshet-stream/freshet/internal/chaos/history"
)

// A Guarantee is the number of one of package freshet.
type Guarantee int

// The guarantees that are checked.
const (
	// Harness is none: the history contradicts itself, so that what recorded it
	// is wrong.
	Harness Guarantee = iota
	Order
	NoGapsNoDuplicates
	CommittedFirst
	ExactlyOnce
	EndIsEnd
	HonestLoss
)

// String returns the number and the name.
func (g Guarantee) String() string {
	names := [...]string{"the history", "order", "no gaps, no duplicates", "committed first", "exactly-once append", "an end is an end", "honest loss"}
	if g == Harness {
		return names[g]
	}
	return fmt.Sprintf("guarantee %d, %s", int(g), names[g])
}

// A Violation is a guarantee that was not kept.
type Violation struct {
	Guarantee Guarantee
	Stream    string
	// Who is the follower or producer to whom it happened, or "".
	Who string
	// What says what is wrong.
	What string
	// Evidence are the events that show it, in order.
	Evidence []history.Event
}

// String returns the violation with its evidence, over several lines.
func (v *Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s: %s: %s", v.Stream, v.Who, v.Guarantee, v.What)
	for i := range v.Evidence {
		line, _ := json.Marshal(&v.Evidence[i])
		fmt.Fprintf(&b, "\n    %s", line)
	}
	return b.String()
}

// A Verdict is what Check has found.
type Verdict struct {
	Violations []Violation
	// Streams, Records, Calls and Followers were checked.
	Streams, Records, Calls, Followers int
	// Lost counts acknowledged appends that are not in the log, where the store
	// was allowed to lose them.
	Lost int
	// Gaps and Ends count those that followers were told.
	Gaps, Ends int
}

// add adds what another verdict has found.
func (v *Verdict) add(o Verdict) {
	v.Violations = append(v.Violations, o.Violations...)
	v.Streams += o.Streams
	v.Records += o.Records
	v.Calls += o.Calls
	v.Followers += o.Followers
	v.Lost += o.Lost
	v.Gaps += o.Gaps
	v.Ends += o.Ends
}

// Options say what the faults of the run may have led to.
type Options struct {
	// MayLoseTail allows the store to have lost acknowledged records at the end
	// of streams, as long as everybody was told.
	MayLoseTail bool
}
