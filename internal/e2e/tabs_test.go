package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tabs is how many tabs follow at once: one more than HTTP/1.1 would let them.
const tabs = 7

// TestBrowserTabs has seven tabs follow a stream each at the same time, over
// HTTP/2: one connection carries all of them, and what is appended.
func TestBrowserTabs(t *testing.T) {
	t.Parallel()
	certificate, key := writeCertificate(t)
	s := &server{t: t}
	s.run("--listen", "127.0.0.1:0", "--store", "memory:", "--tls-cert", certificate, "--tls-key", key)
	browser := startBrowser(t, "ignore-certificate-errors")
	record := jsonRecord(0, strings.Join(words, ""))
	var pages []*tab
	for i := range tabs {
		p := openTab(t, browser, s.url+"/healthz")
		eval[any](p, followScript+"; null")
		eval[any](p, fmt.Sprintf(`fetch("/v1/stream/tabs/%d", { method: "PUT", headers: { "Content-Type": "application/json" } }).then(({ status }) => {
			if (status !== 201) throw new Error("the server answered " + status);
			window.got = blank();
			window.end = followEvents("/v1/stream/tabs/%d", got);
			return null;
		})`, i, i))
		pages = append(pages, p)
	}
	// All are open before any is given something.
	for _, p := range pages {
		p.waitFor("got.opens === 1")
	}
	for i, p := range pages {
		eval[any](p, fmt.Sprintf(`append("tabs/%d", 0, %q, { "Stream-Closed": "true" }).then(() => null)`, i, record))
	}
	for i, p := range pages {
		got := eval[heard](p, "end")
		if strings.Join(got.Data, "\n") != record || got.Opens != 1 || got.Gaps != 0 || got.Reason != "completed" || got.Stopped != "closed" {
			t.Errorf("tab %d: %+v", i, got)
		}
		if protocols := eval[[]string](p, protocols); len(protocols) != 1 || protocols[0] != "h2" {
			t.Errorf("tab %d spoke %q", i, protocols)
		}
	}
}

// protocols is what a page's requests were made over.
const protocols = `[...new Set(performance.getEntriesByType("resource").map((e) => e.nextHopProtocol).filter(Boolean))]`

// writeCertificate makes a certificate for 127.0.0.1 that nobody vouches for.
func writeCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, bytes []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", signed), write("key.pem", "PRIVATE KEY", secret)
}
