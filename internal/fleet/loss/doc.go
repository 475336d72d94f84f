// Package loss holds the tests of what a Redis under a fleet does that loses or
// moves what it has: an append-only file that was cut short, failovers by
// Sentinel and in a Cluster, slots that move, outages. Servers run in this
// process, each with a store of its own, and are followed over HTTP.
//
// Each test first asserts that something was lost or moved. Then: what was lost
// is told as a gap to every reader who had seen it, and to nobody else; nothing
// else is lost, doubled or reordered; producers learn from their sequence.
package loss
