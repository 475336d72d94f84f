package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/freshet-stream/freshet/internal/chaos/checker"
	"github.com/freshet-stream/freshet/internal/chaos/history"
	"github.com/freshet-stream/freshet/internal/chaos/scenario"
)

// A Report is what a run has found.
type Report struct {
	Verdict checker.Verdict
	// Faults says how often each kind happened. It is nil if an earlier history
	// was judged.
	Faults map[scenario.Kind]int
	Counts Counts
}

// Counts say what a history is about.
type Counts struct {
	// Records counts those in the store by content type, Shown those that
	// followers were shown by transport.
	Records, Shown map[string]int
	// Calls counts appends by outcome.
	Calls map[string]int
	// Repeated counts those that were sent again, and Known those of them of which
	// it turned out that they had landed before.
	Repeated, Known int
	// Opened counts connections of followers by transport.
	Opened map[string]int
	// Servers counts them by the server that answered.
	Servers map[string]int
	// Hops counts those that a follower ended by itself, Drops those that broke.
	Hops, Drops int
	// Gaps counts gaps by their reason, and Ends ends.
	Gaps, Ends map[string]int
}

// hop is the reason of a drop that the follower wanted.
const hop = "hop"

func count(events []history.Event) Counts {
	c := Counts{
		Records: map[string]int{}, Shown: map[string]int{}, Calls: map[string]int{}, Opened: map[string]int{},
		Servers: map[string]int{}, Gaps: map[string]int{}, Ends: map[string]int{},
	}
	formats, via := map[string]string{}, map[[2]string]string{}
	for i := range events {
		e := &events[i]
		who := [2]string{e.Stream, e.Who}
		switch e.Kind {
		case history.Created:
			formats[e.Stream] = e.Via
		case history.Final:
			c.Records[formats[e.Stream]] += len(e.Records)
		case history.Called:
			c.Calls[string(e.Call.Outcome)]++
			if e.Call.Maybe {
				c.Repeated++
			}
			if e.Call.Tries > 1 && e.Call.Duplicate && len(e.Records) > 0 {
				c.Known++
			}
		case history.Opened:
			via[who] = e.Via
			c.Opened[e.Via]++
			if e.Server != "" {
				c.Servers[e.Server]++
			}
		case history.Shown:
			transport := via[who]
			if transport == "" {
				transport = e.Who
			}
			c.Shown[transport] += len(e.Records)
		case history.Dropped:
			if e.Why == hop || e.Why == "the end" {
				c.Hops++
			} else {
				c.Drops++
			}
		case history.Gapped:
			c.Gaps[e.Why]++
		case history.Ended:
			c.Ends[e.Why]++
		}
	}
	return c
}

// Failure returns why the run has failed, or "" if it has not.
func (r *Report) Failure() string {
	if n := len(r.Verdict.Violations); n > 0 {
		return fmt.Sprintf("%d violations", n)
	}
	if r.Faults != nil {
		for _, kind := range scenario.Kinds() {
			if r.Faults[kind] <= 0 {
				return fmt.Sprintf("the fault %q was promised and did not happen", kind)
			}
		}
	}
	if r.Verdict.Records == 0 || r.Verdict.Followers == 0 {
		return "nothing was appended or followed"
	}
	return ""
}

// mostViolations bounds how many are printed.
const mostViolations = 10

// String returns the report for people.
func (r *Report) String() string {
	var b strings.Builder
	row := func(name string, of any) { fmt.Fprintf(&b, "  %-22s %v\n", name, of) }
	if r.Faults != nil {
		b.WriteString("faults\n")
		for _, kind := range scenario.Kinds() {
			row(string(kind), r.Faults[kind])
		}
	}
	c, v := &r.Counts, &r.Verdict
	b.WriteString("workload\n")
	row("streams", v.Streams)
	row("records in the store", list(c.Records))
	row("appends", list(c.Calls))
	row("repeated", fmt.Sprintf("%d, of which %d had landed before", c.Repeated, c.Known))
	row("followers", v.Followers)
	row("connections", list(c.Opened))
	row("answered by", list(c.Servers))
	row("broken, left", fmt.Sprintf("%d, %d", c.Drops, c.Hops))
	row("records shown", list(c.Shown))
	row("gaps told", list(c.Gaps))
	row("ends told", list(c.Ends))
	b.WriteString("verdict\n")
	for i := range v.Violations[:min(len(v.Violations), mostViolations)] {
		fmt.Fprintf(&b, "  %v\n", &v.Violations[i])
	}
	if failure := r.Failure(); failure != "" {
		fmt.Fprintf(&b, "  FAILED: %s\n", failure)
	} else {
		b.WriteString("  guarantees 1 to 6 were kept\n")
	}
	return b.String()
}

// list returns counts with their sum, the largest first.
func list(counts map[string]int) string {
	sum := 0
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if d := counts[b] - counts[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var each []string
	for _, name := range names {
		sum += counts[name]
		each = append(each, fmt.Sprintf("%d %s", counts[name], orNone(name)))
	}
	if len(each) == 0 {
		return "0"
	}
	return fmt.Sprintf("%d: %s", sum, strings.Join(each, ", "))
}

// orNone names what a transport does not tell.
func orNone(name string) string {
	if name == "" {
		return "not told why"
	}
	return name
}
