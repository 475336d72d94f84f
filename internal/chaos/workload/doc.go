// Package workload is what a fleet has to do while faults happen to it: producers
// and followers of every sort, which write down what they did and were shown.
//
// A stream has a plot: how many producers it has, whether one fences the other,
// who closes it and why, or that nobody does. It has some followers of each
// transport, some that change it whenever they come back, some that come before
// the stream exists and some after its end. All of them choose a server anew for
// each connection, repeat what has no certain answer, and stop when they have
// come to the end.
//
// The readers are written here once more, over net/http and the decoder of
// package sse, so that a bug in package client cannot hide one in the server;
// followers of that package take part as well.
//
// How long anything takes is no matter. A follower gives up only once no fault is
// left, its stream has ended, and servers have shown many times that they are
// alive without telling it anything.
package workload
