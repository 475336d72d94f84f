package hub

// sweepMost is how much the store is asked to do at once.
const sweepMost = 256

// sweep has the store do what comes due, until the hub is closed.
func (h *Hub) sweep() {
	failing := false
	for h.ctx.Err() == nil {
		done, err := h.store.Sweep(h.ctx, sweepMost)
		if err != nil && !failing && h.ctx.Err() == nil {
			h.log.Warn("sweep store", "error", err)
		}
		failing = err != nil
		if done == sweepMost && !failing {
			continue
		}
		select {
		case <-h.ctx.Done():
		case <-h.wheel.After(h.opts.Sweep):
		}
	}
}
