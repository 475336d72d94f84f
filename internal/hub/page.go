package hub

import "github.com/freshet-stream/freshet"

// pageRecords is how many records are taken at once. A record costs memory
// beside its bytes, of which an event may have none.
const pageRecords = 4096

// pageLimit bounds what is taken at once.
func (h *Hub) pageLimit() freshet.Limit {
	return freshet.Limit{Records: pageRecords, Bytes: h.opts.PageBytes}
}

// A page is a run of records that was read from the store, as a window that does
// not change. Followers share it.
type page struct {
	window
	// info is the stream's, as it was in the same step.
	info freshet.Info
}

// newPage returns what was read at a position.
func newPage(from freshet.Offset, read freshet.Page) *page {
	if from.IsBeginning() {
		from = read.Info.Oldest
	}
	p := &page{window: window{base: from, tail: from}, info: read.Info}
	entries := make([]entry, len(read.Records))
	p.entries = make([]*entry, len(entries))
	for i := range entries {
		e := &entries[i]
		e.Record = read.Records[i]
		p.entries[i], p.tail = e, e.Offset
		p.bytes += entryBytes(&e.Record)
	}
	return p
}

// serves reports whether the page has records for a follower at a position.
func (p *page) serves(at freshet.Offset) bool { return at != p.tail && p.holds(at) }
