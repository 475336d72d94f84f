// Package web has the pages that a server shows: at its root a stream that is
// being written, followed over two transports at once, and at /chat a chat with a
// model. They are plain HTML, CSS and JavaScript, embedded, and ask nobody but
// their own server for anything.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/freshet-stream/freshet/internal/problem"
)

//go:embed page
var page embed.FS

// Options say what the pages tell of their server. All may be left empty.
type Options struct {
	// Name is what the server calls itself.
	Name string
	// Version is the server's.
	Version string
	// Store says where streams are kept, in a few words.
	Store string
}

// policy lets a page load and connect to nothing but its own origin (Content
// Security Policy Level 3, whose 'self' covers WebSockets).
const policy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Handler returns a handler that serves the pages at / and /chat and what they
// are made of beside them. Every other path is a problem with status 404.
func Handler(opts Options) http.Handler {
	files, err := load(opts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := files[r.URL.EscapedPath()]
		switch {
		case err != nil:
			problem.Write(w, r, err)
		case !ok:
			problem.Write(w, r, problem.ErrPath)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			problem.WriteMethod(w, r, "GET, HEAD")
		default:
			file.serve(w, r)
		}
	})
}

// A file is served as it is.
type file struct {
	contentType string
	etag        string
	body        []byte
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("ETag", f.etag)
	// Ask again each time: the next version of the server has other files.
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}

// load returns the files by the path at which they are served.
func load(opts Options) (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(page, "page", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := page.ReadFile(name)
		if err != nil {
			return err
		}
		at, isPage := strings.CutSuffix(strings.TrimPrefix(name, "page"), ".html")
		if isPage {
			at = strings.TrimSuffix(at, "index")
			if body, err = fill(body, opts); err != nil {
				return err
			}
		}
		sum := sha256.Sum256(body)
		files[at] = &file{
			contentType: contentType(name),
			etag:        `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`,
			body:        body,
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load page: %w", err)
	}
	return files, nil
}

// fill puts into a page what it tells of its server.
func fill(html []byte, opts Options) ([]byte, error) {
	t, err := template.New("page").Parse(string(html))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, opts)
	return out.Bytes(), err
}

// contentType does not ask the system, whose table may differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case "":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
