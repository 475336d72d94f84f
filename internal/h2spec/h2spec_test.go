package h2spec

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// path is what h2spec asks for, with GET and POST.
const path = "/v1/follow"

// tries are how often a section is run again in which freshet alone failed: some
// tests race with an answer that comes at once, and net/http loses now and then,
// too.
const tries = 5

// DESIGN 4 leaves HTTP/2 to net/http. What we add to it has to break nothing:
// freshet fails no test that a server which is nothing but net/http passes in the
// same run.
func TestNothingFailsThatPassesOnNetHTTP(t *testing.T) {
	binaries := t.TempDir()
	freshet, h2spec := filepath.Join(binaries, "freshet"), filepath.Join(binaries, "h2spec")
	build(t, "../..", freshet, "./cmd/freshet")
	build(t, ".", h2spec, "github.com/summerwind/h2spec/cmd/h2spec")
	for name, secure := range map[string]bool{"h2": true, "h2c": false} {
		t.Run(name, func(t *testing.T) {
			bare := startBare(t, secure)
			url := startFreshet(t, freshet, bare)
			var ours, theirs map[string]string
			var runs sync.WaitGroup
			runs.Go(func() { theirs = run(t, h2spec, bare.URL) })
			runs.Go(func() { ours = run(t, h2spec, url) })
			runs.Wait()
			// Were it fewer, something would have gone wrong with the run.
			const least = 100
			if len(theirs) < least || len(ours) != len(theirs) {
				t.Fatalf("there are %d results of freshet and %d of net/http", len(ours), len(theirs))
			}
			failed := 0
			for test, failure := range ours {
				switch {
				case failure == "":
				case theirs[test] != "":
					failed++
					t.Logf("both fail %s", test)
				case !passesAgain(t, h2spec, url, test):
					t.Errorf("freshet fails %s: %s", test, failure)
				}
			}
			t.Logf("%d tests, %d fail on both", len(ours), failed)
		})
	}
}

// passesAgain runs the section of a test again until the test passes.
func passesAgain(t *testing.T, h2spec, url, test string) bool {
	section, _, _ := strings.Cut(test, ": ")
	for range tries {
		if failure, ran := run(t, h2spec, url, section)[test]; ran && failure == "" {
			return true
		}
	}
	return false
}

func build(t *testing.T, dir, binary, pkg string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-o", binary, pkg)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
}

// startBare runs a server that is nothing but net/http.
func startBare(t *testing.T, secure bool) *httptest.Server {
	bare := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "hello")
	}))
	bare.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	t.Cleanup(func() {
		bare.CloseClientConnections()
		bare.Close()
	})
	if secure {
		bare.EnableHTTP2 = true
		bare.StartTLS()
		return bare
	}
	bare.Config.Protocols = new(http.Protocols)
	bare.Config.Protocols.SetHTTP1(true)
	bare.Config.Protocols.SetUnencryptedHTTP2(true)
	bare.Start()
	return bare
}

// startFreshet runs freshet until the test ends, with the certificate of the bare
// server if that has one, and returns its URL.
func startFreshet(t *testing.T, binary string, bare *httptest.Server) string {
	args := []string{"serve", "--listen", "127.0.0.1:0", "--store", "memory:"}
	if bare.TLS != nil {
		dir := t.TempDir()
		chain, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		private, err := x509.MarshalPKCS8PrivateKey(bare.TLS.Certificates[0].PrivateKey)
		err = errors.Join(err,
			os.WriteFile(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: bare.TLS.Certificates[0].Certificate[0]}), 0o600),
			os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
		if err != nil {
			t.Error(err)
			return ""
		}
		args = append(args, "--tls-cert", chain, "--tls-key", key)
	}
	cmd := exec.Command(binary, args...)
	cmd.Stderr = t.Output()
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Error(err)
		return ""
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		late := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("freshet ended with %v", err)
		}
	})
	page := regexp.MustCompile(`page:?\s+(https?://[^\s/]+)/`)
	silent := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if m := page.FindStringSubmatch(lines.Text()); m != nil {
			silent.Stop()
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return m[1]
		}
	}
	t.Error("freshet serve did not say where its page is")
	return ""
}

// run returns, for each test of h2spec, or of some sections of it, why it failed, "" if it passed.
func run(t *testing.T, h2spec, base string, sections ...string) map[string]string {
	u, err := url.Parse(base)
	if err != nil || base == "" {
		t.Errorf("parse %q: %v", base, err)
		return nil
	}
	host, port, _ := net.SplitHostPort(u.Host)
	file := filepath.Join(t.TempDir(), "report.xml")
	args := []string{"--strict", "--host", host, "--port", port, "--path", path, "--junit-report", file}
	if u.Scheme == "https" {
		args = append(args, "--tls", "--insecure")
	}
	// Its status says that a test failed, which the report says better.
	out, runErr := exec.Command(h2spec, append(args, sections...)...).CombinedOutput()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("h2spec: %v, %v\n%s", runErr, err, out)
		return nil
	}
	var report struct {
		Suites []struct {
			Cases []struct {
				Package string `xml:"package,attr"`
				Name    string `xml:"classname,attr"`
				Failure *struct {
					Text string `xml:",chardata"`
				} `xml:"failure"`
				Error *struct {
					Text string `xml:",chardata"`
				} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(raw, &report); err != nil {
		t.Errorf("h2spec's report: %v", err)
		return nil
	}
	results := map[string]string{}
	for _, suite := range report.Suites {
		for _, c := range suite.Cases {
			test := c.Package + ": " + c.Name
			results[test] = ""
			if c.Failure != nil {
				results[test] = "failed: " + c.Failure.Text
			}
			if c.Error != nil {
				results[test] = "error: " + c.Error.Text
			}
		}
	}
	return results
}
