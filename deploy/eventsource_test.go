package deploy_test

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
)

// listen reads as a browser's EventSource does, to the letter of the WHATWG HTML
// standard, section 9.2, and by nothing of ours: a lost connection, and the end of
// a response, is a reason to come back after the reconnection time, with the last
// id; any status but 200 is the end.
func (l *load) listen(r *reading, protocol string) {
	c := l.rig.client(protocol)
	defer c.CloseIdleConnections()
	lastID, retry := "", 3*time.Second
	for {
		request, err := http.NewRequestWithContext(l.Context(), http.MethodGet, l.rig.url(r.of.name), nil)
		if err != nil {
			l.Error(err)
			return
		}
		request.Header.Set("Accept", "text/event-stream")
		request.Header.Set("Cache-Control", "no-store")
		if lastID != "" {
			request.Header.Set("Last-Event-ID", lastID)
		}
		answer, err := c.Do(request)
		if err == nil {
			if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
				_ = answer.Body.Close()
				l.Errorf("an EventSource of %s died of %s", r.of.name, answer.Status)
				return
			}
			var over bool
			over, err = l.dispatch(r, bufio.NewScanner(answer.Body), &lastID, &retry)
			_ = answer.Body.Close()
			if over {
				return
			}
			// Over HTTP/2 haproxy 2.6 makes a whole one of a response that breaks off.
			if err == nil && protocol == http1 {
				l.Errorf("an EventSource of %s: the response ended as a whole one, and the stream did not", r.of.name)
			}
		}
		if l.Failed() || l.Context().Err() != nil {
			return
		}
		r.reconnects.Add(1)
		if sleep(l.Context(), retry) != nil {
			return
		}
	}
}

// dispatch takes the events of a response. It reports whether the stream is over,
// and the error for which the response ended otherwise; nil if it was whole.
func (l *load) dispatch(r *reading, lines *bufio.Scanner, lastID *string, retry *time.Duration) (over bool, err error) {
	var data, typ, id string
	id = *lastID
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "data":
			data += value + "\n"
		case "event":
			typ = value
		case "id":
			id = value
		case "retry":
			if ms, err := strconv.Atoi(value); err == nil {
				*retry = time.Duration(ms) * time.Millisecond
			}
		}
		if lines.Text() != "" {
			continue
		}
		*lastID = id
		switch text := strings.TrimSuffix(data, "\n"); {
		case data == "":
		case typ == freshet.TypeClosed:
			return true, nil
		case typ != "" || !l.take(r, text):
			l.Errorf("an EventSource of %s got %s: %s", r.of.name, typ, text)
			return true, nil
		}
		data, typ = "", ""
	}
	return false, lines.Err()
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
