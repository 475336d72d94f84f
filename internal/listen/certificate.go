package listen

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// certificateAge is for how long the files of a certificate are not looked at
// again.
const certificateAge = time.Second

// A Certificate is a certificate chain and its key, from two files in PEM. It is
// the new one when the files have changed: a handshake looks, once a second at
// most. While the files do not go together, as in the middle of a renewal, it
// stays what it was. Its methods may be called concurrently.
type Certificate struct {
	chainFile, keyFile string
	log                *slog.Logger
	now                func() time.Time

	current atomic.Pointer[tls.Certificate]

	// looking is held by the handshake that looks at the files.
	looking sync.Mutex
	looked  time.Time
	// seen is what the files had when they were last looked at, if they could
	// be read, and complaint what was then wrong with them.
	seen      pair
	complaint string
}

// A pair is what two files have.
type pair struct{ chain, key []byte }

func (p pair) equal(q pair) bool {
	return bytes.Equal(p.chain, q.chain) && bytes.Equal(p.key, q.key)
}

// LoadCertificate reads a certificate. The error says which file is to blame.
func LoadCertificate(chainFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{chainFile: chainFile, keyFile: keyFile, log: log, now: time.Now}
	found, err := c.read()
	if err != nil {
		return nil, err
	}
	loaded, err := c.parse(found)
	if err != nil {
		return nil, err
	}
	if now := c.now(); now.After(loaded.Leaf.NotAfter) {
		log.Warn("the TLS certificate has expired", "file", chainFile, "expired", loaded.Leaf.NotAfter)
	}
	c.seen, c.looked = found, c.now()
	c.current.Store(loaded)
	return c, nil
}

// Get returns the certificate as it is now. It has the signature of
// [tls.Config.GetCertificate] and never fails.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c.looking.TryLock() {
		if now := c.now(); now.Sub(c.looked) >= certificateAge {
			c.looked = now
			c.look()
		}
		c.looking.Unlock()
	}
	return c.current.Load(), nil
}

// Leaf returns the certificate of the server itself.
func (c *Certificate) Leaf() *x509.Certificate { return c.current.Load().Leaf }

// look loads the files if they have changed. The caller has looking.
func (c *Certificate) look() {
	found, err := c.read()
	if err == nil {
		if found.equal(c.seen) {
			return
		}
		c.seen = found
		var loaded *tls.Certificate
		if loaded, err = c.parse(found); err == nil {
			c.current.Store(loaded)
			c.complaint = ""
			c.log.Info("took the new TLS certificate", "file", c.chainFile, "expires", loaded.Leaf.NotAfter)
			return
		}
	}
	if complaint := err.Error(); complaint != c.complaint {
		c.complaint = complaint
		c.log.Warn("keep the old TLS certificate", "error", err)
	}
}

func (c *Certificate) read() (found pair, err error) {
	if found.chain, err = os.ReadFile(c.chainFile); err != nil {
		return pair{}, fmt.Errorf("read TLS certificate: %w", err)
	}
	if found.key, err = os.ReadFile(c.keyFile); err != nil {
		return pair{}, fmt.Errorf("read TLS key: %w", err)
	}
	return found, nil
}

func (c *Certificate) parse(found pair) (*tls.Certificate, error) {
	loaded, err := tls.X509KeyPair(found.chain, found.key)
	if err != nil {
		return nil, fmt.Errorf("the certificate in %s and the key in %s do not go together: %w", c.chainFile, c.keyFile, err)
	}
	if isCut(found.chain) {
		return nil, fmt.Errorf("the certificates in %s break off in the middle of one", c.chainFile)
	}
	return &loaded, nil
}

// isCut reports whether a block of PEM begins that does not end.
func isCut(p []byte) bool {
	for {
		block, rest := pem.Decode(p)
		if block == nil {
			return bytes.Contains(rest, []byte("-----BEGIN"))
		}
		p = rest
	}
}
