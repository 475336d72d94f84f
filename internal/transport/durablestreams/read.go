package durablestreams

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/drain"
	"github.com/freshet-stream/freshet/internal/hub"
	"github.com/freshet-stream/freshet/internal/problem"
)

// pageBytes bounds the records of one answer.
const pageBytes = 1 << 20

// A query is what a GET asks for.
type query struct {
	freshet.Cursor
	live string
	// cursor is the echo of an earlier answer's Stream-Cursor.
	cursor string
}

func parseQuery(r *http.Request, name string) (q query, err error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, problem.ErrQuery.With("the query cannot be parsed: %v", err)
	}
	offsets, given := values["offset"]
	switch {
	case len(offsets) > 1:
		return q, freshet.ErrOffset.With("the query has %d offsets; send one", len(offsets))
	case given && offsets[0] == "":
		return q, freshet.ErrOffset.With("the offset is empty; send one that the server gave, -1 for the beginning, or now")
	case given:
		if q.Cursor, err = freshet.ParseCursorOf(name, offsets[0]); err != nil {
			return q, err
		}
	}
	q.live, q.cursor = values.Get("live"), values.Get("cursor")
	switch q.live {
	case "":
	case "long-poll", "sse":
		if !given {
			return q, problem.ErrQuery.With("live=%s needs an offset; send -1 for the beginning, or now", q.live)
		}
	default:
		return q, problem.ErrQuery.With("live is %.32q and may be long-poll or sse", q.live)
	}
	return q, nil
}

// read answers with the records after an offset (sections 5.6 and 5.7).
func (t *Transport) read(w http.ResponseWriter, r *http.Request, name string) error {
	q, err := parseQuery(r, name)
	if err != nil {
		return err
	}
	if q.live == "sse" {
		return t.live(w, r, name, &q)
	}
	if q.Now {
		info, err := t.hub.Info(r.Context(), name)
		if err != nil {
			return err
		}
		q.Offset = info.Tail
	}
	page, err := t.page(r, name, q.Offset)
	if err == nil && q.live != "" && len(page.Records) == 0 && page.Info.Closed == nil {
		page, err = t.poll(w, r, name, page.Info.Tail)
	}
	if err != nil {
		return gone(w, err)
	}
	t.answer(w, r, &q, &page)
	return nil
}

func (t *Transport) page(r *http.Request, name string, from freshet.Offset) (freshet.Page, error) {
	return t.hub.Read(r.Context(), name, from, freshet.Limit{Bytes: pageBytes})
}

// poll waits until there is something after the tail, or the time is over, as it
// is at once when the server ends.
func (t *Transport) poll(w http.ResponseWriter, r *http.Request, name string, tail freshet.Offset) (freshet.Page, error) {
	f, err := t.hub.Follow(r.Context(), name, hub.FollowOptions{Cursor: freshet.Cursor{Offset: tail}, Idle: t.opts.LongPoll})
	if err != nil {
		return freshet.Page{}, err
	}
	defer f.Close()
	ctx, leave := t.opts.Exchanges.Context(r.Context(), drain.LongPoll)
	defer leave()
	_, err = f.Next(ctx)
	if errors.Is(err, freshet.ErrShutdown) && r.Context().Err() == nil {
		w.Header().Set("Connection", "close")
		err = nil
	}
	if err != nil {
		return freshet.Page{}, err
	}
	return t.page(r, name, tail)
}

// gone says in a header why an offset cannot be served.
func gone(w http.ResponseWriter, err error) error {
	var gap *freshet.GapError
	if !errors.As(err, &gap) {
		return err
	}
	switch gap.Why {
	case freshet.GapDeleted, freshet.GapExpired, freshet.GapUnknown:
		return freshet.ErrNotFound
	}
	w.Header().Set(headerGap, gap.Why)
	return err
}

// answer sends a page.
func (t *Transport) answer(w http.ResponseWriter, r *http.Request, q *query, page *freshet.Page) {
	next := q.Offset
	if next.IsBeginning() {
		next = page.Info.Oldest
	}
	from := next
	if n := len(page.Records); n > 0 {
		next = page.Records[n-1].Offset
	}
	h := w.Header()
	h.Set(headerNextOffset, next.String())
	atTail := next == page.Info.Tail
	closed := atTail && page.Info.Closed != nil
	if atTail {
		h.Set(headerUpToDate, "true")
	}
	if closed {
		setEnd(h, next, page.Info.Closed)
	}
	if q.live != "" {
		h.Set(headerCursor, nextCursor(q.cursor))
	}
	if q.live != "" && len(page.Records) == 0 {
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	tag := etag(from, next, closed)
	switch {
	case q.Now:
		h.Set("Cache-Control", "no-store")
	case atTail || q.Offset.IsBeginning():
		h.Set("Cache-Control", "private, no-cache")
		h.Set("ETag", tag)
	default:
		h.Set("Cache-Control", "private, max-age=60, stale-while-revalidate=300")
		h.Set("ETag", tag)
	}
	if !q.Now && q.live == "" && matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	setContentType(h, page.Info.Spec.ContentType)
	body := encode(freshet.KindOf(page.Info.Spec.ContentType), page.Records)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body)
}

// etag names what an answer contains: the positions around it, whose marks tell
// histories apart, and whether the end is told.
func etag(from, to freshet.Offset, closed bool) string {
	tag := `"` + from.String() + ":" + to.String()
	if closed {
		tag += ":c"
	}
	return tag + `"`
}

// matches follows RFC 9110, section 13.1.2.
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}

// encode joins records as the content of the stream (section 9).
func encode(kind freshet.Kind, records []freshet.Record) []byte {
	size := 2
	for i := range records {
		size += records[i].Size() + 1
	}
	out := make([]byte, 0, size)
	if kind == freshet.KindJSON {
		out = append(out, '[')
		for i := range records {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, records[i].Data...)
		}
		return append(out, ']')
	}
	for i := range records {
		out = appendRecord(out, kind, &records[i])
	}
	return out
}
