package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/rueidis"
)

// check reports why the Redis, each node of it, cannot keep streams. Nodes of
// several that are down are left for later: a server has to be able to start
// while they are.
func (s *Store) check(ctx context.Context) error {
	var down error
	up := 0
	for address, node := range s.client.Nodes() {
		text, err := node.Do(ctx, node.B().Info().Section("server", "memory").Build()).ToString()
		if err != nil {
			down = fmt.Errorf("ask Redis at %s what it is: %w", address, explain(err))
			s.opts.Logger.Warn("a node of Redis does not answer", "node", address, "error", err)
			continue
		}
		if err := checkNode(address, parseInfo(text)); err != nil {
			return err
		}
		up++
	}
	if up == 0 {
		return down
	}
	return nil
}

func checkNode(address string, info map[string]string) error {
	major, _, _ := strings.Cut(info["redis_version"], ".")
	if n, err := strconv.Atoi(major); err != nil || n < 7 {
		return fmt.Errorf("the Redis at %s has version %q; Freshet needs 7.0 or later, for sharded pub/sub", address, info["redis_version"])
	}
	if policy := info["maxmemory_policy"]; policy != "noeviction" {
		return fmt.Errorf("the Redis at %s has the maxmemory-policy %s and would drop streams when its memory is full; set it to noeviction: redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf", address, policy)
	}
	return nil
}

// connect connects to Redis. One that is being started or restarted is waited for
// as long as Options.Patience.
func connect(ctx context.Context, o Options) (rueidis.Client, error) {
	giveUp := time.Now().Add(o.Patience)
	for {
		client, err := rueidis.NewClient(o.client)
		if err == nil {
			return client, nil
		}
		if _, answered := rueidis.IsRedisErr(err); answered || !isBroken(err) || time.Now().After(giveUp) {
			return nil, connectError(o.client, err)
		}
		select {
		case <-ctx.Done():
			return nil, connectError(o.client, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// isBroken reports whether a connection was refused, or broke off.
func isBroken(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
}

// connectError says why there is no connection, without the password.
func connectError(o rueidis.ClientOption, err error) error {
	at := strings.Join(o.InitAddress, ", ")
	if o.Sentinel.MasterSet != "" {
		return fmt.Errorf("connect to Redis by the Sentinels at %s, master set %s: %w", at, o.Sentinel.MasterSet, explain(err))
	}
	if o.TLSConfig != nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("connect to Redis at %s: %w (if it does not speak TLS on that port, write redis:// instead of rediss://)", at, err)
	}
	return fmt.Errorf("connect to Redis at %s: %w", at, explain(err))
}

// explain adds to an error what can be done about it.
func explain(err error) error {
	for _, hint := range []struct{ word, advice string }{
		{"NOAUTH", "it wants a password: redis://:PASSWORD@HOST or redis://USER:PASSWORD@HOST"},
		{"WRONGPASS", "user or password are not those of this Redis; what is special in a URL has to be written as %XX in them"},
		{"NOPERM", "the user may not do what Freshet needs; see docs/redis.md for an ACL rule that allows it"},
		{"cluster support disabled", "several addresses are those of a Cluster, and this Redis is none: name one address, or the Sentinels with master_set"},
		{"No such master with that name", "the Sentinels know no master set of that name; look with: redis-cli -p 26379 SENTINEL MASTERS"},
		{"redis nil message", "the Sentinels know no master set of that name; look with: redis-cli -p 26379 SENTINEL MASTERS"},
		{"invalid DB index", "this Redis has no such database; a Cluster has only 0"},
		{"DB index is out of range", "this Redis has no such database; a Cluster has only 0"},
		{"SELECT is not allowed in cluster mode", "a Cluster has only database 0: leave it out of the URL"},
		{"connection refused", "is it running, and is that its port?"},
		{"no such host", "is the name right?"},
		{"command 'SENTINEL'", "that is a Redis and no Sentinel, whose port is 26379 unless configured"},
		{"certificate signed by unknown authority", "its certificate is from an authority that this machine does not trust"},
		{"unknown command 'HELLO'", "Freshet needs Redis 7.0 or later"},
	} {
		if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(hint.word)) {
			return fmt.Errorf("%w (%s)", err, hint.advice)
		}
	}
	return err
}

// parseInfo reads the fields of an answer to INFO.
func parseInfo(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[key] = value
		}
	}
	return fields
}
