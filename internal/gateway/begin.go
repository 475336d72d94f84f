package gateway

import (
	"context"
	"time"

	"github.com/freshet-stream/freshet"
)

// createTime bounds the creation of a generation. It goes on when its caller has
// left, who may come back for it.
const createTime = 10 * time.Second

// begin creates the stream of a generation unless there is one, and if so lets the
// generation run: whoever creates it is its owner. It returns what is known of the
// stream. Nobody else can create one with an id that is new: its upstream is asked
// at once, and what it says waits for the stream.
func (g *Gateway) begin(ctx context.Context, id string, isNew bool, q *question) (info freshet.Info, created bool, err error) {
	work, done, err := g.opts.Work.Begin()
	if err != nil {
		return info, false, err
	}
	defer func() {
		if !created {
			done()
		}
	}()
	meta := Meta{
		Endpoint: q.endpoint.path, Upstream: q.upstream.Name, Model: clip(q.model, modelBytes), Principal: q.principal, Body: q.digest,
		Message: q.message,
	}
	if q.unwatched {
		meta.Unwatched = "cancel"
	}
	gen := newGeneration(g, id, q, meta)
	if isNew {
		gen.ask()
	}
	defer func() {
		if !created {
			gen.forgo()
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTime)
	defer cancel()
	info, created, err = g.opts.Hub.Create(ctx, gen.name, freshet.Creation{
		Spec:  freshet.Spec{ContentType: "text/event-stream", KeepOpen: g.opts.KeepOpen, KeepClosed: g.opts.KeepClosed},
		Meta:  meta.encode(),
		First: &freshet.Append{Lease: g.opts.Lease},
	})
	if err != nil {
		return info, false, err
	}
	if created && q.unwatched {
		if err := g.opts.Hub.Watch(ctx, gen.name); err != nil {
			g.opts.Logger.Warn("watch for readers", "stream", gen.name, "error", err)
		}
	}
	if created {
		go func() {
			defer done()
			gen.measure(work)
		}()
	}
	return info, created, nil
}
