package server

// Stats are the sizes of what a server holds in memory of its streams.
type Stats struct {
	// Streams is how many are followed or appended to, or were a moment ago.
	Streams int
	// Followers is the number of readers, over all transports.
	Followers int64
	// WindowBytes is the size of the recent records that are held, as
	// [Options].WindowBytes and WindowsBytes bound it.
	WindowBytes int64
}

// Stats returns what the server holds now. It may be called concurrently.
func (s *Server) Stats() Stats {
	h := s.hub.Stats()
	return Stats{Streams: h.Topics, Followers: h.Followers, WindowBytes: h.WindowBytes}
}
