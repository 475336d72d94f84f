package gateway

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/freshet-stream/freshet/internal/problem"
)

// roundTrip sends a request to an upstream. The body of the answer is read as it
// was before it was compressed, which no upstream is asked to do and some do.
func (g *Gateway) roundTrip(r *http.Request) (*http.Response, error) {
	response, err := g.client.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch coding := strings.ToLower(response.Header.Get("Content-Encoding")); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		response.Body = &gzipBody{ReadCloser: response.Body}
	default:
		_ = response.Body.Close()
		return nil, fmt.Errorf("the answer is encoded as %.32q, which was not asked for", coding)
	}
	return response, nil
}

// decoded returns the body of a request as it was before it was compressed. That is
// what the upstream gets: it has to be read here to be asked of the right one.
func decoded(h http.Header, body io.Reader) (io.Reader, error) {
	switch coding := strings.ToLower(h.Get("Content-Encoding")); coding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		return &gzipBody{ReadCloser: io.NopCloser(body)}, nil
	default:
		return nil, problem.ErrHeader.With("Content-Encoding is %.32q; send the body as it is, or in gzip", coding)
	}
}

// A gzipBody is a body that is decompressed as it comes.
type gzipBody struct {
	io.ReadCloser
	plain *gzip.Reader
}

// Read implements [io.Reader].
func (b *gzipBody) Read(p []byte) (n int, err error) {
	if b.plain == nil {
		if b.plain, err = gzip.NewReader(b.ReadCloser); err != nil {
			b.plain = nil
			return 0, err
		}
	}
	return b.plain.Read(p)
}
