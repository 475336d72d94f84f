package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// greeting says what runs and what to try.
func (f *running) greeting() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nThree servers over one Redis, behind haproxy:\n\n  %s/\n\n", f.balancer.URL())
	row := func(name, addr string, pid int) { fmt.Fprintf(&b, "  %-9s %-16s pid %d\n", name, addr, pid) }
	row("haproxy", f.balancer.Addr(), f.balancer.PID())
	for _, s := range f.servers {
		row(s.Name(), s.Addr(), s.PID())
	}
	row("redis", f.redis.Addr(), f.redis.PID())
	fmt.Fprintf(&b, `
On the page:
  Append a line. It says which server took it, and from which servers the panes
  received it. Cut a pane. It comes back on another server and misses nothing.

In other terminals:
  # which server answers? each time the next
  curl -si %[1]s/healthz | grep -i freshet-server

  # a client on %[2]s by WebSocket receives what is posted at %[3]s
  %[6]s follow --via ws --wait 5m --url %[4]s hello
  curl -X PUT  -H 'Content-Type: text/plain' %[5]s/v1/stream/hello
  curl -X POST -H 'Content-Type: text/plain' -d 'Hello, server 3. ' %[5]s/v1/stream/hello

  # a server is deployed anew, another crashes; both are back after %[7]v
  kill %[8]d
  kill -9 %[9]d

Ctrl-C ends all of it, and what was stored is gone.

`, f.balancer.URL(), f.servers[2].Name(), f.servers[1].Name(), f.servers[2].URL(), f.servers[1].URL(),
		filepath.Join(f.dir, "freshet"), restartWait, f.servers[0].PID(), f.servers[1].PID())
	return b.String()
}
