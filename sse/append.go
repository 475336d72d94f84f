package sse

// AppendEvent appends a whole block: an event field if typ is not empty, data
// fields if data is not nil, an id field if id is not empty, and the empty
// line. The id comes last because some clients take it as read before the
// event that it belongs to is complete.
//
// In a typ that [ValidType] refuses, or an id that [ValidID] refuses, each
// CR, LF, ill-formed sequence and, in the id, NUL becomes U+FFFD. In the data,
// line breaks and ill-formed sequences are treated as by [AppendData].
//
// An event whose data is empty but not nil is one by the standard, but known
// to break clients that expect JSON. Without data the block is no event and
// only sets the last event ID.
func AppendEvent(dst []byte, typ string, data []byte, id string) []byte {
	if typ != "" {
		dst = appendType(dst, typ)
	}
	if data != nil {
		dst = AppendData(dst, data)
	}
	if id != "" {
		dst = appendID(dst, id)
	}
	return append(dst, '\n')
}

// AppendID appends a block with only an id field, which sets the reader's last
// event ID without an event. An empty id makes the reader forget the one it
// has. An id that [ValidID] refuses is changed as by [AppendEvent].
func AppendID(dst []byte, id string) []byte {
	return append(appendID(dst, id), '\n')
}
