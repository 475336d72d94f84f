package hub

import (
	"slices"
	"time"

	"github.com/freshet-stream/freshet"
)

// growWindow adds records at the window's tail, as far as the bounds of this
// window and of all together allow. The lock is held.
func (t *topic) growWindow(records []freshet.Record) {
	h := t.hub
	most := max(h.opts.WindowBytes, entryBytes(&records[len(records)-1]))
	others := h.windowBytes.Load() - int64(t.win.bytes)
	room := int(min(int64(most), max(h.opts.WindowsBytes-others, 0)))
	h.windowBytes.Add(int64(t.win.extend(records, room)))
	t.trim(records)
	if room < most && h.evicting.CompareAndSwap(false, true) && !h.goDo(h.evict) {
		h.evicting.Store(false)
	}
}

// resetWindow empties the window and puts it at o. The lock is held.
func (t *topic) resetWindow(o freshet.Offset) {
	t.forgetPages()
	t.hub.windowBytes.Add(int64(t.win.reset(o)))
}

// evict empties the windows of the streams that were silent longest until a
// quarter of what all windows may hold is free. Their followers, who are at the
// tail for the most part, do not notice.
func (h *Hub) evict() {
	defer h.evicting.Store(false)
	type candidate struct {
		*topic
		active time.Time
	}
	var all []candidate
	h.mu.RLock()
	for _, t := range h.topics {
		t.mu.Lock()
		if t.win.bytes > 0 {
			all = append(all, candidate{t, t.active})
		}
		t.mu.Unlock()
	}
	h.mu.RUnlock()
	slices.SortFunc(all, func(a, b candidate) int { return a.active.Compare(b.active) })
	for _, c := range all {
		if h.windowBytes.Load() <= h.opts.WindowsBytes/4*3 {
			return
		}
		c.mu.Lock()
		c.resetWindow(c.win.tail)
		c.mu.Unlock()
	}
}
