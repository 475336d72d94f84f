package hub

import "github.com/freshet-stream/freshet"

// pageRecords is how many records are taken at once. A record costs memory
// beside its bytes, of which an event may have none.
const pageRecords = 4096

// pageLimit bounds what is taken at once.
func (h *Hub) pageLimit() freshet.Limit {
	return freshet.Limit{Records: pageRecords, Bytes: h.opts.PageBytes}
}
