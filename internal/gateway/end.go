package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
	"github.com/freshet-stream/freshet/sse"
)

// closingFor returns how a stream is closed whose end the upstream has not told.
func closingFor(reason freshet.Reason, code, message string) *freshet.Closing {
	detail, err := json.Marshal(dialect.Detail{Code: code, Message: message})
	if err != nil {
		panic(err) // strings can be marshalled
	}
	return &freshet.Closing{Reason: reason, Detail: detail}
}

// endOf returns how an answer has ended whose events have: failed says that one
// of them told so.
func (gen *generation) endOf(ctx context.Context, err error, failed bool) *freshet.Closing {
	if failed && !errors.Is(context.Cause(ctx), errStopped) {
		return &freshet.Closing{Reason: freshet.Failed}
	}
	if errors.Is(err, io.EOF) && ctx.Err() == nil {
		reason := gen.question.endpoint.dialect.EndOfBody()
		if reason == freshet.Completed {
			return &freshet.Closing{Reason: reason}
		}
		return closingFor(reason, dialect.CodeTruncated, "The upstream's answer ended before it was complete.")
	}
	return gen.broken(ctx, err)
}

// broken returns how an answer has ended that was aborted or broke off.
func (gen *generation) broken(ctx context.Context, err error) *freshet.Closing {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStopped):
		return nil
	case errors.Is(cause, errInterrupted):
		return closingFor(freshet.Interrupted, dialect.CodeInterrupted, "The server that made the answer has ended. Ask again.")
	case errors.Is(cause, errUnwatched):
		return closingFor(freshet.Cancelled, dialect.CodeCancelled, "The answer was stopped since nobody read it any more.")
	case errors.Is(cause, errLate):
		head, _ := gen.g.patience(gen.question.upstream)
		return closingFor(freshet.Failed, dialect.CodeStalled, fmt.Sprintf("The upstream did not begin its answer within %v.", head))
	case errors.Is(cause, errStalled):
		_, stall := gen.g.patience(gen.question.upstream)
		return closingFor(freshet.Failed, dialect.CodeStalled, fmt.Sprintf("The upstream was silent for %v.", stall))
	case errors.Is(err, sse.ErrTooLarge):
		return closingFor(freshet.Failed, dialect.CodeUpstream, fmt.Sprintf("The upstream sent an event of more than %d bytes.", gen.g.opts.Limits.Record))
	}
	return closingFor(freshet.Failed, dialect.CodeUpstream, "The connection to the upstream broke before its answer was complete.")
}
