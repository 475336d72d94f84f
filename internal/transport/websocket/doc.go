// Package websocket lets clients follow streams and append to them over
// WebSocket (RFC 6455).
//
// Without a subprotocol a connection is plain: each record of one stream is a
// message, and the connection ends when the stream does. With the subprotocol
// [Protocol] it carries operations, written as JSON, for any number of streams
// in both directions, and is resumable.
//
// # A connection
//
// Each connection has one goroutine that reads it and one for each follow. The
// reading one is a new one whenever there is nothing to read, so that it needs
// little stack, until the client has begun to append. A follow is a cursor: it takes a batch of records, then the lock of the
// connection's output, and writes what the batch becomes, in one write as far as
// 64 KiB allow. While the peer does not read, the follows wait for the lock;
// what they hold is their batch, and only the one that has the lock has encoded
// anything. What is appended is done by one more goroutine, in order, which
// exists only while there is something to do.
//
// The reading goroutine also ends the connection, whoever asked for it: it
// finishes what was to be appended, sends the close frame, awaits the peer's,
// and then reads on until the peer has closed too, since closing with unread
// data would let TCP take back what the peer has not read yet.
//
// # Liveness
//
// A ping leaves when a heartbeat's time has passed without one, together with
// records if there are any. A peer from which nothing came for several
// heartbeats is gone, and so is one that takes nothing of a write for as long.
package websocket
