package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Followers read many connections in one thread (epoll(7)) and count the
// records that come, and the chunks in which they come.
type Followers struct {
	epoll   int
	fds     []int
	records atomic.Int64
	returns atomic.Int64
	fault   atomic.Pointer[error]
	closing atomic.Bool
	// watch, if not nil, times the records.
	watch   *watch
	reading sync.WaitGroup
}

// Follow returns followers without connections. The caller closes them.
func Follow() (*Followers, error) { return follow(nil) }

// FollowTimed returns followers that look at when each record was sent, of
// producers that write that into it ([Producer.Stamp]).
func FollowTimed() (*Followers, error) { return follow(&watch{cut: map[int][]byte{}}) }

func follow(w *watch) (*Followers, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	f := &Followers{epoll: epoll, watch: w}
	f.reading.Go(f.read)
	return f, nil
}

// Add makes a connection and lets it be read. What is in then is sent after the
// server has answered the request with a status.
func (f *Followers) Add(addr string, request []byte, status string, then []byte) error {
	fd, rest, err := dial(addr, request, status)
	if err != nil {
		return err
	}
	f.fds = append(f.fds, fd)
	f.count(rest)
	if err := send(fd, then); err != nil {
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	return unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// Records returns how many have come.
func (f *Followers) Records() int64 { return f.records.Load() }

// Chunks returns in how many chunks of HTTP/1.1 they have come, which is how
// often the server has flushed: each has two CR, and nothing else here has any
// (RFC 9112, section 7.1).
func (f *Followers) Chunks() int64 { return f.returns.Load() / 2 }

// Await waits until n records have come. More is an error, too.
func (f *Followers) Await(ctx context.Context, n int64) error {
	for {
		got := f.records.Load()
		switch fault := f.fault.Load(); {
		case fault != nil:
			return *fault
		case got == n:
			return nil
		case got > n:
			return fmt.Errorf("followers got %d records of %d", got, n)
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("followers got %d records of %d: %w", got, n, ctx.Err())
		}
	}
}

// Close closes all connections.
func (f *Followers) Close() {
	f.closing.Store(true)
	f.reading.Wait()
	for _, fd := range f.fds {
		_ = unix.Close(fd)
	}
	_ = unix.Close(f.epoll)
}

// read reads what comes until Close.
func (f *Followers) read() {
	runtime.LockOSThread()
	events, buffer := make([]unix.EpollEvent, 256), make([]byte, 256<<10)
	for !f.closing.Load() {
		n, err := unix.EpollWait(f.epoll, events, 50)
		if err != nil && !errors.Is(err, unix.EINTR) {
			f.fail(fmt.Errorf("wait for followers: %w", err))
			return
		}
		for i := range max(n, 0) {
			fd := int(events[i].Fd)
			n, err := unix.Read(fd, buffer)
			switch {
			case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			case err != nil || n == 0:
				f.fail(fmt.Errorf("a follower was cut: %w", errors.Join(err, errors.New("end of stream"))))
				return
			default:
				f.count(buffer[:n])
				if f.watch != nil {
					f.watch.look(fd, buffer[:n])
				}
			}
		}
	}
}

func (f *Followers) count(p []byte) {
	f.returns.Add(int64(bytes.Count(p, []byte{'\r'})))
	f.records.Add(int64(bytes.Count(p, []byte{mark})))
}

func (f *Followers) fail(err error) { f.fault.CompareAndSwap(nil, &err) }
