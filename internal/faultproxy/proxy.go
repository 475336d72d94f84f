// Package faultproxy is a TCP proxy for tests that cuts, delays and stalls the
// connections which pass through it, and counts what it did.
package faultproxy

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// lingerFIN is for how long a connection that ended with FIN is still read, so
// that what the client sends does not turn the FIN into a RST.
const lingerFIN = 200 * time.Millisecond

// A Side is the direction whose bytes count towards a cut.
type Side uint8

const (
	// Down counts what the server sends to the client.
	Down Side = iota
	// Both counts what either sends.
	Both
)

// Options configure a [Proxy].
type Options struct {
	// Target is the address of the server.
	Target string
	// Listen is the address to listen on. Empty is a free port of loopback.
	Listen string
	// Least and Most bound after how many bytes a connection is cut, evenly
	// chosen for each. Most 0 cuts nothing.
	Least, Most int
	// Side is what counts.
	Side Side
	// Seed makes the choices those of every run with the same one.
	Seed uint64
}

// Counts is what a [Proxy] has done.
type Counts struct {
	// Connections counts those that were accepted.
	Connections int
	// FIN and RST count the cuts by how the client saw them.
	FIN, RST int
	// InsideEvent counts the cuts that fell between two bytes of one event: of a
	// block of Server-Sent Events with data, or of a WebSocket message.
	InsideEvent int
	// Stalled counts the connections that were left half-open, Delayed the pieces
	// that had to wait.
	Stalled, Delayed int
}

// Cuts is how many connections were cut.
func (c Counts) Cuts() int { return c.FIN + c.RST }

// A Proxy listens on loopback and passes bytes on. Its methods may be called
// concurrently.
type Proxy struct {
	opts     Options
	listener net.Listener
	working  sync.WaitGroup

	mu     sync.Mutex
	random *rand.Rand
	counts Counts
	conns  map[net.Conn]struct{}
	links  map[*link]struct{}
	closed bool

	// delay is a time.Duration.
	delay atomic.Int64
	// held, unless it is nil, is closed when what comes in now may go on.
	held atomic.Pointer[chan struct{}]
}

// New starts a proxy. Whoever made it closes it.
func New(opts Options) (*Proxy, error) {
	listen := opts.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	p := &Proxy{opts: opts, listener: l, random: rand.New(rand.NewPCG(opts.Seed, 0)), conns: map[net.Conn]struct{}{}, links: map[*link]struct{}{}}
	p.working.Go(p.accept)
	return p, nil
}

// Addr is the address to connect to, host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Counts returns what was done so far.
func (p *Proxy) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Close ends the proxy and all connections, which it does not count as cuts.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.working.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		p.working.Go(func() { p.serve(c) })
	}
}

// track notes a connection, to be closed with the proxy.
func (p *Proxy) track(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = c.Close()
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	_ = c.Close()
}

// choose returns after how many bytes the next connection is cut, or -1.
func (p *Proxy) choose() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Connections++
	if p.opts.Most <= 0 {
		return -1
	}
	return p.opts.Least + p.random.IntN(p.opts.Most-p.opts.Least+1)
}

func (p *Proxy) serve(client net.Conn) {
	budget := p.choose()
	if !p.track(client) {
		return
	}
	defer p.forget(client)
	server, err := net.DialTimeout("tcp", p.opts.Target, 5*time.Second)
	if err != nil {
		abort(client)
		return
	}
	if !p.track(server) {
		return
	}
	defer p.forget(server)
	l := &link{proxy: p, client: client, server: server, left: budget}
	p.mu.Lock()
	p.links[l] = struct{}{}
	p.mu.Unlock()
	l.run()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// cut ends a connection to a client, by turns with FIN and with RST.
func (p *Proxy) cut(client net.Conn, insideEvent bool) {
	p.mu.Lock()
	fin := p.counts.Cuts()%2 == 0
	if fin {
		p.counts.FIN++
	} else {
		p.counts.RST++
	}
	if insideEvent {
		p.counts.InsideEvent++
	}
	p.mu.Unlock()
	if !fin {
		abort(client)
		return
	}
	if tcp, ok := client.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_ = client.SetReadDeadline(time.Now().Add(lingerFIN))
	_, _ = io.Copy(io.Discard, client)
}

// abort closes a connection with RST.
func abort(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
