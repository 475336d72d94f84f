package fleet

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// ClusterOptions say how the nodes keep things, and how soon one is taken for
// dead.
type ClusterOptions struct {
	// Redis is for all nodes; Name and Port do not count.
	Redis RedisOptions
	// NodeTimeout is after how much silence a node is taken for dead (1 s).
	NodeTimeout time.Duration
}

// A Cluster is a Redis Cluster of three primaries with a replica each.
type Cluster struct {
	Nodes [6]*Redis
}

// slots is how many slots keys hash to.
const slots = 16384

// StartCluster starts a cluster in folders of dir and returns when all slots are
// served and all replicas follow. The caller closes it.
func StartCluster(ctx context.Context, dir string, o ClusterOptions) (*Cluster, error) {
	if o.NodeTimeout == 0 {
		o.NodeTimeout = time.Second
	}
	c := &Cluster{}
	if err := c.start(ctx, dir, o); err != nil {
		return nil, errors.Join(fmt.Errorf("start Cluster: %w", err), c.Close())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, dir string, o ClusterOptions) error {
	create := []string{"--cluster", "create"}
	for i := range c.Nodes {
		err := onFreePort(0, func(bus int) (err error) {
			one := o.Redis
			one.Name, one.Port = fmt.Sprintf("node-%d", i+1), 0
			one.Directives = append(append(replicationDirectives(),
				"cluster-enabled yes", "cluster-config-file nodes.conf",
				// Its default, 10000 above the other, may be among those of clients.
				fmt.Sprint("cluster-port ", bus),
				fmt.Sprint("cluster-node-timeout ", o.NodeTimeout.Milliseconds()),
				// A replica stands for election however long it was cut off.
				"cluster-replica-validity-factor 0",
			), one.Directives...)
			c.Nodes[i], err = StartRedis(ctx, dir, one)
			return err
		})
		if err != nil {
			return err
		}
		create = append(create, c.Nodes[i].Addr())
	}
	create = append(create, "--cluster-replicas", "1", "--cluster-yes")
	if out, err := exec.CommandContext(ctx, "redis-cli", create...).CombinedOutput(); err != nil {
		return fmt.Errorf("redis-cli --cluster create: %w\n%s", err, out)
	}
	return c.AwaitWhole(ctx)
}

// AwaitWhole returns once all nodes that run agree on who serves each slot, and
// all replicas among them follow.
func (c *Cluster) AwaitWhole(ctx context.Context) error {
	return await(ctx, "the cluster is whole", func(ctx context.Context) bool {
		view := ""
		for _, node := range c.Nodes {
			if !node.Running() {
				continue
			}
			text, err := node.Do(ctx, "CLUSTER", "INFO")
			if err != nil || !strings.Contains(text, "cluster_state:ok") || !strings.Contains(text, "cluster_slots_ok:"+strconv.Itoa(slots)) {
				return false
			}
			info := node.info(ctx, "replication")
			if info["role"] == "slave" && info["master_link_status"] != "up" {
				return false
			}
			text, err = node.Do(ctx, "CLUSTER", "SLOTS")
			if err != nil || view != "" && len(text) != len(view) {
				return false
			}
			view = text
		}
		return true
	})
}

// URL returns the address as --store takes it.
func (c *Cluster) URL() string {
	return fmt.Sprintf("redis://%s?addr=%s&addr=%s", c.Nodes[0].Addr(), c.Nodes[1].Addr(), c.Nodes[2].Addr())
}

// Slot returns the slot of a key.
func (c *Cluster) Slot(ctx context.Context, key string) (int, error) {
	text, err := c.Nodes[0].Do(ctx, "CLUSTER", "KEYSLOT", key)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// Primary returns the node that serves a slot, as all nodes that run see it, or
// nil while they do not agree.
func (c *Cluster) Primary(ctx context.Context, slot int) *Redis {
	var agreed *Redis
	for _, node := range c.Nodes {
		if !node.Running() {
			continue
		}
		view, err := c.view(ctx, node)
		if err != nil {
			return nil
		}
		owner := c.owner(view, slot)
		if owner == nil || agreed != nil && agreed != owner {
			return nil
		}
		agreed = owner
	}
	return agreed
}

// Replica returns the node that follows a primary, as the primary sees it, or nil.
func (c *Cluster) Replica(ctx context.Context, primary *Redis) *Redis {
	view, err := c.view(ctx, primary)
	if err != nil {
		return nil
	}
	id := view.self()
	for _, line := range view {
		if line.primary == id {
			return c.at(line.port)
		}
	}
	return nil
}

// Failover lets the replica of a primary that lives take over, without loss, and
// returns it once all nodes see it so.
func (c *Cluster) Failover(ctx context.Context, primary *Redis) (*Redis, error) {
	replica := c.Replica(ctx, primary)
	if replica == nil {
		return nil, errors.New("fail over: the primary has no replica")
	}
	if _, err := replica.Do(ctx, "CLUSTER", "FAILOVER"); err != nil {
		return nil, fmt.Errorf("fail over: %w", err)
	}
	return replica, c.AwaitPrimary(ctx, replica)
}

// AwaitPrimary returns once a node serves slots, by its own word and to all that
// run: after its primary was killed, or after Failover.
func (c *Cluster) AwaitPrimary(ctx context.Context, node *Redis) error {
	return await(ctx, node.Name()+" is primary", func(ctx context.Context) bool {
		view, err := c.view(ctx, node)
		if err != nil {
			return false
		}
		for _, line := range view {
			if line.myself && len(line.slots) > 0 {
				return c.Primary(ctx, line.slots[0].from) == node
			}
		}
		return false
	})
}

// AwaitReplica returns once a node, such as a primary that was killed and started
// again, follows another one and has all of it.
func (c *Cluster) AwaitReplica(ctx context.Context, node *Redis) error {
	return node.awaitReplica(ctx)
}

// Close kills all nodes.
func (c *Cluster) Close() error { return closeAll(c.Nodes[:]) }

// at returns the node with a port.
func (c *Cluster) at(port int) *Redis {
	for _, node := range c.Nodes {
		if node.Port == port {
			return node
		}
	}
	return nil
}
