package main

import "sync"

// A tally counts what happens to the followers. Its methods may be called
// concurrently.
type tally struct {
	mu    sync.Mutex
	state tallied
	// at counts the followers by the record that they are at.
	at map[int]int
}

// tallied is what is reported.
type tallied struct {
	// Connected are the followers that have ever been answered, Lost those that
	// lost their server, Back those that another one has answered, Ended those that
	// were told the end, and Stopped those that were told then to stop for good.
	Connected, Lost, Back, Ended, Stopped int
	// Refused counts the attempts to connect that failed.
	Refused int
	// Least and Most are the records at which followers are.
	Least, Most int
}

func (t *tally) count(n *int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*n++
}

// move notes that a follower has got a record, after another one unless that is 0.
func (t *tally) move(from, to int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.at == nil {
		t.at = map[int]int{}
	}
	if t.at[from]--; t.at[from] <= 0 {
		delete(t.at, from)
	}
	t.at[to]++
}

func (t *tally) report() tallied {
	t.mu.Lock()
	defer t.mu.Unlock()
	state := t.state
	for at := range t.at {
		if state.Least == 0 || at < state.Least {
			state.Least = at
		}
		state.Most = max(state.Most, at)
	}
	return state
}
