// Package checker proves from the history of a run that a fleet kept guarantees
// 1 to 6 of package freshet, or shows where it did not. It is a pure function: it
// knows no server and no clock, so that every bug it has to find can be planted
// into a history and the finding of it tested.
//
// # How it proves
//
// The reference is the log: what the store has of a stream when all is over.
// Everything that anybody was told is held against it.
//
//  1. Order. What a follower was shown at number n is record n of the log. No two
//     were told different offsets for one record, or one offset for two.
//  2. No gaps, no duplicates. The numbers that a follower was shown are 1, 2, 3, …
//     over all its connections, whatever servers and transports they led to. It
//     was never told of a gap at an offset that the log has.
//  3. Committed first. What was shown is in the log; nobody was shown what the
//     store, asked afterwards, did not have.
//  4. Exactly-once append. An append that was acknowledged is in the log once, at
//     the offset that was told, in one piece if it was atomic; one whose fate is
//     not known at most once; one that was rejected never. The sequence numbers
//     of a producer rise through the log and its epochs never fall.
//  5. An end is an end. Every follower, the late ones included, is told the end
//     at the tail, once a connection, for the reason that the log has, and nothing
//     after it. Somebody asked for that reason, or a lease had run out.
//  6. Honest loss. If the store was allowed to lose a tail, then whoever was shown
//     a record that is not in the log was told of a gap, and no producer's later
//     append was taken as if nothing had been lost. A stream never begins anew for
//     a follower that was not told so.
//
// A follower's history falls into runs, from one gap to the next. What it was
// shown in the last run has to be in the log. What came before a gap need not be
// beyond the point at which the histories fork.
//
// A stream that was deleted has no log: then followers are held against each
// other, and each has to have been told that the stream is gone. If it was created
// again the log is that of the later one, and whoever came from the earlier one
// has to have been told of a gap.
//
// A follower is judged up to its first violation, since others follow from it.
package checker
