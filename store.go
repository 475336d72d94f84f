package freshet

import (
	"context"
	"time"
)

// A Store keeps streams. It is the only place where the truth is: servers that
// share a store share their streams.
//
// An implementation has to do what is written here, which the package storetest
// checks. All methods may be called concurrently. A store never repairs,
// dedupes or buffers: it serialises the calls that write to one stream, and
// commits each of them in one atomic step, to the strength that its own
// documentation states, before the method returns and before any reader can
// see it. It judges appends as [State.Judge] does. Times are the store's own.
//
// A stream whose [Info.Expiry] has come does not exist for any method, whether
// or not Sweep has removed it yet.
//
// Names reach a store validated ([ValidateName]), appends likewise
// ([Append.Validate]). What a store is given it does not alter, and does not
// hold on to unless the caller never alters it either: the data of records is
// never altered after the call. What it returns, the caller does not alter.
//
// A context that ends makes a call return early with the context's error, which
// for calls that write means that they may or may not have landed.
type Store interface {
	// Create creates the stream unless it exists, together with its first
	// append. It returns the stream's info and whether this call created it,
	// so that of many concurrent calls exactly one is told true. The same call
	// made again, known by its nonce, is told true again. A stream that exists is
	// returned as it is; comparing the specs is for the caller. If the first append
	// is refused the error is that of its result and nothing is created.
	Create(ctx context.Context, name string, c Creation) (info Info, created bool, err error)

	// Append judges the appends of the call in order and makes those that are
	// accepted part of the stream, all in one step. In the same step it gives up
	// the records that are too many then ([Retain]): nobody sees a stream that
	// is beyond its bounds, though the space may come back later. There is a result for each
	// append; err is for the whole call: [ErrNotFound], or [ErrUncertain] if
	// it may have landed, upon which the caller may repeat the same call with
	// Retry set. The stream remembers nonce and results of the last call that
	// changed it and returns them if that call comes again.
	Append(ctx context.Context, name string, call Call) ([]Result, error)

	// Read returns the records after an offset, in order, as far as limit
	// allows but at least one if there is one. In the same step it verifies
	// that the offset lies in the stream's history: the zero offset always
	// does; otherwise its mark has to be that of the record before it. If not,
	// the error is a [*GapError]; if the stream does not exist, [ErrNotFound].
	// Records that were given up are never returned: the zero offset reads from
	// [Info].Oldest, and one before that is a gap, [GapTrimmed].
	Read(ctx context.Context, name string, from Offset, limit Limit) (Page, error)

	// Info returns what is known of the stream, never older than anything that
	// this store has returned to anyone, or [ErrNotFound].
	Info(ctx context.Context, name string) (Info, error)

	// Renew moves deadlines of an open or closed stream. It may be lost in a
	// crash. The error is [ErrNotFound] if the stream does not exist.
	Renew(ctx context.Context, name string, r Renewal) error

	// Delete removes the stream with everything that belongs to it, or returns
	// [ErrNotFound].
	Delete(ctx context.Context, name string) error

	// Follow asks for a hint whenever the stream changes: at an append, a
	// close, a creation, a deletion, and when Sweep gives up records, whoever
	// made it. It returns once the
	// subscription holds. Hints may be lost, doubled and reordered; wake is
	// called from any goroutine, returns at once without calling stop, and may
	// be called until stop has returned. The stream need not exist.
	Follow(ctx context.Context, name string, wake func(Hint)) (stop func(), err error)

	// List returns at most n streams whose names begin with prefix and sort
	// after after, in order of name.
	List(ctx context.Context, prefix, after string, n int) ([]Info, error)

	// Sweep does at most n pieces of the work that has come due: it closes
	// streams whose lease has run out as [Interrupted], removes expired ones,
	// and gives up the records of streams that are too old ([Info.TrimAged]),
	// checking again in the atomic step. Until then those are still read. It returns how much it did;
	// less than n means that nothing more was due. Any server may call it at
	// any time.
	Sweep(ctx context.Context, n int) (done int, err error)

	// Close releases what the store holds. Calls after it fail.
	Close() error
}

// A Limit bounds a page. Zero is no bound.
type Limit struct {
	Records int
	// Bytes is compared with the sum of [Record.Size].
	Bytes int
}

// Takes reports whether a page that has n records of size bytes may take
// another one of next bytes.
func (l Limit) Takes(n, size, next int) bool {
	return n == 0 || (l.Records <= 0 || n < l.Records) && (l.Bytes <= 0 || size+next <= l.Bytes)
}

// A Page is a run of consecutive records, and the stream's info as it was in
// the same step.
type Page struct {
	Records []Record
	Info    Info
}

// A Renewal says which deadlines to move. Zero leaves one as it is.
type Renewal struct {
	// Touch restarts the sliding time to live.
	Touch bool
	// Lease lets the lease of an open stream run out that long from now.
	Lease time.Duration
	// Watched lets the stream count as watched for that long from now.
	Watched time.Duration
}

// Apply moves the deadlines of i, at the time now.
func (r Renewal) Apply(i *Info, now time.Time) {
	now = now.UTC().Truncate(time.Millisecond)
	if r.Touch {
		i.Touched = now
	}
	if r.Lease > 0 && i.Closed == nil {
		i.Lease, i.LeaseTerm = now.Add(r.Lease), r.Lease
	}
	if r.Watched > 0 {
		i.Watched = now.Add(r.Watched)
	}
}

// A Hint says that a stream has changed. It may carry the change itself, which
// then need not be read.
type Hint struct {
	Batch *Batch
}

// A Batch is a change that continues a stream at From.
type Batch struct {
	From    Offset
	Records []Record
	// Tail is the position after the records.
	Tail Offset
	// Closed is set if the stream is closed at Tail.
	Closed *Closure
}
