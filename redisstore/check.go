package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// check reports why the Redis, each node of it, cannot keep streams.
func (s *Store) check(ctx context.Context) error {
	for address, node := range s.client.Nodes() {
		text, err := node.Do(ctx, node.B().Info().Section("server", "memory").Build()).ToString()
		if err != nil {
			return fmt.Errorf("ask Redis at %s what it is: %w", address, err)
		}
		info := parseInfo(text)
		major, _, _ := strings.Cut(info["redis_version"], ".")
		if n, err := strconv.Atoi(major); err != nil || n < 7 {
			return fmt.Errorf("the Redis at %s has version %q; Freshet needs 7.0 or later, for sharded pub/sub", address, info["redis_version"])
		}
		if policy := info["maxmemory_policy"]; policy != "noeviction" {
			return fmt.Errorf("the Redis at %s has the maxmemory-policy %s and would drop streams when its memory is full; set it to noeviction: redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf", address, policy)
		}
	}
	return nil
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
