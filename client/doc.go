// Package client speaks to a Freshet server, or over long-poll to any server
// of the Durable Streams protocol.
//
// A [Client] creates streams, looks at them, closes and deletes them, each
// with one request. A [Producer] appends and repeats what may not have landed,
// for as long as its context lives, so that every append lands once
// (guarantee 4 of package freshet). A [Follower] reads a stream to its end over
// Server-Sent Events, WebSocket or long-poll, and comes back by itself after
// any drop without losing or doubling a record (guarantee 2).
//
// # Errors
//
// What a server refuses is an [*Error] with the server's own words; compare it
// to the sentinels of package freshet with [errors.Is]. The end of a stream is
// an [*EndError] with its reason, and a cursor that the server can no longer
// serve is a [*GapError].
//
// # Offsets
//
// Offsets are opaque text here: keep the last one and give it back to go on
// from there. They sort as text in the order of their stream.
package client
