package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/client"
	"github.com/freshet-stream/freshet/internal/listen"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/server"
)

// A fleet is servers over one store, and a client that reaches them as through a
// load balancer: each connection goes to the next server that takes new ones.
type fleet struct {
	*testing.T
	*client.Client
	store *memstore.Store
	opts  server.Options

	mu    sync.Mutex
	turn  int
	nodes []*node
}

// A node is one server of a fleet.
type node struct {
	*server.Server
	http   *http.Server
	addr   string
	served chan error
	// out says that the balancer sends nothing new.
	out bool
	// dialed and accepted are how many connections were made and taken.
	dialed, accepted atomic.Int64
}

func newFleet(t *testing.T, n int, opts server.Options) *fleet {
	t.Helper()
	f := &fleet{T: t, store: memstore.New(memstore.Options{}), opts: opts}
	f.opts.Store, f.opts.Logger = f.store, slog.New(slog.DiscardHandler)
	for range n {
		f.start()
	}
	transport := &http.Transport{DialContext: f.dial, MaxIdleConnsPerHost: 1000}
	var err error
	f.Client, err = client.New("http://fleet.example", client.Options{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		for _, n := range f.nodes {
			n.Close()
			_ = n.http.Close()
			<-n.served
		}
		_ = f.store.Close()
	})
	return f
}

// start adds a server.
func (f *fleet) start() *node {
	f.Helper()
	s, err := server.New(f.opts)
	if err != nil {
		f.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	n := &node{Server: s, addr: l.Addr().String(), served: make(chan error, 1)}
	n.http = listen.NewServer(s, time.Minute, f.opts.Logger)
	n.http.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			n.accepted.Add(1)
		}
	}
	go func() { n.served <- n.http.Serve(listen.Problems(l)) }()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes = append(f.nodes, n)
	return n
}

var errNoServer = errors.New("no server takes connections")

func (f *fleet) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	n := f.next()
	if n == nil {
		return nil, errNoServer
	}
	n.dialed.Add(1)
	return new(net.Dialer).DialContext(ctx, network, n.addr)
}

func (f *fleet) next() *node {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range f.nodes {
		f.turn++
		if n := f.nodes[f.turn%len(f.nodes)]; !n.out {
			return n
		}
	}
	return nil
}

// drain drains a server as the command does, once the balancer has noticed.
func (f *fleet) drain(n *node) {
	f.Helper()
	n.Unready()
	f.mu.Lock()
	n.out = true
	f.mu.Unlock()
	// A connection that the kernel has and the server has not would be reset.
	eventually(f.T, "every connection was taken", func() bool { return n.accepted.Load() >= n.dialed.Load() })
	answered := make(chan error, 1)
	go func() { answered <- n.http.Shutdown(f.Context()) }()
	if err := n.Drain(f.Context()); err != nil {
		f.Errorf("drain: %v", err)
	}
	if got := n.Stats().Followers; got != 0 {
		f.Errorf("%d followers are left after the drain", got)
	}
	n.Close()
	if err := <-answered; err != nil {
		f.Errorf("shut down: %v", err)
	}
}

// eventually waits for something that is not told.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it is still not so that %s", what)
		}
	}
}
