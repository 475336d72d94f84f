package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/freshet-stream/freshet"
)

// The statuses with which the command exits. They are told in the help.
const (
	exitCompleted   = 0
	exitError       = 1
	exitUsage       = 2
	exitCancelled   = 3
	exitFailed      = 4
	exitInterrupted = 5
	exitGap         = 6
	// exitSignal is what shells make of a command that SIGINT ended.
	exitSignal = 130
)

// A status is an error that exits with a code of its own.
type status struct {
	code int
	// message is for people; "" says nothing.
	message string
}

func (s *status) Error() string { return s.message }

// report tells on stderr how a command ended and returns its exit status.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitCompleted
	}
	code := exitError
	var s *status
	if errors.As(err, &s) {
		code = s.code
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(stderr, "freshet:", text)
	}
	return code
}

// ended returns how a command ends that has read a stream to its end.
func ended(reason freshet.Reason) error {
	switch reason {
	case freshet.Completed, "":
		return nil
	case freshet.Cancelled:
		return &status{exitCancelled, "the stream was cancelled"}
	case freshet.Failed:
		return &status{exitFailed, "the stream ended because its producer failed"}
	case freshet.Interrupted:
		return &status{exitInterrupted, "the stream ended because its producer disappeared"}
	}
	return &status{exitGap, fmt.Sprintf("the stream is gone (%s)", reason)}
}
