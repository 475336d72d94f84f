package fleet

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// A Move is a slot on its way from one primary to another, in the steps in which
// redis-cli moves it, so that a test can look between them.
type Move struct {
	From, To *Redis

	cluster *Cluster
	slot    int
	// to is the id of To.
	to string
}

// MoveSlot moves a slot with its keys from the primary that serves it to another,
// and returns once all nodes see it there.
func (c *Cluster) MoveSlot(ctx context.Context, slot int, to *Redis) error {
	m, err := c.BeginMove(ctx, slot, to)
	if err != nil {
		return err
	}
	return m.End(ctx)
}

// BeginMove marks a slot as on its way to another primary. Keys that are not
// where it was are asked for there from now on.
func (c *Cluster) BeginMove(ctx context.Context, slot int, to *Redis) (*Move, error) {
	m := &Move{From: c.Primary(ctx, slot), To: to, cluster: c, slot: slot}
	if m.From == nil || m.From == to {
		return nil, fmt.Errorf("move slot %d: no other node serves it", slot)
	}
	from, err := m.From.Do(ctx, "CLUSTER", "MYID")
	if err == nil {
		m.to, err = to.Do(ctx, "CLUSTER", "MYID")
	}
	if err == nil {
		err = m.mark(ctx, to, "IMPORTING", from)
	}
	if err == nil {
		err = m.mark(ctx, m.From, "MIGRATING", m.to)
	}
	if err != nil {
		return nil, fmt.Errorf("move slot %d: %w", slot, err)
	}
	return m, nil
}

// Keys moves at most n keys, and returns how many it moved.
func (m *Move) Keys(ctx context.Context, n int) (int, error) {
	text, err := m.From.Do(ctx, "CLUSTER", "GETKEYSINSLOT", strconv.Itoa(m.slot), strconv.Itoa(n))
	keys := strings.Fields(text)
	if err == nil && len(keys) > 0 {
		args := []string{"MIGRATE", "127.0.0.1", strconv.Itoa(m.To.Port), "", "0", "10000", "KEYS"}
		_, err = m.From.Do(ctx, append(args, keys...)...)
	}
	if err != nil {
		return 0, fmt.Errorf("move keys of slot %d: %w", m.slot, err)
	}
	return len(keys), nil
}

// End moves the keys that are left, and returns once all nodes see the slot where
// it was to go.
func (m *Move) End(ctx context.Context) error {
	for moved := -1; moved != 0; {
		var err error
		if moved, err = m.Keys(ctx, 100); err != nil {
			return err
		}
	}
	// First the one that gets it, or it would belong to nobody for a moment.
	for _, node := range []*Redis{m.To, m.From} {
		if err := m.mark(ctx, node, "NODE", m.to); err != nil {
			return fmt.Errorf("move slot %d: %w", m.slot, err)
		}
	}
	return await(ctx, fmt.Sprintf("slot %d has moved", m.slot), func(ctx context.Context) bool {
		return m.cluster.Primary(ctx, m.slot) == m.To
	})
}

func (m *Move) mark(ctx context.Context, node *Redis, state, id string) error {
	_, err := node.Do(ctx, "CLUSTER", "SETSLOT", strconv.Itoa(m.slot), state, id)
	return err
}
