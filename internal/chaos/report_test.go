package chaos_test

import (
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/internal/chaos"
	"github.com/freshet-stream/freshet/internal/chaos/history"
	"github.com/freshet-stream/freshet/internal/chaos/scenario"
)

// small is the history of one record that one follower was shown.
func small() []history.Event {
	const tail = "0000000000000001_0123456789abcdef"
	return []history.Event{
		{Kind: history.Created, Stream: "s", Via: "text/plain"},
		{Kind: history.Called, Stream: "s", Who: "a0", Records: []string{"a0.0"}, Offset: tail,
			Call: &history.Call{Atomic: true, Close: "completed", Outcome: history.Landed, Tries: 1}},
		{Kind: history.Opened, Stream: "s", Who: "f", Via: "sse", Server: "server-1"},
		{Kind: history.Shown, Stream: "s", Who: "f", Records: []string{"a0.0"}, Offset: tail},
		{Kind: history.Ended, Stream: "s", Who: "f", Why: "completed", Offset: tail},
		{Kind: history.Final, Stream: "s", Records: []string{"a0.0"}, Offset: tail, Why: "completed"},
	}
}

func TestReportFailsIfAPromisedFaultDidNotHappen(t *testing.T) {
	r := chaos.Judge(small())
	r.Faults = map[scenario.Kind]int{}
	for _, kind := range scenario.Kinds() {
		r.Faults[kind] = 1
	}
	if failure := r.Failure(); failure != "" {
		t.Errorf("all faults have happened: %s", failure)
	}
	for _, kind := range scenario.Kinds() {
		r.Faults[kind] = 0
		if failure := r.Failure(); !strings.Contains(failure, string(kind)) {
			t.Errorf("%s did not happen: %q", kind, failure)
		}
		r.Faults[kind] = 1
	}
}

func TestReportSaysWhatWasFound(t *testing.T) {
	events := small()
	if got := chaos.Judge(events).String(); !strings.Contains(got, "1: 1 text/plain") || !strings.Contains(got, "guarantees 1 to 6 were kept") {
		t.Errorf("got\n%s", got)
	}
	events[4].Why = "failed"
	r := chaos.Judge(events)
	if got := r.String(); !strings.Contains(got, "guarantee 5, an end is an end") || !strings.Contains(got, "FAILED: 1 violations") {
		t.Errorf("got\n%s", got)
	}
	if failure := chaos.Judge(nil).Failure(); failure == "" {
		t.Error("a run in which nothing happened passed")
	}
}
