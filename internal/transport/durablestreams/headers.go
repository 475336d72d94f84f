package durablestreams

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/problem"
)

// The headers of the protocol, in canonical form.
const (
	headerNextOffset  = "Stream-Next-Offset"
	headerUpToDate    = "Stream-Up-To-Date"
	headerClosed      = "Stream-Closed"
	headerCursor      = "Stream-Cursor"
	headerSeq         = "Stream-Seq"
	headerTTL         = "Stream-Ttl"
	headerExpiresAt   = "Stream-Expires-At"
	headerForkedFrom  = "Stream-Forked-From"
	headerProducerID  = "Producer-Id"
	headerEpoch       = "Producer-Epoch"
	headerProducerSeq = "Producer-Seq"
	headerExpectedSeq = "Producer-Expected-Seq"
	headerReceivedSeq = "Producer-Received-Seq"

	// Additions of ours.
	headerReason = "Freshet-Close-Reason"
	headerLease  = "Freshet-Lease"
	headerRetain = "Freshet-Retain"
	headerGap    = "Freshet-Gap"
	// headerAppended is in the answer to a streamed body that broke off because the
	// server ends.
	headerAppended = "Freshet-Appended"
)

// isClosed reports whether a request asks for the stream to be closed. Values
// other than true count as none (section 4.1).
func isClosed(h http.Header) bool { return strings.EqualFold(h.Get(headerClosed), "true") }

// parseClosing returns nil if the request does not ask for a close.
func parseClosing(h http.Header) (*freshet.Closing, error) {
	if !isClosed(h) {
		return nil, nil
	}
	reason, err := freshet.ParseReason(h.Get(headerReason))
	if err != nil {
		return nil, err
	}
	return &freshet.Closing{Reason: reason}, nil
}

// parseSeconds reads a whole number of seconds as section 5.1 wants it: without
// sign, leading zeros, fraction or exponent. It returns -1 if the header is
// absent.
func parseSeconds(h http.Header, name string) (time.Duration, error) {
	const most = 100 * 365 * 24 * 60 * 60
	values, ok := h[name]
	if !ok {
		return -1, nil
	}
	s := values[0]
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || s != strconv.FormatUint(n, 10) || n > most {
		return 0, problem.ErrHeader.With("%s is %.32q and has to be a whole number of seconds such as 3600, at most a hundred years", name, s)
	}
	return time.Duration(n) * time.Second, nil
}

// parseLease returns 0 if the request has no lease.
func parseLease(h http.Header) (time.Duration, error) {
	lease, err := parseSeconds(h, headerLease)
	if err == nil && lease == 0 {
		return 0, problem.ErrHeader.With("%s is 0 and has to be at least 1; without it the stream is not closed when its producer disappears", headerLease)
	}
	return max(lease, 0), err
}

// parseRetain reads the bounds of what the stream keeps.
func parseRetain(h http.Header) (freshet.Retain, error) {
	values, ok := h[headerRetain]
	if !ok {
		return freshet.Retain{}, nil
	}
	retain, err := freshet.ParseRetain(strings.Join(values, ","))
	if err != nil {
		return retain, problem.ErrHeader.With("%s: %v", headerRetain, err)
	}
	return retain, nil
}

// parseProducer reads the headers of section 5.2.1.
func parseProducer(h http.Header) (*freshet.Producer, error) {
	present := 0
	for _, name := range []string{headerProducerID, headerEpoch, headerProducerSeq} {
		if _, ok := h[name]; ok {
			present++
		}
	}
	return freshet.ParseProducer(h.Get(headerProducerID), h.Get(headerEpoch), h.Get(headerProducerSeq), present)
}

// setEnd says where the stream ends, and how if it is closed.
func setEnd(h http.Header, tail freshet.Offset, closed *freshet.Closure) {
	h.Set(headerNextOffset, tail.String())
	if closed != nil {
		h.Set(headerClosed, "true")
		h.Set(headerReason, string(closed.Reason))
	}
}

// setInfo says what is known of the stream.
func setInfo(h http.Header, info *freshet.Info) {
	setContentType(h, info.Spec.ContentType)
	setEnd(h, info.Tail, info.Closed)
	if info.Spec.TTL > 0 {
		h.Set(headerTTL, strconv.FormatInt(int64(info.Spec.TTL/time.Second), 10))
	}
	if !info.Spec.Expires.IsZero() {
		h.Set(headerExpiresAt, info.Spec.Expires.UTC().Format(time.RFC3339Nano))
	}
	if !info.Spec.Retain.IsNone() {
		h.Set(headerRetain, info.Spec.Retain.String())
	}
}

// setContentType says what a stream holds. Of a page a browser that is led to it
// runs no script: it would be at the origin of the server's own pages.
func setContentType(h http.Header, contentType string) {
	h.Set("Content-Type", contentType)
	if lower := strings.ToLower(contentType); strings.Contains(lower, "html") || strings.Contains(lower, "xml") {
		h.Set("Content-Security-Policy", "sandbox")
	}
}
