package history

import "time"

// A Kind says what an event is. The comment of each names the fields that it
// has, beside At, Stream and Who.
type Kind string

const (
	// Created: somebody asked for the stream to be created. Via is its content
	// type, Lease its lease.
	Created Kind = "created"
	// Deleted: somebody asked for the stream to be deleted; it may be gone from
	// here on.
	Deleted Kind = "deleted"
	// Called: a producer is done with an append, whatever became of it. Call,
	// Records, and Offset and Why as the answer told them: the tail, and the
	// reason for which the stream is closed.
	Called Kind = "called"

	// Opened: a follower was accepted. Via, Server; Offset is the cursor that it
	// sent, "" for the beginning.
	Opened Kind = "opened"
	// Placed: it was told its position, without a record. Offset.
	Placed Kind = "placed"
	// Shown: it was shown Records, the last of which ends at Offset.
	Shown Kind = "shown"
	// Gapped: it was told that it cannot go on. Offset is what it had asked for,
	// Resumed where it is now, Why the reason.
	Gapped Kind = "gap"
	// Ended: it was told the end. Why is the reason, "" if the transport does not
	// tell it, and Offset the position, likewise.
	Ended Kind = "ended"
	// Refused: it came back and was told that it knows the end (204).
	Refused Kind = "refused"
	// Dropped: its connection is over. Why.
	Dropped Kind = "dropped"
	// Tail: somebody asked for the tail while it stood at its position. Offset is
	// the answer.
	Tail Kind = "tail"
	// Left: it went away before the end, because it wanted to.
	Left Kind = "left"
	// GaveUp: it stopped without having been told the end, although the stream
	// had ended, no fault was left and servers kept talking to it. Why.
	GaveUp Kind = "gave-up"

	// Final: what the store has when all is over. Records are all of them,
	// Offset is the tail, Why the reason of the close, "" if it is open. Gone says
	// that there is no such stream.
	Final Kind = "final"
)

// An Event is one thing that happened to a stream, as a client saw it.
type Event struct {
	// At is when, since the run began.
	At     time.Duration `json:"at"`
	Kind   Kind          `json:"kind"`
	Stream string        `json:"stream"`
	// Who is the producer's or the follower's name.
	Who string `json:"who,omitempty"`
	// Via is the transport, Server what was connected to.
	Via    string `json:"via,omitempty"`
	Server string `json:"server,omitempty"`
	// Offset is a position.
	Offset  string        `json:"offset,omitempty"`
	Resumed string        `json:"resumed,omitempty"`
	Why     string        `json:"why,omitempty"`
	Records []string      `json:"records,omitempty"`
	Lease   time.Duration `json:"lease,omitempty"`
	Gone    bool          `json:"gone,omitempty"`
	Call    *Call         `json:"call,omitempty"`
}

// An Outcome is what a producer knows of a call when it is done with it.
type Outcome string

const (
	// Landed: it was acknowledged.
	Landed Outcome = "landed"
	// Rejected: the last answer was that it is not taken. Why is in Code.
	Rejected Outcome = "rejected"
	// Unknown: there was no last answer.
	Unknown Outcome = "unknown"
)

// A Call is an append that a producer made, with all its tries.
type Call struct {
	// Producer is how the append was named; "" if it was not.
	Producer string `json:"producer,omitempty"`
	Epoch    uint64 `json:"epoch,omitempty"`
	Seq      uint64 `json:"seq"`
	// Atomic says that its records land together or not at all; otherwise in
	// order, and a first part of them may land alone.
	Atomic bool `json:"atomic,omitempty"`
	// Close is the reason for which it was to close the stream, or "".
	Close string `json:"close,omitempty"`
	// Began is when the first try was made.
	Began   time.Duration `json:"began"`
	Tries   int           `json:"tries"`
	Outcome Outcome       `json:"outcome"`
	// Maybe says that a try before the last one had no certain answer, so that a
	// call which was rejected may have landed all the same.
	Maybe bool `json:"maybe,omitempty"`
	// Duplicate says that the acknowledgement was of an earlier try.
	Duplicate bool   `json:"duplicate,omitempty"`
	Code      string `json:"code,omitempty"`
}
