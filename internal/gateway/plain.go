package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
)

// recordPlain records an answer that is not a stream of events, such as an error,
// in one step: its head, its body and its end.
func (gen *generation) recordPlain(ctx context.Context) *freshet.Closing {
	most := int64(gen.g.opts.Limits.Record)
	body, err := io.ReadAll(io.LimitReader(gen.dog, most+1))
	switch {
	case err != nil:
		return gen.unreachable(ctx, err)
	case int64(len(body)) > most:
		return gen.unreachable(ctx, errTooLong)
	}
	closing := &freshet.Closing{Reason: freshet.Completed}
	if gen.meta.Status/100 != 2 {
		closing.Reason = freshet.Failed
	}
	gen.plain(body, closing)
	return nil
}

func (gen *generation) plain(body []byte, closing *freshet.Closing) {
	gen.meta.Plain = true
	gen.recorder.record(entry{record: &freshet.Record{Data: body}, meta: gen.soFar(time.Now()), close: closing})
}

var errTooLong = errors.New("the answer is too long to be kept")

// unreachable records that there is no answer: callers get an error of the
// gateway's own. Only what somebody asked for is not one.
func (gen *generation) unreachable(ctx context.Context, err error) *freshet.Closing {
	closing := gen.broken(ctx, err)
	if closing == nil || closing.Reason != freshet.Failed {
		return closing
	}
	gen.g.opts.Logger.Warn("ask upstream", "upstream", gen.question.upstream.Name, "stream", gen.name, "error", err)
	gen.meta.Status, gen.meta.Header = http.StatusBadGateway, http.Header{"Content-Type": {"application/json"}}
	if isSilence(ctx) {
		gen.meta.Status = http.StatusGatewayTimeout
	}
	var body []byte
	for _, e := range gen.question.endpoint.dialect.Ends(dialect.Tally{}, freshet.Closure{Closing: *closing}) {
		body = e.Data
	}
	gen.plain(body, closing)
	return nil
}
