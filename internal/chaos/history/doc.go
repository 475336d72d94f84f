// Package history records what clients of a fleet did and were shown, so that a
// checker can judge it afterwards.
//
// A history is a list of events, each about one stream: what a producer called
// and was answered, what a follower was shown, and at the end of a run, what is
// in the store. It holds no opinion. On disk an event is a line of JSON; the file
// of a run that failed can be read and judged again.
//
// A record goes by a name that is unique in its stream and that its data begins
// with, so that a history is small and the data can be checked where it arrives.
package history
