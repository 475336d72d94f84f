package sse

import (
	"errors"
	"fmt"
)

// ErrTooLarge is wrapped by the error of [Decoder.Next] when a line of the
// stream, or the data of one event, is larger than
// [DecoderOptions.MaxEventBytes]. The message names which of the two it is, and
// the limit in bytes.
var ErrTooLarge = errors.New("sse: event too large")

func tooLarge(what string, limit int) error {
	return fmt.Errorf("%w: %s over the limit MaxEventBytes of %d bytes", ErrTooLarge, what, limit)
}
