package gateway

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/problem"
)

// A stopped is a request whose body stops after its beginning, and a response that is
// told how long that is waited for.
type stopped struct {
	http.ResponseWriter
	begun io.Reader
	until time.Time
}

func (s *stopped) SetReadDeadline(t time.Time) error {
	s.until = t
	return nil
}

func (s *stopped) Read(p []byte) (int, error) {
	n, err := s.begun.Read(p)
	if err == io.EOF {
		if s.until.IsZero() {
			return 0, errors.New("the body is waited for without end")
		}
		return 0, os.ErrDeadlineExceeded
	}
	return n, err
}

func (s *stopped) Close() error { return nil }

// A question that stops in its middle is given up, whatever its coding.
func TestStoppedQuestion(t *testing.T) {
	g := &Gateway{opts: Options{Upstreams: []Upstream{{Name: "a"}}}.withDefaults()}
	for _, coding := range []string{"", "gzip"} {
		s := &stopped{ResponseWriter: httptest.NewRecorder(), begun: strings.NewReader("{")}
		r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", s)
		r.Header.Set("Content-Encoding", coding)
		_, err := g.readBody(s, r)
		if coded, _ := problem.Of(err); coded.Code != problem.ErrBody.Code || !strings.Contains(coded.Detail, "brought nothing") {
			t.Errorf("%q: got %v", coding, err)
		}
		if s.until.IsZero() {
			t.Errorf("%q: net/http waits for the rest", coding)
		}
	}
}
