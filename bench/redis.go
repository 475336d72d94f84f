package main

import (
	"bufio"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// A redis is one that a benchmark has started. It runs on the core of the load.
type redis struct{ *fleet.Redis }

// startRedis starts a Redis with an append-only file that is synced always or
// everysec, and is not rewritten meanwhile. The caller closes it.
func (c *config) startRedis(ctx context.Context, sync string) (*redis, error) {
	dir, err := c.makeDir()
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	r, err := fleet.StartRedis(ctx, dir, fleet.RedisOptions{
		AppendOnly: true,
		Directives: []string{"appendfsync " + sync, "auto-aof-rewrite-percentage 0"},
	})
	if err != nil {
		return nil, err
	}
	return &redis{r}, nil
}

// An expense is what a Redis has done so far.
type expense struct {
	cpu time.Duration
	// changes counts the commands of clients that write, asked all that clients
	// sent, and calls also what scripts called; but subscriptions, which come and
	// go with readers and not with records.
	changes, asked, calls int64
	// sent is what clients and subscribers were sent, and memory what is used, in
	// bytes.
	sent, memory int64
}

func (e expense) since(before expense) expense {
	return expense{
		e.cpu - before.cpu, e.changes - before.changes, e.asked - before.asked, e.calls - before.calls,
		e.sent - before.sent, e.memory - before.memory,
	}
}

// spent returns what Redis has done while f ran.
func (r *redis) spent(ctx context.Context, f func() error) (expense, error) {
	before, err := r.expense(ctx)
	if err != nil {
		return expense{}, err
	}
	if err := f(); err != nil {
		return expense{}, err
	}
	after, err := r.expense(ctx)
	return after.since(before), err
}

// scripted are the commands that redisstore sends from scripts only.
const scripted = " get set del time xadd xrange xtrim hset hget hdel hgetall hlen zadd zrem zrangebyscore pexpireat persist spublish "

// uncounted are the commands of nobody's records.
const uncounted = " info ssubscribe sunsubscribe "

// expense reads what INFO says.
func (r *redis) expense(ctx context.Context) (e expense, err error) {
	text, err := r.Do(ctx, "INFO", "everything")
	if err != nil {
		return e, fmt.Errorf("read what Redis has done: %w", err)
	}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch key {
		case "used_cpu_sys", "used_cpu_user":
			seconds, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return e, fmt.Errorf("read CPU time of Redis: %w", err)
			}
			e.cpu += time.Duration(seconds * 1e9)
		case "total_net_output_bytes":
			e.sent, err = strconv.ParseInt(value, 10, 64)
		case "used_memory":
			e.memory, err = strconv.ParseInt(value, 10, 64)
		default:
			if name, ok := strings.CutPrefix(key, "cmdstat_"); ok && !strings.Contains(uncounted, " "+name+" ") {
				err = e.count(name, value)
			}
		}
		if err != nil {
			return e, fmt.Errorf("read %s of Redis: %w", key, err)
		}
	}
	return e, nil
}

// count counts the calls of a command.
func (e *expense) count(name, value string) error {
	value, _, _ = strings.Cut(strings.TrimPrefix(value, "calls="), ",")
	n, err := strconv.ParseInt(value, 10, 64)
	e.calls += n
	if strings.Contains(scripted, " "+name+" ") {
		return err
	}
	e.asked += n
	if name == "evalsha" || name == "eval" {
		e.changes += n
	}
	return err
}

// weigh returns the memory of all keys whose kind and name begin so.
func (r *redis) weigh(ctx context.Context, begin string) (int64, error) {
	const script = `local n = 0
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do n = n + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0') end
return n`
	text, err := r.Do(ctx, "EVAL", script, "0", "freshet:*:"+begin+"/*")
	if err != nil {
		return 0, fmt.Errorf("weigh keys: %w", err)
	}
	return strconv.ParseInt(text, 10, 64)
}
