// Package subject has what is measured: Freshet's server, and beside it the
// least that does the same work. Each runs alone in a process.
package subject

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// A Spec says what to open.
type Spec struct {
	// Name is one of freshet, nethttp, bare, fsync, pebble and origin.
	Name string
	// Dir is where data is kept on disk, and Redis the URL of one that keeps it
	// instead. Freshet keeps it in memory without.
	Dir, Redis string
	// Upstream, if not empty, is the address to which Freshet's LLM gateway sends
	// what it is asked.
	Upstream string
	// Record is the size of the records of those that make their own, in bytes.
	Record int
	// Writers is how many write at the same time in those that write by
	// themselves.
	Writers int
}

// A Subject is open until Close.
type Subject struct {
	// Addr is where it listens, if it does: for SSE followers with GET and for
	// events with POST on the same path.
	Addr string
	// Work, if not nil, does what there is to do for about d and returns how
	// often it was done.
	Work  func(d time.Duration) (int, error)
	Close func() error
}

// Open opens a subject.
func Open(spec Spec) (*Subject, error) {
	open := map[string]func(Spec) (*Subject, error){
		"freshet": openFreshet,
		"nethttp": openPlain,
		"bare":    openBare,
		"fsync":   openFsync,
		"pebble":  openPebble,
		"origin":  openOrigin,
	}[spec.Name]
	if open == nil {
		return nil, fmt.Errorf("there is nothing named %q to measure", spec.Name)
	}
	s, err := open(spec)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", spec.Name, err)
	}
	return s, nil
}

// listenLoopback listens on a free port.
func listenLoopback() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

// serveHTTP serves a handler in the way of the freshet command.
func serveHTTP(l net.Listener, h http.Handler) *http.Server {
	hs := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	go func() { _ = hs.Serve(l) }()
	return hs
}
