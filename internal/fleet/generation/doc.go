// Package generation holds the tests of LLM answers in a fleet: two servers that
// have nothing in common but a Redis, and an upstream that does as it is told.
// The servers are processes where they are killed or drained, and otherwise run
// in this process, each with a store of its own, so that races are seen.
//
// Each test of a fault first asserts that it happened.
package generation
