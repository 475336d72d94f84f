package history

import (
	"cmp"
	"slices"
)

// A Stream is the history of one stream, sorted by whose it is.
type Stream struct {
	Name    string
	Created *Event
	// Deleted is the first request to delete it.
	Deleted *Event
	// Calls are in the order in which they were done with.
	Calls     []Event
	Followers []Follower
	// Final is nil if the run did not come so far.
	Final *Event
}

// A Follower is what one follower was shown of one stream, in order.
type Follower struct {
	Name   string
	Events []Event
}

// Streams sorts events by stream, and those of followers by follower, both by
// name. The order in which they happened is kept in each.
func Streams(events []Event) []Stream {
	type key struct{ stream, who string }
	streams := map[string]*Stream{}
	followers := map[key][]Event{}
	for i := range events {
		e := &events[i]
		s := streams[e.Stream]
		if s == nil {
			s = &Stream{Name: e.Stream}
			streams[e.Stream] = s
		}
		switch e.Kind {
		case Created:
			s.Created = e
		case Deleted:
			if s.Deleted == nil {
				s.Deleted = e
			}
		case Called:
			s.Calls = append(s.Calls, *e)
		case Final:
			s.Final = e
		default:
			k := key{e.Stream, e.Who}
			followers[k] = append(followers[k], *e)
		}
	}
	for k, events := range followers {
		s := streams[k.stream]
		s.Followers = append(s.Followers, Follower{k.who, events})
	}
	var sorted []Stream
	for _, s := range streams {
		slices.SortFunc(s.Followers, func(a, b Follower) int { return cmp.Compare(a.Name, b.Name) })
		sorted = append(sorted, *s)
	}
	slices.SortFunc(sorted, func(a, b Stream) int { return cmp.Compare(a.Name, b.Name) })
	return sorted
}
