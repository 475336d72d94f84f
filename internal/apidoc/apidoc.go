// Package apidoc has the documents that describe Freshet's interfaces for
// programs: OpenAPI for what goes over HTTP, AsyncAPI for what goes over
// server-sent events and WebSocket.
//
// The YAML is what people edit; the JSON is made of it by go generate. Tests
// drive a real server and compare both documents, and docs/transports.md, with
// what it does.
package apidoc

//go:generate go test -run TestJSON -update .

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/freshet-stream/freshet/internal/problem"
)

//go:embed openapi.yaml openapi.json asyncapi.yaml asyncapi.json
var files embed.FS

// types are the media types of the documents (RFC 9512 and RFC 8259).
var types = map[string]string{".yaml": "application/yaml", ".json": "application/json"}

// Paths are where the documents are served.
var Paths = [...]string{"/v1/openapi.yaml", "/v1/openapi.json", "/v1/asyncapi.yaml", "/v1/asyncapi.json"}

// Serve answers a request for one of [Paths] with the document. It may be called
// concurrently.
func Serve(w http.ResponseWriter, r *http.Request) {
	content, err := files.ReadFile(path.Base(r.URL.Path))
	switch {
	case err != nil:
		problem.Write(w, r, problem.ErrPath)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		problem.WriteMethod(w, r, "GET, HEAD")
		return
	}
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", types[path.Ext(r.URL.Path)])
	h.Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content)
}
