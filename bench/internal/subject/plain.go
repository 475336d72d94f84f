package subject

import (
	"fmt"
	"io"
	"net/http"
	"sync"
)

// A plain hub is what one writes by hand with net/http in half an hour: each
// follower has a channel, gets what fits into it, and is flushed after every
// event. It keeps nothing.
type plain struct {
	mu        sync.Mutex
	last      int
	followers map[string]map[chan []byte]struct{}
}

// plainBuffer is how many events wait for one follower.
const plainBuffer = 16

func openPlain(Spec) (*Subject, error) {
	l, err := listenLoopback()
	if err != nil {
		return nil, err
	}
	p := &plain{followers: map[string]map[chan []byte]struct{}{}}
	hs := serveHTTP(l, p)
	return &Subject{Addr: l.Addr().String(), Close: hs.Close}, nil
}

// ServeHTTP implements [http.Handler].
func (p *plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		p.follow(w, r)
	case http.MethodPost:
		p.publish(w, r)
	default: // PUT: there is nothing to create
		w.WriteHeader(http.StatusNoContent)
	}
}

func (p *plain) follow(w http.ResponseWriter, r *http.Request) {
	events := make(chan []byte, plainBuffer)
	topic := r.URL.Path
	p.mu.Lock()
	if p.followers[topic] == nil {
		p.followers[topic] = map[chan []byte]struct{}{}
	}
	p.followers[topic][events] = struct{}{}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.followers[topic], events)
		p.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flusher := w.(http.Flusher)
	flusher.Flush()
	for {
		select {
		case event := <-events:
			if _, err := w.Write(event); err != nil {
				return
			}
			flusher.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func (p *plain) publish(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.last++
	event := appendEvent(nil, data, p.last)
	for events := range p.followers[r.URL.Path] {
		select {
		case events <- event:
		default: // it is slow, and loses the event
		}
	}
	p.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// appendEvent appends an event that is as long as Freshet's.
func appendEvent(dst, data []byte, number int) []byte {
	return fmt.Appendf(dst, "data: %s\nid: %016d_%016x\n\n", data, number, number)
}
