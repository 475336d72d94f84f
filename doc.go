// Package freshet is the domain of Freshet: streams of events that any number
// of readers follow, from any server of a fleet, and lose nothing of. It has
// the words that all other packages speak, the rules by which every append is
// judged, and the contract that a storage engine fulfils. It does no I/O.
//
// # Words
//
// A stream is an append-only log with a name. A [Record] is one unit that was
// appended to it. An [Offset] is a position between two records; the tail is
// the one after the last. A follower is a cursor that reads on, live. A
// [Producer] is a writer that names its appends so that it can repeat them. A
// [Store] keeps streams, and a transport is a protocol on the outside. A stream
// ends when it is closed, for a [Reason].
//
// # Guarantees
//
// Tests name the guarantee that they are about by its number.
//
//  1. Order. Every follower of a stream sees its records in one and the same
//     order.
//  2. No gaps, no duplicates. A follower that comes back with its last offset
//     continues with exactly the next record, on any server, over any
//     transport.
//  3. Committed first. A record is shown only after the store has committed
//     it, to the strength that the store documents. The producer's own answer
//     may still be on its way then.
//  4. Exactly-once append. A producer that names itself by id, epoch and
//     sequence can repeat an append for ever; it lands once. Producers of an
//     older epoch are fenced.
//  5. An end is an end. Closing is atomic with the last append, happens once,
//     carries a reason, and is told to every reader, the late ones included.
//  6. Honest loss. A cursor that can no longer be served is told so, in-band
//     and at once. There is never silence, and never a silent restart.
//  7. Bounded. No reader, however slow, and no producer, however fast, makes
//     memory grow without bound. Every bound is a setting.
//  8. Leaving is not stopping. Losing a reader never cancels what a producer
//     does. Stopping is explicit.
//
// Guarantees 1 to 5 hold on the history that survives in the store. Where a
// store loses an acknowledged tail, every reader who was shown part of it is
// told of a gap.
//
// # Offsets
//
// An offset is a number and a mark. The number counts records from 1, so that
// the position before the first one is 0. The mark is a digest that is chained
// from append to append ([Mark.Next]); all records of one append share it. A
// store that is asked for the records after an offset compares the mark with
// its own in the same step. That one comparison recognises a stream that was
// deleted and created again, a tail that was lost and whose numbers were given
// out anew, and a cursor of another stream; without clocks, terms or any
// detection of failures.
//
// # Retention
//
// A stream keeps all its records, or as many as its [Retain] says: the longest
// run of whole appends up to the tail that is within the bounds. What is before
// Oldest is gone at once and for every reader of the store; a cursor there is a
// gap, [GapTrimmed], and the beginning is Oldest. The number and mark of that
// position stay known.
//
// # Writing
//
// The appends of one call of [Store].Append are judged in order by the rules of
// [State.Judge], each of them all or nothing. A call carries a [Nonce]; when
// its outcome is unknown it is made again with the same nonce, and a store that
// has seen it returns what it returned then.
package freshet
