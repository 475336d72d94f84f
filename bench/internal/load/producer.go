package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Producer sends the same record again and again.
type Producer struct {
	conn net.Conn
	in   *bufio.Reader
	// head begins the request of one that streams.
	head []byte
	// message is what it sends. If answered, it waits for the answer.
	message  []byte
	answered bool
	// stamp, if not nil, is where the message says when it was sent.
	stamp []byte
}

// Post returns a producer that appends to a path with one POST a record, over a
// connection that it keeps, and waits for each answer.
func Post(addr, path string, record []byte) (*Producer, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &Producer{conn: conn, in: bufio.NewReader(conn), message: write("POST", addr, path, record), answered: true}, nil
}

// Socket returns a producer that appends with one message a record over a plain
// WebSocket, which has no answers.
func Socket(addr, path, query string, record []byte) (*Producer, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	p := &Producer{conn: conn, in: bufio.NewReader(conn), message: Upgrade(addr, path+query, ""), answered: true}
	if err := p.send("101"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	p.message, p.answered = Message(record), false
	return p, nil
}

// Create makes a stream, with one record unless that is nil.
func Create(addr, path string, first []byte) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	p := &Producer{conn: conn, in: bufio.NewReader(conn), message: write("PUT", addr, path, first), answered: true}
	return p.send("20")
}

// Send sends the record once more.
func (p *Producer) Send() error { return p.send("20") }

func (p *Producer) send(status string) error {
	if p.stamp != nil {
		writeTime(p.stamp, now())
	}
	if _, err := p.conn.Write(p.message); err != nil || !p.answered {
		return err
	}
	return p.await(status)
}

// await reads the head of an answer.
func (p *Producer) await(status string) error {
	for first := true; ; first = false {
		line, err := p.in.ReadSlice('\n')
		switch {
		case err != nil:
			return fmt.Errorf("read answer: %w", err)
		case first && !bytes.HasPrefix(line, []byte("HTTP/1.1 "+status)):
			return fmt.Errorf("%.60q is answered with %q", p.message, line)
		case len(line) <= len("\r\n"):
			return nil
		}
	}
}

// Close closes the connection.
func (p *Producer) Close() { _ = p.conn.Close() }

// Run lets producers send for d, each as fast as it can and at least once, or if
// every is not zero once in that time, evenly spread. It returns how often they
// sent.
func Run(ctx context.Context, producers []*Producer, every, d time.Duration) (sent int64, err error) {
	var n atomic.Int64
	var once sync.Once
	var running sync.WaitGroup
	start := time.Now()
	end := start.Add(d)
	for i, p := range producers {
		next := start.Add(every * time.Duration(i) / time.Duration(len(producers)))
		running.Go(func() {
			for first := true; ctx.Err() == nil; first = false {
				if every > 0 {
					time.Sleep(time.Until(next))
					next = next.Add(every)
				}
				if !time.Now().Before(end) && (every > 0 || !first) {
					return
				}
				if failed := p.Send(); failed != nil {
					once.Do(func() { err = failed })
					return
				}
				n.Add(1)
			}
		})
	}
	running.Wait()
	return n.Load(), errors.Join(err, ctx.Err())
}
