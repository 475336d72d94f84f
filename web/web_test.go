package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, h http.Handler, method, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestHandler(t *testing.T) {
	h := Handler(Options{Name: "<here>", Version: "v1"})
	for path, contentType := range map[string]string{
		"/":                      "text/html; charset=utf-8",
		"/chat":                  "text/html; charset=utf-8",
		"/style.css":             "text/css; charset=utf-8",
		"/js/main.js":            "text/javascript; charset=utf-8",
		"/favicon.svg":           "image/svg+xml",
		"/vendor/marked/LICENSE": "text/plain; charset=utf-8",
	} {
		response := get(t, h, "GET", path)
		header := response.Header
		if response.StatusCode != 200 || header.Get("Content-Type") != contentType {
			t.Errorf("%s: %s, %s", path, response.Status, header.Get("Content-Type"))
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'self'") {
			t.Errorf("%s has the headers %v", path, header)
		}
		if again := get(t, h, "GET", path, "If-None-Match", header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s with its ETag: %s", path, again.Status)
		}
		if head := get(t, h, "HEAD", path); head.StatusCode != 200 || head.ContentLength != response.ContentLength {
			t.Errorf("HEAD %s: %s, %d bytes", path, head.Status, head.ContentLength)
		}
		if post := get(t, h, "POST", path); post.StatusCode != http.StatusMethodNotAllowed || post.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %s", path, post.Status)
		}
	}
	for _, path := range []string{"/index.html", "/index", "/chat.html", "/chat/", "/js/", "/js", "/none", "/../web.go", "/%6as/main.js"} {
		response := get(t, h, "GET", path)
		if response.StatusCode != 404 || response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s, %s", path, response.Status, response.Header.Get("Content-Type"))
		}
	}
}

func TestPageTellsItsServer(t *testing.T) {
	html, err := fill([]byte(`<meta content="{{.Name}}"> {{.Version}}`), Options{Name: `"><script>`, Version: "v1"})
	if err != nil || string(html) != `<meta content="&#34;&gt;&lt;script&gt;"> v1` {
		t.Errorf("the page has %s, error %v", html, err)
	}
	for _, page := range []string{"/", "/chat"} {
		body := new(strings.Builder)
		if _, err := io.Copy(body, get(t, Handler(Options{Name: "<here>"}), "GET", page).Body); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(body.String(), `content="&lt;here&gt;"`) || strings.Contains(body.String(), "{{") {
			t.Errorf("%s does not tell its server: %s", page, body)
		}
	}
	if etag := func(o Options) string { return get(t, Handler(o), "GET", "/").Header.Get("ETag") }; etag(Options{Name: "a"}) == etag(Options{Name: "b"}) {
		t.Error("different pages have the same ETag")
	}
}

// The page asks only its own server for things, and those exist.
func TestReferences(t *testing.T) {
	files, err := load(Options{})
	if err != nil {
		t.Fatal(err)
	}
	reference := regexp.MustCompile(`(?:from|src=|href=|url\()\s*["']([^"'#$]+)["']`)
	elsewhere := regexp.MustCompile(`(?:https?:)?//[a-z0-9-]+\.[a-z]`)
	used := map[string]bool{"/": true}
	for at, f := range files {
		for _, m := range reference.FindAllSubmatch(f.body, -1) {
			target := path.Join(path.Dir(at), string(m[1]))
			if strings.HasPrefix(string(m[1]), "/") {
				target = string(m[1])
			}
			if files[target] == nil {
				t.Errorf("%s refers to %s, which there is not", at, m[1])
			}
			used[target] = true
		}
		if m := elsewhere.Find(f.body); m != nil && at != "/favicon.svg" && !strings.HasPrefix(at, "/vendor/") {
			t.Errorf("%s names another server: %s", at, m)
		}
		if strings.Contains(string(f.body), "innerHTML") {
			t.Errorf("%s writes HTML", at)
		}
	}
	for at := range files {
		if !used[at] {
			t.Errorf("nothing refers to %s", at)
		}
	}
}
