package durablestreams

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/ingest"
)

// append appends the body to the stream, or closes it, or both in one step
// (sections 5.2 and 5.3).
func (t *Transport) append(w http.ResponseWriter, r *http.Request, name string) error {
	a, err := t.parseAppend(r, name)
	if err != nil {
		return err
	}
	var result freshet.Result
	if isStreamed(r, &a) {
		result, err = t.appendStreamed(w, r, name, &a)
	} else if err = t.takeBody(w, r, name, &a); err == nil {
		result, err = t.hub.Append(r.Context(), name, a.Append)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if !result.Tail.IsBeginning() {
		setEnd(h, result.Tail, result.Closed)
	}
	if a.Producer != nil {
		setProducer(h, a.Producer, &result)
	}
	if err != nil {
		return explain(err, r, a.ContentType)
	}
	if a.Producer != nil && !result.Duplicate && len(a.Records) > 0 {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// A request is an append as the headers describe it.
type request struct {
	freshet.Append
	// lines says that the body is newline-delimited JSON for a JSON stream.
	lines bool
}

func (t *Transport) parseAppend(r *http.Request, name string) (a request, err error) {
	h := r.Header
	if a.Close, err = parseClosing(h); err != nil {
		return a, err
	}
	if a.Producer, err = parseProducer(h); err != nil {
		return a, err
	}
	if a.Lease, err = parseLease(h); err != nil {
		return a, err
	}
	a.StreamSeq = h.Get(headerSeq)
	a.ContentType = h.Get("Content-Type")
	if isLines(a.ContentType) {
		info, err := t.hub.Info(r.Context(), name)
		if err != nil {
			return a, explain(err, r, "application/json")
		}
		if a.lines = !isLines(info.Spec.ContentType); a.lines {
			a.ContentType = "application/json"
		}
	}
	counts, err := a.countsRecords(h)
	a.PerRecord = counts && a.Producer != nil
	return a, err
}

// mayWrite refuses names under which only the server writes.
func mayWrite(name string) error {
	if segment := freshet.Reserved(name); segment != "" && segment != "demo" {
		return freshet.ErrReserved.With("streams under %s/ are written by the server; they can be read, followed and closed", segment)
	}
	return nil
}

// takeBody reads a body that is appended in one step, and cuts it into records.
func (t *Transport) takeBody(w http.ResponseWriter, r *http.Request, name string, a *request) error {
	body, err := t.readBody(w, r)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		a.ContentType, a.PerRecord = "", false
	}
	if len(body) > 0 || a.Lease > 0 {
		if err := mayWrite(name); err != nil {
			return err
		}
	}
	if len(body) == 0 {
		return nil
	}
	if a.ContentType == "" {
		return freshet.ErrContentType.With("the request has a body and no Content-Type; send the stream's own")
	}
	if err := freshet.ValidateContentType(a.ContentType); err != nil {
		return err
	}
	if a.lines {
		a.Records, err = ingest.AllLines(body, t.opts.Limits.Record)
	} else {
		a.Records, err = ingest.Records(freshet.KindOf(a.ContentType), body)
	}
	if err == nil && len(a.Records) == 0 && a.Close == nil {
		err = freshet.ErrEmpty.With("the body has no JSON value; put at least one into it")
	}
	if len(a.Records) == 0 {
		a.PerRecord = false
	}
	return err
}

// setProducer tells a producer what the server knows of it.
func setProducer(h http.Header, p *freshet.Producer, r *freshet.Result) {
	if r.Known {
		h.Set(headerEpoch, strconv.FormatUint(r.Epoch, 10))
		h.Set(headerProducerSeq, strconv.FormatUint(r.Seq, 10))
	}
	if errors.Is(r.Err, freshet.ErrSequence) {
		h.Set(headerExpectedSeq, strconv.FormatUint(r.Expected(), 10))
		h.Set(headerReceivedSeq, strconv.FormatUint(p.Seq, 10))
	}
}

// explain adds to an error what the client has to send instead.
func explain(err error, r *http.Request, contentType string) error {
	if !errors.Is(err, freshet.ErrNotFound) {
		return err
	}
	if contentType == "" {
		contentType = "text/plain"
	}
	return freshet.ErrNotFound.With("the stream does not exist; create it first: curl -X PUT -H 'Content-Type: %.64s' %.600s", contentType, streamURL(r))
}
