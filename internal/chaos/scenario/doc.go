// Package scenario is what happens to a fleet while it works: three servers over
// one Redis, behind haproxy and behind proxies that cut connections.
//
// Two hands do the harm, one to processes and one to connections, so that a fault
// of each sort may overlap. Each hand draws its faults from a shuffled deck of all
// that it knows, deck after deck, and mends each before it goes on to the next:
// there are always two servers that nothing was done to. The choices follow from a
// seed; what they hit depends on the machine.
package scenario
