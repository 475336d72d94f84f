package hub

import "github.com/freshet-stream/freshet"

// A Gap says that a follower's position could not be served, and where it goes
// on instead.
type Gap struct {
	// Why is one of the Gap constants of package freshet.
	Why                string
	Requested, Resumed freshet.Offset
}

// A Batch is what a follower gets at once: consecutive records, or one of the
// other things that happen. It stays valid until it is released.
type Batch struct {
	entries []*entry
	// shared says that other followers get the same entries.
	shared bool

	// Gap, if not nil, comes without records, before what follows it.
	Gap *Gap
	// Closed, if not nil, is how the stream ended after the records.
	Closed *freshet.Closure
	// Idle says that nothing has happened.
	Idle bool
	// Offset is the position after the records.
	Offset freshet.Offset
}

// Len returns the number of records.
func (b *Batch) Len() int { return len(b.entries) }

// Record returns the i-th record, which the caller does not alter.
func (b *Batch) Record(i int) *freshet.Record { return &b.entries[i].Record }

// Release lets go of the records. Whoever is about to wait for a slow reader has
// no need of them beside what was made of them.
func (b *Batch) Release() { b.entries = nil }

// Append appends to dst what encoder makes of the i-th record. Followers that get
// the same entries share the work.
func (b *Batch) Append(dst []byte, i int, encoder *Encoder) []byte {
	if b.shared {
		return append(dst, b.entries[i].fragment(encoder)...)
	}
	return encoder.Encode(dst, b.Record(i))
}
