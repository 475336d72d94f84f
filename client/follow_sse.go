package client

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/sse"
)

// maxEventBytes bounds what one event or message may have, in bytes: a record of
// 16 MiB, of which each byte is written as \u00XX.
const maxEventBytes = 128 << 20

// maxWait is the longest wait for a stream that a server grants at once.
const maxWait = 300 * time.Second

// An sseSource is one response of Server-Sent Events.
type sseSource struct {
	follower *Follower
	body     io.Closer
	watch    *watch
	decoder  *sse.Decoder
	// base64 says that data is base64, whatever the kind of the content.
	base64 bool
	// ended is the answer that nothing more will come.
	ended *EndError
}

func (f *Follower) openSSE() (source, error) {
	query := url.Values{"encoding": {"json"}}
	if !f.resumed && f.at != "" {
		// The server says what is wrong with this one, as it cannot do with a
		// Last-Event-ID.
		query.Set("offset", f.at)
	}
	if left := min(time.Until(f.until), maxWait); left > time.Second && !f.isReal() {
		query.Set("wait", strconv.Itoa(int(left/time.Second)))
	}
	w := newWatch(f.ctx, f.opts.IdleTimeout)
	req, err := f.client.request(w.ctx, http.MethodGet, f.name, query, nil)
	if err != nil {
		w.stop()
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("Cache-Control", "no-store")
	if f.resumed {
		req.Header.Set("Last-Event-ID", f.at)
	}
	resp, err := f.client.http.Do(req)
	if err != nil {
		w.stop()
		return nil, w.explain(err)
	}
	s := &sseSource{follower: f, body: resp.Body, watch: w}
	if err := s.begin(resp); err != nil {
		s.close()
		return nil, w.explain(err)
	}
	w.disarm()
	return s, nil
}

// begin looks at the head of the response.
func (s *sseSource) begin(resp *http.Response) error {
	f := s.follower
	switch {
	case resp.StatusCode == http.StatusNoContent:
		info, err := f.client.Info(f.ctx, f.name)
		if err != nil && !errors.Is(err, freshet.ErrNotFound) {
			return err
		}
		s.ended = &EndError{Reason: info.Reason, Offset: strings.TrimSuffix(f.at, endSuffix)}
		return nil
	case resp.StatusCode != http.StatusOK:
		return errorOf(resp)
	}
	contentType := resp.Header.Get("Content-Type")
	if media, _, _ := mime.ParseMediaType(contentType); media != "text/event-stream" {
		return fmt.Errorf("%w: it answered with %q instead of text/event-stream; is this the URL of a Freshet server?", ErrProtocol, contentType)
	}
	s.base64 = resp.Header.Get("Stream-SSE-Data-Encoding") == "base64"
	last := ""
	if f.resumed {
		last = f.at
	}
	s.decoder = sse.NewDecoder(s.watch.reader(resp.Body), sse.DecoderOptions{
		IDOnly: true, LastEventID: last, MaxEventBytes: maxEventBytes,
	})
	return nil
}

func (s *sseSource) close() {
	s.watch.stop()
	_ = s.body.Close()
}

// endSuffix follows the tail in the id of the event that tells the end.
const endSuffix = "-end"

// errCutShort is the drop of a response that ended cleanly, as proxies end them.
var errCutShort = errors.New("the response has ended, but not the stream")

func (s *sseSource) next() (message, error) {
	if s.ended != nil {
		return message{end: s.ended}, nil
	}
	s.watch.arm()
	defer s.watch.disarm()
	event, err := s.decoder.Next()
	switch {
	case errors.Is(err, io.EOF):
		return message{}, s.watch.explain(errCutShort)
	case errors.Is(err, sse.ErrTooLarge):
		return message{}, fmt.Errorf("%w: %w", ErrProtocol, err)
	case err != nil:
		return message{}, s.watch.explain(err)
	}
	if d, ok := s.decoder.Retry(); ok {
		s.follower.pause.base = d
	}
	id := string(event.ID)
	switch typ := string(event.Type); {
	case typ == freshet.TypeClosed && event.Data != nil:
		return endOf(event.Data, strings.TrimSuffix(id, endSuffix))
	case typ == freshet.TypeGap && event.Data != nil:
		return gapOf(event.Data)
	case event.Data == nil:
		return message{at: id}, nil
	case !event.HasID || id == "":
		return message{}, fmt.Errorf("%w: it sent an event without an id, after which nobody could go on", ErrProtocol)
	default:
		data, err := s.decode(event.Data)
		return message{at: id, records: []Record{{Offset: id, Type: typ, Data: data}}}, err
	}
}

// decode returns the data of an event as it was appended.
func (s *sseSource) decode(data []byte) ([]byte, error) {
	if s.base64 {
		return decodeBase64(data)
	}
	kind, err := s.follower.learn()
	switch {
	case err != nil:
		return nil, err
	case kind == freshet.KindBytes:
		return decodeBase64(data)
	case kind == freshet.KindJSON:
		return append([]byte(nil), data...), nil
	}
	return decodeString(data)
}
