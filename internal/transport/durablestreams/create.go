package durablestreams

import (
	"net/http"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/ingest"
	"github.com/freshet-stream/freshet/internal/problem"
)

// create makes the stream, with the body as its first append, or confirms that
// it exists as asked for (section 5.1).
func (t *Transport) create(w http.ResponseWriter, r *http.Request, name string) error {
	if segment := freshet.Reserved(name); segment != "" {
		return freshet.ErrReserved.With("streams under %s/ are created by the server; choose another first segment", segment)
	}
	creation, err := t.parseCreation(w, r)
	if err != nil {
		return err
	}
	info, created, err := t.hub.Create(r.Context(), name, creation)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if created {
		h.Set("Location", streamURL(r))
		setInfo(h, &info)
		w.WriteHeader(http.StatusCreated)
		return nil
	}
	closing := creation.First != nil && creation.First.Close != nil
	if !creation.Spec.Same(&info.Spec) {
		return freshet.ErrConflict.With("the stream exists with content type %s or other settings; read them with HEAD", info.Spec.ContentType)
	}
	if closing != (info.Closed != nil) {
		setEnd(h, info.Tail, info.Closed)
		return freshet.ErrConflict.With("the stream exists and is %s; to change that POST to it", map[bool]string{true: "closed", false: "open"}[info.Closed != nil])
	}
	setInfo(h, &info)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (t *Transport) parseCreation(w http.ResponseWriter, r *http.Request) (c freshet.Creation, err error) {
	if r.Header.Get(headerForkedFrom) != "" {
		return c, problem.ErrFeature.With("this server cannot fork streams yet; leave %s out", headerForkedFrom)
	}
	c.Spec.ContentType = r.Header.Get("Content-Type")
	if c.Spec.ContentType == "" {
		c.Spec.ContentType = freshet.DefaultContentType
	}
	if err := t.parseExpiry(r.Header, &c.Spec); err != nil {
		return c, err
	}
	if c.Spec.Retain, err = parseRetain(r.Header); err != nil {
		return c, err
	}
	if err := c.Spec.Validate(); err != nil {
		return c, err
	}
	body, err := t.readBody(w, r)
	if err != nil {
		return c, err
	}
	first := freshet.Append{}
	if first.Records, err = ingest.Records(freshet.KindOf(c.Spec.ContentType), body); err != nil {
		return c, err
	}
	if first.Close, err = parseClosing(r.Header); err != nil {
		return c, err
	}
	if first.Producer, err = parseProducer(r.Header); err != nil {
		return c, err
	}
	first.StreamSeq = r.Header.Get(headerSeq)
	if first.Lease, err = parseLease(r.Header); err != nil {
		return c, err
	}
	if len(first.Records) > 0 || first.Close != nil || first.Lease > 0 {
		c.First = &first
	}
	return c, nil
}

func (t *Transport) parseExpiry(h http.Header, spec *freshet.Spec) error {
	ttl, err := parseSeconds(h, headerTTL)
	if err != nil {
		return err
	}
	if at := h.Get(headerExpiresAt); at != "" {
		if spec.Expires, err = time.Parse(time.RFC3339, at); err != nil {
			return problem.ErrHeader.With("%s is %.64q and has to be a time such as 2030-01-31T12:00:00Z", headerExpiresAt, at)
		}
	}
	switch {
	case ttl >= 0 && !spec.Expires.IsZero():
		return freshet.ErrSpec.With("%s and %s exclude each other; send one", headerTTL, headerExpiresAt)
	case ttl == 0:
		// A stream that is over as soon as it is not used.
		spec.TTL = time.Millisecond
	case ttl > 0:
		spec.TTL = ttl
	}
	spec.KeepOpen, spec.KeepClosed = t.opts.KeepOpen, t.opts.KeepClosed
	return nil
}

// streamURL returns the URL of the request without its query.
func streamURL(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + r.URL.EscapedPath()
}
