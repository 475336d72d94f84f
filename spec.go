package freshet

import "time"

// Bounds of what a stream carries besides its records, in bytes.
const (
	MaxMetaBytes        = 4 << 10
	MaxDetailBytes      = 4 << 10
	MaxProducerIDBytes  = 256
	maxContentTypeBytes = 256
	maxStreamSeqBytes   = 256
)

// A Spec is what a stream is created as. It never changes.
type Spec struct {
	// ContentType is a media type; "" is [DefaultContentType].
	ContentType string
	// TTL, if not zero, ends the stream when it was neither read nor appended
	// to for as long.
	TTL time.Duration
	// Expires, if not zero, is when the stream ends.
	Expires time.Time
	// Retain bounds the records that are kept. Those of a stream that is open
	// or closed are given up alike.
	Retain Retain
	// KeepOpen and KeepClosed, if not zero, end a stream without TTL and
	// Expires that long after its last append and after its close.
	KeepOpen, KeepClosed time.Duration
	// Fork, if not nil, is where the stream's first records come from.
	Fork *Fork
}

// A Fork names the stream that another one continues, and from where.
type Fork struct {
	Source string
	At     Offset
}

// Validate returns [ErrSpec] or [ErrContentType] if no stream can be created so.
func (s *Spec) Validate() error {
	if s.ContentType != "" {
		if err := ValidateContentType(s.ContentType); err != nil {
			return err
		}
	}
	switch {
	case s.TTL < 0 || s.KeepOpen < 0 || s.KeepClosed < 0 || s.Retain.Age < 0 || s.Retain.Bytes < 0:
		return ErrSpec.With("a time to live or a bound of retention is negative")
	case s.TTL > 0 && !s.Expires.IsZero():
		return ErrSpec.With("a time to live and an expiry cannot both be given")
	}
	return nil
}

// Same reports whether a request to create a stream as s is met by one created
// as t. What the server's own settings filled in is not compared.
func (s *Spec) Same(t *Spec) bool {
	switch {
	case !SameContentType(s.ContentType, t.ContentType), s.TTL != t.TTL, !s.Expires.Equal(t.Expires), s.Retain != t.Retain:
		return false
	case s.Fork == nil || t.Fork == nil:
		return s.Fork == t.Fork
	}
	return *s.Fork == *t.Fork
}
