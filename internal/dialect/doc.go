// Package dialect knows how the answers of LLM endpoints are spoken as
// server-sent events: which event ends an answer and how, what an event counts
// for, how an end is told that the upstream did not send, and how Vercel's AI SDK
// asks ([ParseTurn]) and is told an answer ([Chunks]).
//
// A [Dialect] is a pure function of events: no I/O, no clock, no state. What has
// to be remembered from one event to the next is in small values that the caller
// holds: [Tally], [Meter], [Chunks]. Events are read leniently. What is not understood has
// no facts, and is relayed all the same.
package dialect
