package fleet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
)

// Ports are taken from below those that the kernel gives to outgoing
// connections. A server that is down could lose one of the latter to a
// connection, its own client's even, which would then be connected to itself.
const (
	firstPort = 12000
	lastPort  = 32000
)

// tries is how many ports are tried until a process gets one.
const tries = 8

// FreePort returns a port on which nothing listens on loopback now. Somebody
// else may take it before its user does.
func FreePort() (int, error) {
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		l, err := net.Listen("tcp", Address(port))
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, errors.New("find port: none is free")
}

// Address returns the address of a port on loopback.
func Address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// onFreePort calls start with free ports until one of them was not taken by
// somebody else before start got it. A port that is not 0 is the only one.
func onFreePort(port int, start func(port int) error) error {
	if port != 0 {
		return start(port)
	}
	var err error
	for range tries {
		if port, err = FreePort(); err != nil {
			return err
		}
		err = start(port)
		if err == nil || !isTaken(err) {
			return err
		}
	}
	return fmt.Errorf("%d ports in turn: %w", tries, err)
}

// isTaken reports whether a process ended, by the words of its log, because
// somebody else listens on its port.
func isTaken(err error) bool {
	var ended *EndedError
	return errors.As(err, &ended) && strings.Contains(strings.ToLower(ended.Log), "address already in use")
}
