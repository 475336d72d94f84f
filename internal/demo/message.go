package demo

// A message tells what happened to a connection: one of the things below. It is
// a record of the stream of the connection's tap.
type message struct {
	// Conn names the connection among those that have the tap one after the
	// other.
	Conn string `json:"conn"`
	// At is when, in milliseconds since 1970.
	At int64 `json:"at"`
	// Open: the connection was made.
	Open *opening `json:"open,omitempty"`
	// Bytes were written, as base64.
	Bytes []byte `json:"bytes,omitempty"`
	// Dropped is how many bytes are missing here, since they came too fast.
	Dropped int `json:"dropped,omitempty"`
	// End: the connection is over, by "reset" if it was cut, else "closed".
	End string `json:"end,omitempty"`
}

// An opening is the request that made a connection.
type opening struct {
	Server      string `json:"server,omitempty"`
	Protocol    string `json:"protocol"`
	Path        string `json:"path"`
	WebSocket   bool   `json:"webSocket,omitempty"`
	LastEventID string `json:"lastEventId,omitempty"`
}

// An order is what a page appends to the stream of a tap.
type order struct {
	// Cut asks for the end of the connection.
	Cut bool `json:"cut,omitempty"`
}
