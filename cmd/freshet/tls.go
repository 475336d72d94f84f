package main

import (
	"crypto/x509"
	"log/slog"
	"net"
	"strings"

	"github.com/freshet-stream/freshet/internal/listen"
)

// certificate returns the one that the flags name, or nil.
func (c *ServeCmd) certificate(log *slog.Logger) (*listen.Certificate, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	return listen.LoadCertificate(c.TLSCert, c.TLSKey, log)
}

// secureURL returns a URL under which the server can be reached, with a name
// that its certificate has, as far as one is known to lead here.
func secureURL(addr net.Addr, loopback bool, leaf *x509.Certificate) string {
	host := reachable(addr)
	ip, port, err := net.SplitHostPort(host)
	if err != nil || leaf.VerifyHostname(ip) == nil {
		return "https://" + host
	}
	if loopback {
		if leaf.VerifyHostname("localhost") == nil {
			host = net.JoinHostPort("localhost", port)
		}
		return "https://" + host
	}
	for _, name := range leaf.DNSNames {
		if !strings.HasPrefix(name, "*") {
			return "https://" + net.JoinHostPort(name, port)
		}
	}
	return "https://" + host
}
