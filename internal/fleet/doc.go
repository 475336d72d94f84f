// Package fleet runs what a fleet is made of, as real processes on loopback:
// Redis in its three forms, freshet servers, and load balancers. It starts each
// of them in a directory that it is given, on a free port, waits until it serves,
// and can kill, pause and restart it there. Nothing of it outlives the process
// that started it.
//
// It is for tests and for trying things out. The programs have to be installed;
// scripts/setup does so.
package fleet
