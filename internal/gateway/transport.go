package gateway

import (
	"net"
	"net/http"
	"time"

	"github.com/freshet-stream/freshet/internal/gateway/origin"
)

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
	// A connection of HTTP/2 is shared by many calls, and is found to be dead only if
	// something is sent.
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second}
	t.RegisterProtocol("demo", origin.Transport{Handler: origin.NewDemo()})
	return t
}
