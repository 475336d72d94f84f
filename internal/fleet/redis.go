package fleet

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// RedisOptions say how Redis keeps things. The zero value keeps all of it, and
// only in memory.
type RedisOptions struct {
	// Name is that of the process (redis).
	Name string
	// Port is where it listens; 0 takes a free one.
	Port int
	// AppendOnly writes the append-only file. When it is synced is for a
	// directive; everysec is Redis' default.
	AppendOnly bool
	// Maxmemory bounds memory, as in "100mb". What happens then is Policy, which
	// is noeviction if empty.
	Maxmemory, Policy string
	// Directives are lines for the end of the configuration.
	Directives []string
}

// A Redis is a running redis-server. It is one [Process]: after Kill, Start
// starts it again on its port, with what it has kept.
type Redis struct {
	*Process
	// Port is where it listens on loopback.
	Port int
}

// StartRedis starts a redis-server, whose files are in a folder of dir, and
// returns when it answers. The caller closes it.
func StartRedis(ctx context.Context, dir string, o RedisOptions) (*Redis, error) {
	if o.Name == "" {
		o.Name = "redis"
	}
	r := &Redis{}
	err := onFreePort(o.Port, func(port int) error {
		config, err := o.write(dir, port)
		if err != nil {
			return err
		}
		r.Port = port
		r.Process = NewProcess(Command{
			Name: o.Name, Dir: filepath.Dir(config), Path: "redis-server", Args: []string{config},
			Ready: func(ctx context.Context, p *Process) bool {
				text, _ := p.Log()
				return strings.Contains(text, "Ready to accept connections") && r.answers(ctx)
			},
		})
		return r.Start(ctx)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// write writes the configuration file of a Redis in dir/NAME.
func (o RedisOptions) write(dir string, port int) (string, error) {
	dir = filepath.Join(dir, o.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make directory of Redis: %w", err)
	}
	lines := []string{
		"bind 127.0.0.1",
		"port " + strconv.Itoa(port),
		"dir " + strconv.Quote(dir),
		"daemonize no",
		`save ""`,
		"appendonly " + yesNo(o.AppendOnly),
		"maxmemory-policy " + orElse(o.Policy, "noeviction"),
	}
	if o.Maxmemory != "" {
		lines = append(lines, "maxmemory "+o.Maxmemory)
	}
	lines = append(lines, o.Directives...)
	config := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return "", fmt.Errorf("write configuration of Redis: %w", err)
	}
	return config, nil
}

// Addr returns host and port.
func (r *Redis) Addr() string { return Address(r.Port) }

// URL returns the address as --store takes it.
func (r *Redis) URL() string { return "redis://" + r.Addr() }

// Do runs a command with redis-cli and returns what it says. An error that Redis
// answers is an error.
func (r *Redis) Do(ctx context.Context, args ...string) (string, error) {
	return redisCLI(ctx, r.Port, args...)
}

func (r *Redis) answers(ctx context.Context) bool {
	text, err := r.Do(ctx, "PING")
	return err == nil && text == "PONG"
}

func redisCLI(ctx context.Context, port int, args ...string) (string, error) {
	args = append([]string{"-e", "-h", "127.0.0.1", "-p", strconv.Itoa(port)}, args...)
	out, err := exec.CommandContext(ctx, "redis-cli", args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return text, fmt.Errorf("redis-cli %s: %w: %s", strings.Join(args, " "), err, text)
	}
	return text, nil
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
