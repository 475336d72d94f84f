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
	a, err := t.parseAppend(w, r, name)
	if err != nil {
		return err
	}
	result, err := t.hub.Append(r.Context(), name, a)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if !result.Tail.IsBeginning() {
		setEnd(h, result.Tail, result.Closed)
	}
	if a.Producer != nil {
		setProducer(h, a.Producer, &result)
	}
	if err != nil {
		return explain(err, r, &a)
	}
	if a.Producer != nil && !result.Duplicate && len(a.Records) > 0 {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (t *Transport) parseAppend(w http.ResponseWriter, r *http.Request, name string) (a freshet.Append, err error) {
	if a.Close, err = parseClosing(r.Header); err != nil {
		return a, err
	}
	if a.Producer, err = parseProducer(r.Header); err != nil {
		return a, err
	}
	lease, err := parseSeconds(r.Header, headerLease)
	if err != nil {
		return a, err
	}
	a.Lease = max(lease, 0)
	a.StreamSeq = r.Header.Get(headerSeq)
	body, err := t.readBody(w, r)
	if err != nil || len(body) == 0 {
		return a, err
	}
	if segment := freshet.Reserved(name); segment != "" && segment != "demo" {
		return a, freshet.ErrReserved.With("streams under %s/ are written by the server; they can be read, followed and closed", segment)
	}
	if a.ContentType = r.Header.Get("Content-Type"); a.ContentType == "" {
		return a, freshet.ErrContentType.With("the request has a body and no Content-Type; send the stream's own")
	}
	if err := freshet.ValidateContentType(a.ContentType); err != nil {
		return a, err
	}
	a.Records, err = ingest.Records(freshet.KindOf(a.ContentType), body)
	if err == nil && len(a.Records) == 0 && a.Close == nil {
		err = freshet.ErrEmpty.With("the JSON array is empty; put at least one value into it")
	}
	return a, err
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
func explain(err error, r *http.Request, a *freshet.Append) error {
	if !errors.Is(err, freshet.ErrNotFound) {
		return err
	}
	contentType := a.ContentType
	if contentType == "" {
		contentType = "text/plain"
	}
	return freshet.ErrNotFound.With("the stream does not exist; create it first: curl -X PUT -H 'Content-Type: %.64s' %.600s", contentType, streamURL(r))
}
