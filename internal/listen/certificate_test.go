package listen

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet/internal/testcert"
)

// A renewal is a certificate whose files a test changes, with a clock of its own.
type renewal struct {
	*testing.T
	*Certificate
	dir  string
	time time.Time
	log  bytes.Buffer
}

func newRenewal(t *testing.T, first *testcert.Pair) *renewal {
	t.Helper()
	r := &renewal{T: t, dir: t.TempDir(), time: time.Now()}
	chain, key := first.Write(t, r.dir)
	var err error
	if r.Certificate, err = LoadCertificate(chain, key, slog.New(slog.NewTextHandler(&r.log, nil))); err != nil {
		t.Fatal(err)
	}
	r.now = func() time.Time { return r.time }
	return r
}

func (r *renewal) write(file string, content []byte) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, file), content, 0o600); err != nil {
		r.Fatal(err)
	}
}

// want shakes hands after d.
func (r *renewal) want(d time.Duration, p *testcert.Pair) {
	r.Helper()
	r.time = r.time.Add(d)
	got, err := r.Get(nil)
	if err != nil || got.Leaf.SerialNumber.String() != p.Serial {
		r.Fatalf("got the certificate %v, error %v", got.Leaf.SerialNumber, err)
	}
}

func TestCertificateFollowsItsFiles(t *testing.T) {
	old, renewed := testcert.New(t, "a"), testcert.New(t, "a")
	r := newRenewal(t, old)
	r.want(time.Hour, old)
	renewed.Write(t, r.dir)
	r.want(certificateAge-1, old)
	r.want(1, renewed)
	if !strings.Contains(r.log.String(), "took the new TLS certificate") {
		t.Errorf("the log has %s", &r.log)
	}
}

func TestHalfAPairIsNotTaken(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	old, renewed, third := testcert.Renew(t, key, "a"), testcert.New(t, "a"), testcert.Renew(t, key, "a")
	r := newRenewal(t, old)
	for name, step := range map[string]func(){
		"only the certificate": func() { r.write("cert.pem", renewed.Chain) },
		"only the key":         func() { r.write("cert.pem", old.Chain); r.write("key.pem", renewed.Key) },
		"nothing":              func() { r.write("cert.pem", nil) },
		"no key": func() {
			if err := os.Remove(filepath.Join(r.dir, "key.pem")); err != nil {
				t.Fatal(err)
			}
		},
		// A key that stays goes with a chain of which only the beginning is there.
		"a chain cut short": func() {
			r.write("cert.pem", append(bytes.Clone(third.Chain), third.Chain[:100]...))
			r.write("key.pem", old.Key)
		},
	} {
		r.log.Reset()
		old.Write(t, r.dir)
		r.want(certificateAge, old)
		r.log.Reset()
		step()
		for range 5 {
			r.want(certificateAge, old)
		}
		if n := strings.Count(r.log.String(), "keep the old TLS certificate"); n != 1 {
			t.Errorf("%s: it was told %d times: %s", name, n, &r.log)
		}
	}
	third.Write(t, r.dir)
	r.want(certificateAge, third)
}

func TestLoadCertificateSaysWhatIsWrong(t *testing.T) {
	a, b := testcert.New(t, "a"), testcert.New(t, "b")
	dir := t.TempDir()
	chain, key := a.Write(t, dir)
	_, otherKey := b.Write(t, t.TempDir())
	for name, tt := range map[string]struct{ chain, key, says string }{
		"no certificate": {filepath.Join(dir, "none.pem"), key, "none.pem: no such file"},
		"no key":         {chain, filepath.Join(dir, "none.pem"), "none.pem: no such file"},
		"mismatched":     {chain, otherKey, "do not go together: tls: private key does not match"},
		"swapped":        {key, chain, "do not go together"},
	} {
		if _, err := LoadCertificate(tt.chain, tt.key, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %q", name, err, tt.says)
		}
	}
}
