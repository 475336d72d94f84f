package fleet

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// A clusterView is what one node knows of all, as CLUSTER NODES tells it.
type clusterView []clusterLine

type clusterLine struct {
	id     string
	port   int
	myself bool
	// primary is the id of the one it follows, or "-".
	primary string
	slots   []slotRange
}

type slotRange struct{ from, to int }

func (c *Cluster) view(ctx context.Context, node *Redis) (clusterView, error) {
	text, err := node.Do(ctx, "CLUSTER", "NODES")
	if err != nil {
		return nil, err
	}
	var view clusterView
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 8 {
			return nil, fmt.Errorf("read CLUSTER NODES: the line is %q", line)
		}
		addr, _, _ := strings.Cut(fields[1], "@")
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("read CLUSTER NODES: %w", err)
		}
		l := clusterLine{id: fields[0], myself: strings.Contains(fields[2], "myself"), primary: fields[3]}
		l.port, _ = strconv.Atoi(port)
		for _, text := range fields[8:] {
			if strings.HasPrefix(text, "[") {
				continue // a slot that is moving
			}
			from, to, ok := strings.Cut(text, "-")
			if !ok {
				to = from
			}
			var r slotRange
			r.from, _ = strconv.Atoi(from)
			r.to, _ = strconv.Atoi(to)
			l.slots = append(l.slots, r)
		}
		view = append(view, l)
	}
	return view, nil
}

// self returns the id of the node whose view it is.
func (v clusterView) self() string {
	for _, line := range v {
		if line.myself {
			return line.id
		}
	}
	return ""
}

// owner returns the node that serves a slot in a view, or nil.
func (c *Cluster) owner(view clusterView, slot int) *Redis {
	for _, line := range view {
		for _, r := range line.slots {
			if r.from <= slot && slot <= r.to {
				return c.at(line.port)
			}
		}
	}
	return nil
}
