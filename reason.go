package freshet

import "time"

// A Reason says why a stream was closed.
type Reason string

// The reasons for which a stream is closed.
const (
	// Completed: the producer had said all that it had to say.
	Completed Reason = "completed"
	// Cancelled: somebody asked for the stream to be stopped.
	Cancelled Reason = "cancelled"
	// Failed: the producer met an error.
	Failed Reason = "failed"
	// Interrupted: the producer disappeared and a server closed the stream.
	Interrupted Reason = "interrupted"
)

// ParseReason reads a reason; "" is [Completed]. The error is [ErrReason].
func ParseReason(s string) (Reason, error) {
	switch r := Reason(s); r {
	case "":
		return Completed, nil
	case Completed, Cancelled, Failed, Interrupted:
		return r, nil
	}
	return "", ErrReason.With("%s is not a reason; choose completed, cancelled, failed or interrupted", quote(s))
}

// A Closing asks for a stream to be closed.
type Closing struct {
	Reason Reason
	// Detail is kept with the close for whoever renders it, at most
	// [MaxDetailBytes] long.
	Detail []byte
}

// A Closure is the durable fact that a stream was closed.
type Closure struct {
	Closing
	// At is when, by the store's clock.
	At time.Time
	// By is the producer's append that closed the stream, if it named itself.
	By *Producer
}
