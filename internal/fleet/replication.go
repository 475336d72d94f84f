package fleet

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// replicationDirectives let replicas log in as a user of their own, by which
// they can be kept out without anybody else noticing.
func replicationDirectives() []string {
	return []string{
		"user replica on >replica ~* &* +psync +replconf +ping",
		"masteruser replica",
		"masterauth replica",
		// A replica that comes back is served without a pause for others to come too.
		"repl-diskless-sync-delay 0",
	}
}

// CutReplicas ends the replication from this Redis to its replicas and keeps them
// out. What it commits from now on they do not get. It returns once it has no
// replica. Of a [Sentinel] or a [Cluster] only.
func (r *Redis) CutReplicas(ctx context.Context) error {
	if _, err := r.Do(ctx, "ACL", "SETUSER", "replica", "off"); err != nil {
		return fmt.Errorf("keep replicas out: %w", err)
	}
	if _, err := r.Do(ctx, "CLIENT", "KILL", "TYPE", "replica"); err != nil {
		return fmt.Errorf("end replication: %w", err)
	}
	return await(ctx, "replicas are cut", func(ctx context.Context) bool {
		return r.info(ctx, "replication")["connected_slaves"] == "0"
	})
}

// LetReplicas undoes CutReplicas. It does not wait for replicas to come back.
func (r *Redis) LetReplicas(ctx context.Context) error {
	if _, err := r.Do(ctx, "ACL", "SETUSER", "replica", "on"); err != nil {
		return fmt.Errorf("let replicas in: %w", err)
	}
	return nil
}

// awaitReplica returns once the Redis follows a primary and has all of it.
func (r *Redis) awaitReplica(ctx context.Context) error {
	return await(ctx, r.Name()+" is a replica", func(ctx context.Context) bool {
		info := r.info(ctx, "replication")
		return info["role"] == "slave" && info["master_link_status"] == "up"
	})
}

// AwaitReplicated returns once the replicas have all that this Redis has. Of what
// is written meanwhile it says nothing.
func (r *Redis) AwaitReplicated(ctx context.Context, replicas ...*Redis) error {
	has, err := strconv.ParseInt(r.info(ctx, "replication")["master_repl_offset"], 10, 64)
	if err != nil {
		return fmt.Errorf("%s: read the replication offset: %w", r.Name(), err)
	}
	return await(ctx, r.Name()+" is replicated", func(ctx context.Context) bool {
		for _, replica := range replicas {
			got, err := strconv.ParseInt(replica.info(ctx, "replication")["slave_repl_offset"], 10, 64)
			if err != nil || got < has {
				return false
			}
		}
		return true
	})
}

// IsPrimary reports whether the Redis runs and says that it takes writes.
func (r *Redis) IsPrimary(ctx context.Context) bool {
	return r.info(ctx, "replication")["role"] == "master"
}

// info returns the fields of a section of INFO, none if there is no answer.
func (r *Redis) info(ctx context.Context, section string) map[string]string {
	text, _ := r.Do(ctx, "INFO", section)
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}
