package durablestreams

import (
	"errors"
	"net/http"
	"strings"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/ingest"
	"github.com/freshet-stream/freshet/internal/problem"
)

// headerScope says what a producer's sequence number counts: requests, as the
// protocol has it, or records.
const headerScope = "Freshet-Producer-Scope"

// isLines reports whether a content type is newline-delimited JSON, which may be
// appended to a JSON stream.
func isLines(contentType string) bool {
	return freshet.SameContentType(contentType, "application/x-ndjson")
}

// countsRecords reports whether the sequence number of the request's producer is
// that of a record.
func (a *request) countsRecords(h http.Header) (bool, error) {
	scope := strings.ToLower(h.Get(headerScope))
	switch {
	case scope != "" && scope != "record" && scope != "request":
		return false, problem.ErrHeader.With("%s is %.32q and may be record or request", headerScope, scope)
	case a.lines:
		return true, nil
	case scope == "record" && freshet.KindOf(a.ContentType) != freshet.KindEvents:
		return false, problem.ErrHeader.With("%s: record goes with application/x-ndjson and text/event-stream, whose records can be told apart", headerScope)
	}
	return scope == "record", nil
}

// isStreamed reports whether a body is appended while it arrives: its length is
// not known, it can be cut, and nothing needs it to be appended in one step.
func isStreamed(r *http.Request, a *request) bool {
	switch {
	case r.ContentLength >= 0, a.StreamSeq != "", a.Producer != nil && !a.PerRecord:
		return false
	case freshet.ValidateContentType(a.ContentType) != nil:
		return false
	}
	return a.lines || freshet.KindOf(a.ContentType) != freshet.KindJSON
}

// appendStreamed appends a body while it arrives, and closes the stream at its
// end if a says so. What had arrived whole before an error stays; if the
// server ends, a header says how much that is. While the body is open the stream's
// lease does not run out.
func (t *Transport) appendStreamed(w http.ResponseWriter, r *http.Request, name string, a *request) (result freshet.Result, err error) {
	if err := mayWrite(name); err != nil {
		return result, err
	}
	release, err := t.hub.KeepLease(r.Context(), name, a.Lease)
	if err != nil {
		return result, err
	}
	defer release()
	body := t.receive(w, r)
	defer body.leave()
	landed := landed{framed: a.lines || freshet.KindOf(a.ContentType) == freshet.KindEvents}
	piece := a.Append
	piece.Close = nil
	emit := func(records []freshet.Record) error {
		a.Records = records
		piece.Records = records
		if result, err = t.hub.Append(body.ctx, name, piece); err != nil {
			return err
		}
		landed.add(records)
		if p := piece.Producer; p != nil {
			piece.Producer = &freshet.Producer{ID: p.ID, Epoch: p.Epoch, Seq: p.Seq + uint64(len(records))}
		}
		return nil
	}
	limit := t.opts.Limits.Record
	switch {
	case a.lines:
		err = ingest.Lines(body, limit, emit)
	case freshet.KindOf(a.ContentType) == freshet.KindEvents:
		err = ingest.Events(body, limit, emit)
	default:
		err = ingest.Pieces(body, emit)
	}
	var coded *freshet.Error
	switch {
	case errors.Is(err, errEnding):
		w.Header().Set(headerAppended, landed.String())
		return result, freshet.ErrShutdown.With("the server is shutting down; of the body it has appended %s: send the rest, which another server takes", landed.String())
	case errors.As(err, &coded):
		return result, err
	case err != nil:
		return result, problem.ErrBody.With("the body broke off; what had arrived whole was appended: %v", err)
	case a.Close == nil && len(a.Records) == 0:
		return result, freshet.ErrEmpty.With("the body had nothing to append")
	case a.Close == nil:
		return result, nil
	}
	closed, err := t.hub.Append(body.ctx, name, freshet.Append{Close: a.Close})
	closed.Known, closed.Epoch, closed.Seq = result.Known, result.Epoch, result.Seq
	return closed, err
}
