package faultproxy

import (
	"sync"
	"time"
)

// CutAll cuts the connections that are open now, and returns how many.
func (p *Proxy) CutAll() int { return p.each((*link).interrupt) }

// Stall lets the connections that are open now carry nothing any more, in either
// direction, while both ends take them for open: what arrives is thrown away. It
// returns how many. New connections are not affected.
func (p *Proxy) Stall() int {
	n := p.each((*link).stall)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Stalled += n
	return n
}

// Delay lets every piece of what passes wait from now on, in both directions. 0
// ends that.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// each does something with all open connections and returns with how many it
// could be done.
func (p *Proxy) each(do func(*link) bool) (n int) {
	p.mu.Lock()
	links := make([]*link, 0, len(p.links))
	for l := range p.links {
		links = append(links, l)
	}
	p.mu.Unlock()
	for _, l := range links {
		if do(l) {
			n++
		}
	}
	return n
}

// Hold keeps what comes in until it is released. After pass what comes passes
// again, while what came before is still kept: it arrives late. Both may be called
// more than once; release has to be, before the proxy is closed.
func (p *Proxy) Hold() (pass, release func()) {
	held := make(chan struct{})
	p.held.Store(&held)
	pass = func() { p.held.CompareAndSwap(&held, nil) }
	return pass, sync.OnceFunc(func() {
		pass()
		close(held)
	})
}

// wait delays a piece, or keeps it.
func (p *Proxy) wait() {
	d, held := time.Duration(p.delay.Load()), p.held.Load()
	if d <= 0 && held == nil {
		return
	}
	p.mu.Lock()
	p.counts.Delayed++
	p.mu.Unlock()
	if held != nil {
		<-*held
	}
	time.Sleep(d)
}

// interrupt lets the direction to the client cut the link.
func (l *link) interrupt() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	l.over, l.cutNow = true, true
	_ = l.server.SetReadDeadline(time.Now())
	return true
}

func (l *link) stall() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.stalled {
		return false
	}
	l.stalled = true
	return true
}

// interrupted reports whether the link is to be cut although neither end closed.
func (l *link) interrupted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cutNow
}
