package client

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/freshet-stream/freshet"
)

// streamPath is what stands between a server's URL and the name of a stream.
const streamPath = "/v1/stream/"

// requestTimeout bounds a request that has an immediate answer.
const requestTimeout = 60 * time.Second

// Options changes how a [Client] works. The zero value works.
type Options struct {
	// HTTPClient sends the requests, those for WebSockets too. Its Timeout has
	// to be 0, or followers are cut off after it. nil means a client of its own
	// with the settings of [http.DefaultTransport].
	HTTPClient *http.Client
	// Header is sent with every request, such as Authorization.
	Header http.Header
}

// A Client speaks to one server, or to a fleet behind one URL. It is safe for
// concurrent use and need not be closed. Create it with [New].
type Client struct {
	base   string
	http   *http.Client
	header http.Header
}

// New returns a client of the server at baseURL, such as
// http://127.0.0.1:4437. A path in it is kept in front of the server's own. It
// does not connect.
func New(baseURL string, opts Options) (*Client, error) {
	u, err := url.Parse(baseURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("parse server URL: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("parse server URL: %q is not of the form http://HOST:PORT or https://HOST", baseURL)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("parse server URL: %q has a query or a fragment; leave it out", baseURL)
	}
	c := &Client{base: strings.TrimRight(u.String(), "/"), http: opts.HTTPClient, header: opts.Header.Clone()}
	if c.http == nil {
		c.http = &http.Client{}
		if t, ok := http.DefaultTransport.(*http.Transport); ok {
			c.http.Transport = t.Clone()
		}
	}
	return c, nil
}

// SplitURL takes the URL of a stream apart, into the URL of its server, as
// [New] takes it, and the stream's name.
func SplitURL(streamURL string) (baseURL, name string, err error) {
	base, escaped, ok := strings.Cut(streamURL, streamPath)
	if !ok {
		return "", "", fmt.Errorf("parse stream URL: %q is not of the form http://HOST%sNAME", streamURL, streamPath)
	}
	if strings.ContainsAny(escaped, "?#") {
		return "", "", fmt.Errorf("parse stream URL: %q has a query or a fragment; leave it out", streamURL)
	}
	name, err = freshet.ParseName(escaped)
	return base, name, err
}

// URL returns the URL of the stream with this name.
func (c *Client) URL(name string) string {
	return c.base + streamPath + freshet.EscapeName(name)
}

// request prepares a request for the stream with this name.
func (c *Client) request(ctx context.Context, method, name string, query url.Values, body io.Reader) (*http.Request, error) {
	if err := freshet.ValidateName(name); err != nil {
		return nil, err
	}
	target := c.URL(name)
	if len(query) > 0 {
		// Encode sorts, which caches like (Durable Streams, section 10.1).
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, c.header.Clone())
	return req, nil
}

// do sends a request whose answer has no body, and returns its headers. Any
// status but 2xx is an [*Error].
func (c *Client) do(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), requestTimeout)
	defer cancel()
	resp, err := c.http.Do(req.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, errorOf(resp)
	}
	// Read to its end, a short body leaves the connection fit for reuse.
	_, err = io.CopyN(io.Discard, resp.Body, 64<<10)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return resp, nil
}
