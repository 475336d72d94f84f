package fleet

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Reload lets the balancer take its configuration anew, as an operator would, and
// returns once it has.
func (b *Balancer) Reload(ctx context.Context) error {
	switch b.program {
	case "haproxy":
		return b.reloadBySignal(ctx, syscall.SIGUSR2, "Loading success")
	case "nginx":
		return b.reloadBySignal(ctx, syscall.SIGHUP, "start worker processes")
	}
	cmd := exec.CommandContext(ctx, b.command.Path, append([]string{"reload", "--force", "--address", caddyAdmin}, b.command.Args[1:]...)...)
	cmd.Dir, cmd.Env = b.command.Dir, append(os.Environ(), b.command.Env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("reload caddy: %w\n%s", err, out)
	}
	return nil
}

// reloadBySignal waits until the log says again what it says at a start.
func (b *Balancer) reloadBySignal(ctx context.Context, s syscall.Signal, says string) error {
	count := func() int {
		text, _ := b.Log()
		return strings.Count(text, says)
	}
	before := count()
	if err := b.Signal(s); err != nil {
		return err
	}
	return await(ctx, b.program+" has reloaded", func(context.Context) bool { return count() > before })
}
