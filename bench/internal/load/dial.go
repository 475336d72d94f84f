package load

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// connect connects to addr.
func connect(addr string) (fd int, err error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return -1, err
	}
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("make socket: %w", err)
	}
	// Nothing here takes longer; if it does the benchmark is to fail.
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10})
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return fd, nil
}

// dial connects to addr, sends a request, and reads the head of the answer, for
// which it waits. It returns the descriptor and what came after the head.
func dial(addr string, request []byte, status string) (fd int, rest []byte, err error) {
	if fd, err = connect(addr); err != nil {
		return -1, nil, err
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	if err := send(fd, request); err != nil {
		return -1, nil, err
	}
	head := make([]byte, 0, 4<<10)
	for {
		n, err := unix.Read(fd, head[len(head):cap(head)])
		if errors.Is(err, unix.EINTR) { // a signal of Go's runtime
			continue
		}
		if err != nil || n == 0 {
			return -1, nil, fmt.Errorf("read head after %q: %w", head, err)
		}
		head = head[:len(head)+n]
		first, rest, ok := bytes.Cut(head, []byte("\r\n\r\n"))
		switch {
		case ok && !bytes.HasPrefix(first, []byte("HTTP/1.1 "+status)):
			return -1, nil, fmt.Errorf("%.60q is answered with %q", request, head)
		case ok:
			return fd, rest, nil
		case len(head) == cap(head):
			return -1, nil, fmt.Errorf("the head is too long: %q", head)
		}
	}
}

// send writes all of p to a socket that blocks.
func send(fd int, p []byte) error {
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("send request: %w", err)
		}
		p = p[n:]
	}
	return nil
}
