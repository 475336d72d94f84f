package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// SentinelOptions say how the Redis servers keep things, and how soon a failover
// begins.
type SentinelOptions struct {
	// Redis is for both servers; Name and Port do not count.
	Redis RedisOptions
	// DownAfter is after how much silence a sentinel takes a server for dead (1 s).
	// A replica that was cut off for more than ten times that is not promoted.
	DownAfter time.Duration
}

// A Sentinel is a primary, its replica, and three sentinels that watch them.
type Sentinel struct {
	// Servers are the first primary and the first replica.
	Servers [2]*Redis
	// Sentinels are those that watch them.
	Sentinels [3]*Redis
}

// masterSet is what the sentinels call the servers.
const masterSet = "freshet"

// StartSentinel starts all of it in folders of dir and returns when the replica
// follows the primary and the sentinels know of each other. The caller closes it.
func StartSentinel(ctx context.Context, dir string, o SentinelOptions) (*Sentinel, error) {
	if o.DownAfter == 0 {
		o.DownAfter = time.Second
	}
	s := &Sentinel{}
	if err := s.start(ctx, dir, o); err != nil {
		return nil, errors.Join(fmt.Errorf("start Sentinel: %w", err), s.Close())
	}
	return s, nil
}

func (s *Sentinel) start(ctx context.Context, dir string, o SentinelOptions) error {
	for i := range s.Servers {
		one := o.Redis
		one.Name, one.Port = fmt.Sprintf("redis-%d", i+1), 0
		one.Directives = append(replicationDirectives(), one.Directives...)
		if i > 0 {
			one.Directives = append(one.Directives, fmt.Sprintf("replicaof 127.0.0.1 %d", s.Servers[0].Port))
		}
		var err error
		if s.Servers[i], err = StartRedis(ctx, dir, one); err != nil {
			return err
		}
	}
	if err := s.Servers[1].awaitReplica(ctx); err != nil {
		return err
	}
	for i := range s.Sentinels {
		var err error
		if s.Sentinels[i], err = startSentinel(ctx, dir, fmt.Sprintf("sentinel-%d", i+1), s.Servers[0].Port, o.DownAfter); err != nil {
			return err
		}
	}
	return await(ctx, "the sentinels know each other", func(ctx context.Context) bool {
		for _, sentinel := range s.Sentinels {
			text, _ := sentinel.Do(ctx, "SENTINEL", "MASTER", masterSet)
			facts := pairs(text)
			if facts["num-other-sentinels"] != "2" || facts["num-slaves"] != "1" || facts["flags"] != "master" {
				return false
			}
		}
		return true
	})
}

// startSentinel starts one sentinel.
func startSentinel(ctx context.Context, dir, name string, primary int, downAfter time.Duration) (*Redis, error) {
	dir = filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of sentinel: %w", err)
	}
	config := filepath.Join(dir, "sentinel.conf")
	r := &Redis{}
	err := onFreePort(0, func(port int) error {
		text := strings.Join([]string{
			"bind 127.0.0.1", fmt.Sprint("port ", port), fmt.Sprintf("dir %q", dir), "daemonize no",
			fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d 2", masterSet, primary),
			fmt.Sprintf("sentinel down-after-milliseconds %s %d", masterSet, downAfter.Milliseconds()),
			fmt.Sprintf("sentinel failover-timeout %s %d", masterSet, 10*downAfter.Milliseconds()),
		}, "\n") + "\n"
		if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write configuration of sentinel: %w", err)
		}
		r.Port = port
		r.Process = NewProcess(Command{
			Name: name, Dir: dir, Path: "redis-sentinel", Args: []string{config},
			Ready: func(ctx context.Context, p *Process) bool { return logged("+monitor master")(ctx, p) && r.answers(ctx) },
		})
		return r.Start(ctx)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// URL returns the address as --store takes it.
func (s *Sentinel) URL() string {
	return fmt.Sprintf("redis://%s?addr=%s&addr=%s&master_set=%s",
		s.Sentinels[0].Addr(), s.Sentinels[1].Addr(), s.Sentinels[2].Addr(), masterSet)
}

// Primary returns the server that the sentinels agree is the primary, or nil while
// they do not, or while it does not say so itself.
func (s *Sentinel) Primary(ctx context.Context) *Redis {
	var agreed *Redis
	for _, sentinel := range s.Sentinels {
		text, err := sentinel.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterSet)
		fields := strings.Fields(text)
		if err != nil || len(fields) != 2 {
			continue // a sentinel that is down does not keep the others from agreeing
		}
		named := s.at(fields[1])
		if named == nil || agreed != nil && agreed != named {
			return nil
		}
		agreed = named
	}
	if agreed == nil || !agreed.IsPrimary(ctx) {
		return nil
	}
	return agreed
}

// at returns the server with a port.
func (s *Sentinel) at(port string) *Redis {
	for _, server := range s.Servers {
		if fmt.Sprint(server.Port) == port {
			return server
		}
	}
	return nil
}

// AwaitPrimary returns once the server is the primary, to all sentinels and by
// its own word: after another one was killed or paused, or after Failover.
func (s *Sentinel) AwaitPrimary(ctx context.Context, server *Redis) error {
	return await(ctx, server.Name()+" is primary", func(ctx context.Context) bool { return s.Primary(ctx) == server })
}

// AwaitReplica returns once a server, such as a primary that was killed and
// started again, follows the other one and has all of it.
func (s *Sentinel) AwaitReplica(ctx context.Context, server *Redis) error {
	return server.awaitReplica(ctx)
}

// Failover lets the sentinels promote the replica of a primary that lives, and
// returns the new primary.
func (s *Sentinel) Failover(ctx context.Context) (*Redis, error) {
	old := s.Primary(ctx)
	for _, server := range s.Servers {
		if old == nil || server == old {
			continue
		}
		if _, err := s.Sentinels[0].Do(ctx, "SENTINEL", "FAILOVER", masterSet); err != nil {
			return nil, fmt.Errorf("fail over: %w", err)
		}
		return server, s.AwaitPrimary(ctx, server)
	}
	return nil, errors.New("fail over: there is no primary")
}

// Close kills everything.
func (s *Sentinel) Close() error {
	return closeAll(append(s.Sentinels[:], s.Servers[:]...))
}

func closeAll(servers []*Redis) error {
	var errs []error
	for _, server := range servers {
		if server != nil {
			errs = append(errs, server.Close())
		}
	}
	return errors.Join(errs...)
}

// pairs returns what redis-cli printed as names and values in turn, a line each.
func pairs(text string) map[string]string {
	lines := strings.Split(text, "\n")
	fields := map[string]string{}
	for i := 0; i+1 < len(lines); i += 2 {
		fields[lines[i]] = lines[i+1]
	}
	return fields
}
