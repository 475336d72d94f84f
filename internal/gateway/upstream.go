package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/freshet-stream/freshet/internal/gateway/origin"
)

// DemoBase is the base of the upstream that is in the server.
const DemoBase = "demo://freshet/v1"

// An Upstream is where requests are sent.
type Upstream struct {
	// Name chooses the upstream: the model NAME/x goes there as x.
	Name string
	// Base is the URL to which the rest of a path is appended that begins with
	// /v1, as in https://api.example.com/v1.
	Base string
	// Key is the secret that is sent with each request, "" for none.
	Key string
}

// CheckUpstreams returns an error that says what is wrong with upstreams, and
// none of their keys.
func CheckUpstreams(upstreams []Upstream) error {
	seen := map[string]bool{}
	for _, u := range upstreams {
		if u.Name == "" || strings.ContainsAny(u.Name, "/ \t\r\n") {
			return fmt.Errorf("upstream %q: the name has to be a word without a slash", u.Name)
		}
		if seen[u.Name] {
			return fmt.Errorf("upstream %s: the name is given twice", u.Name)
		}
		seen[u.Name] = true
		base, err := url.Parse(u.Base)
		switch {
		case u.Base == DemoBase:
		case err != nil:
			return fmt.Errorf("upstream %s: the base is no URL", u.Name)
		case base.Scheme != "http" && base.Scheme != "https", base.Host == "":
			return fmt.Errorf("upstream %s: the base has to begin with http:// or https:// and a host", u.Name)
		case base.User != nil, base.RawQuery != "", base.Fragment != "":
			return fmt.Errorf("upstream %s: the base may have neither user, query nor fragment; the key has an option of its own", u.Name)
		}
		if strings.ContainsAny(u.Key, "\r\n\x00") {
			return fmt.Errorf("upstream %s: the key has a line break or NUL", u.Name)
		}
	}
	return nil
}

// url returns where a request for a path after /v1 goes.
func (u *Upstream) url(path, query string) string {
	to := strings.TrimSuffix(u.Base, "/") + path
	if query != "" {
		to += "?" + query
	}
	return to
}

// authorize puts the upstream's key into the headers of a request, in the way of
// the endpoint.
func (u *Upstream) authorize(h http.Header, path string) {
	switch {
	case u.Key == "":
	case path == "/messages" || strings.HasPrefix(path, "/messages/"):
		h.Set("X-Api-Key", u.Key)
	default:
		h.Set("Authorization", "Bearer "+u.Key)
	}
}

// choose returns the upstream for a model, and the model as it is called there.
func (g *Gateway) choose(model string) (*Upstream, string) {
	name, rest, ok := strings.Cut(model, "/")
	for i := range g.opts.Upstreams {
		if u := &g.opts.Upstreams[i]; ok && u.Name == name {
			return u, rest
		}
	}
	return &g.opts.Upstreams[0], model
}

// newTransport returns what carries requests to upstreams. It follows no
// redirects, and leaves bodies as they are sent.
func newTransport() *http.Transport {
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     90 * time.Second,
	}
	t.RegisterProtocol("demo", origin.Transport{Handler: origin.NewDemo()})
	return t
}
