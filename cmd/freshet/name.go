package main

import (
	"net"
	"os"
	"strconv"
)

// serverName returns what the server calls itself: what --name says, or else
// where it listens, with the machine's name if other machines can reach it.
func (c *ServeCmd) serverName(addr net.Addr, loopback bool) string {
	if c.Name != "" {
		return c.Name
	}
	host, err := os.Hostname()
	tcp, ok := addr.(*net.TCPAddr)
	if loopback || err != nil || !ok {
		return addr.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(tcp.Port))
}
