package subject

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A bare hub does what nobody can do without: one write(2) an event and
// follower, in a loop, of bytes that are as many as Freshet's. A follower that
// does not read stops it.
type bare struct {
	mu        sync.Mutex
	last      int
	event     []byte
	followers []int
}

func openBare(Spec) (*Subject, error) {
	l, err := listenLoopback()
	if err != nil {
		return nil, err
	}
	b := &bare{}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go b.serve(conn)
		}
	}()
	return &Subject{Addr: l.Addr().String(), Close: l.Close}, nil
}

// serve answers the requests of a connection, which may become a follower.
func (b *bare) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if r.Method == http.MethodGet {
			if err := b.follow(conn); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if err := b.publish(body); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n"); err != nil {
			return
		}
	}
}

// follow takes the descriptor of a connection, and makes it block.
func (b *bare) follow(conn net.Conn) error {
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"); err != nil {
		return err
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	var fd int
	var failed error
	err = raw.Control(func(p uintptr) {
		if fd, failed = unix.Dup(int(p)); failed == nil {
			failed = unix.SetNonblock(fd, false)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("take the descriptor of a follower: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.followers = append(b.followers, fd)
	return nil
}

func (b *bare) publish(data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	event := appendEvent(nil, data, b.last)
	b.event = fmt.Appendf(b.event[:0], "%x\r\n%s\r\n", len(event), event)
	for _, fd := range b.followers {
		n, err := unix.Write(fd, b.event)
		if err == nil && n < len(b.event) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return fmt.Errorf("write to a follower: %w", err)
		}
	}
	return nil
}
