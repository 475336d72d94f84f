package server

// Stats are the sizes of what a server holds of its streams, and what it has done
// so far.
type Stats struct {
	// Streams is how many are followed or appended to, or were a moment ago.
	Streams int
	// Followers is the number of readers, over all transports.
	Followers int64
	// WindowBytes is the size of the recent records that are held, as
	// [Options].WindowBytes and WindowsBytes bound it.
	WindowBytes int64
	// PageBytes is the size of the older records that are held for a moment, as
	// [Options].PagesBytes bounds it.
	PageBytes int64
	// Waiting is how many appends wait to be sent to the store, WaitingBytes their
	// size, and Full how often one had to wait for room before.
	Waiting, WaitingBytes, Full int64
	// Delivered is how many records readers got, each counted for every reader.
	Delivered int64
	// Exchanges are the requests and connections that go on until somebody ends
	// them, by transport.
	Exchanges []Exchanges
	// Generations is how much work a drain would wait for.
	Generations int
	// Draining says that the server is not ready any more.
	Draining bool
}

// Exchanges are those of one transport.
type Exchanges struct {
	// Transport is sse, follow (POST /v1/follow), live-sse, long-poll, websocket,
	// or upload (a body that is appended while it arrives).
	Transport string
	// Open is how many there are.
	Open int
	// Sent is how many bytes were written to these and all before them; not
	// counted for long-poll and upload, which have ordinary answers.
	Sent int64
}

// Stats returns what the server holds now. It may be called concurrently.
func (s *Server) Stats() Stats {
	h, totals := s.hub.Stats(), s.hub.Totals()
	stats := Stats{
		Streams: h.Topics, Followers: h.Followers, WindowBytes: h.WindowBytes, PageBytes: h.PageBytes,
		Waiting: h.Waiting, WaitingBytes: h.WaitingBytes, Full: totals.Full, Delivered: totals.Delivered,
		Generations: s.work.Len(), Draining: s.ready.isOver(),
	}
	for kind, figures := range s.exchanges.All() {
		stats.Exchanges = append(stats.Exchanges, Exchanges{Transport: kind.String(), Open: figures.Open, Sent: figures.Sent})
	}
	return stats
}
