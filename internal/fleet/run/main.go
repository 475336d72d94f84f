// Command run runs a fleet on this machine, to try things out: Redis, three
// freshet servers and haproxy in front of them. What ends is started again, and
// all of it ends with Ctrl-C.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	var o options
	flag.IntVar(&o.port, "port", 4437, "where haproxy listens; 0 takes a free port")
	flag.StringVar(&o.setup, "setup", "stateless", "how haproxy balances: stateless, pubsub or sticky-hash")
	flag.StringVar(&o.server, "serve", "", "further flags of freshet serve, separated by spaces")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// run runs a fleet until ctx ends, and tells w what happens.
func run(ctx context.Context, o options, w io.Writer) (err error) {
	if err := checkPrograms(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "freshet-fleet-")
	if err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	out := &output{w: w}
	f := &running{dir: dir, out: out}
	defer func() { err = errors.Join(err, f.close(), os.RemoveAll(dir)) }()
	if err := f.start(ctx, o); err != nil {
		return err
	}
	out.say("", f.greeting())
	f.supervise(ctx)
	out.say("", "\nstopping\n")
	return nil
}

// checkPrograms says what to do if something is not installed.
func checkPrograms() error {
	var missing []string
	for _, program := range []string{"redis-server", "redis-cli", "haproxy"} {
		if _, err := exec.LookPath(program); err != nil && !inSbin(program) {
			missing = append(missing, program)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("not installed: %s; `scripts/setup` installs what the fleet and the tests run", strings.Join(missing, ", "))
}

// inSbin reports whether a program is where Debian puts daemons, which not
// everybody has in PATH.
func inSbin(program string) bool {
	for _, dir := range []string{"/usr/local/sbin/", "/usr/sbin/", "/sbin/"} {
		if facts, err := os.Stat(dir + program); err == nil && !facts.IsDir() {
			return true
		}
	}
	return false
}
