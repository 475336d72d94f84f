// Package wake keeps the followers of streams for stores that tell them of
// changes within their own process.
package wake

import (
	"sync"

	"github.com/freshet-stream/freshet"
)

// A Registry calls whoever asked to be told of a stream's changes. The zero
// value is ready. Its methods may be called concurrently.
type Registry struct {
	mu        sync.RWMutex
	followers map[string]map[*follower]struct{}
}

type follower struct {
	mu      sync.Mutex
	stopped bool
	wake    func(freshet.Hint)
}

// Follow lets wake be called at each Tell for name. When stop has returned,
// wake is not running and is never called again. wake must not call stop.
func (r *Registry) Follow(name string, wake func(freshet.Hint)) (stop func()) {
	f := &follower{wake: wake}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.followers == nil {
		r.followers = map[string]map[*follower]struct{}{}
	}
	if r.followers[name] == nil {
		r.followers[name] = map[*follower]struct{}{}
	}
	r.followers[name][f] = struct{}{}
	return func() { r.remove(name, f) }
}

// Tell calls the followers of name with h, one after the other. Calls for one
// name that do not overlap arrive in their order.
func (r *Registry) Tell(name string, h freshet.Hint) {
	var few [4]*follower
	all := few[:0]
	r.mu.RLock()
	for f := range r.followers[name] {
		all = append(all, f)
	}
	r.mu.RUnlock()
	for _, f := range all {
		f.tell(h)
	}
}

func (f *follower) tell(h freshet.Hint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.stopped {
		f.wake(h)
	}
}

func (r *Registry) remove(name string, f *follower) {
	f.mu.Lock()
	f.stopped = true
	f.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.followers[name], f)
	if len(r.followers[name]) == 0 {
		delete(r.followers, name)
	}
}
