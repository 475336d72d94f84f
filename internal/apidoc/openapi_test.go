package apidoc_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestOpenAPI sends a real server the requests of [requests]. Each status, header,
// content type and problem code of an answer is documented for the operation,
// and each that is documented occurs, as does each parameter.
func TestOpenAPI(t *testing.T) {
	c := &checker{document: readDocument(t, "openapi.json"), seen: map[string]bool{}}
	servers := startServers(t)
	for _, r := range requests() {
		base := servers[cmp.Or(r.server, "plain")]
		response, body := r.send(t, base)
		what := fmt.Sprintf("%s: %s %.60s", r.name, r.method, r.path)
		if response.StatusCode != r.status {
			t.Errorf("%s is answered by %s, not %d: %.300s", what, response.Status, r.status, body)
			continue
		}
		c.check(what, &r, response, body)
	}
	for _, missing := range slices.Sorted(maps.Keys(c.documented())) {
		if !c.seen[missing] {
			t.Errorf("the document has %s, which no request brought about", missing)
		}
	}
}

// A checker compares exchanges with the document.
type checker struct {
	*document
	// seen has the pointers into the document for which something occurred.
	seen map[string]bool
}

// operation returns the pointer to what describes a method on a path.
func (c *checker) operation(method, path string) string {
	template := template(path)
	if strings.HasPrefix(path, "/v1/stream/") {
		template = "/v1/stream/{name}"
	} else if strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".json") {
		template = "/v1/{document}"
	}
	at := "/paths/" + escapePointer(template)
	item := c.object(at)
	method = strings.ToLower(method)
	if method == "head" && item["head"] == nil {
		method = "get"
	}
	if item[method] == nil {
		return at + "/x-other-methods"
	}
	return at + "/" + method
}

func (c *checker) check(what string, r *request, response *http.Response, body []byte) {
	c.Helper()
	path, query, _ := strings.Cut(r.path, "?")
	operation := c.operation(r.method, path)
	at := operation
	if !strings.HasSuffix(at, "x-other-methods") {
		c.parameters(operation, r, query)
		at += "/responses/" + fmt.Sprint(response.StatusCode)
	}
	_, at = c.at(at)
	documented := c.object(at)
	if documented == nil {
		c.Errorf("%s: the answer %s is not documented", what, response.Status)
		return
	}
	c.seen[at] = true
	c.headers(what, at, response.Header)
	media, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	contents, _ := documented["content"].(map[string]any)
	if contents == nil {
		if len(body) > 0 {
			c.Errorf("%s: the answer %s has a body, which is not documented", what, response.Status)
		}
		return
	}
	if contents[media] == nil {
		c.Errorf("%s: the content type %s of %s is not documented", what, media, response.Status)
		return
	}
	at += "/content/" + escapePointer(media)
	c.seen[at] = true
	if r.method == http.MethodHead || !strings.HasSuffix(media, "json") {
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		c.Errorf("%s: %v", what, err)
		return
	}
	c.validate(what, at+"/schema", value)
	if object, ok := value.(map[string]any); ok && strings.HasPrefix(media, "application/problem") {
		c.seen[fmt.Sprintf("%s code %v", at, object["code"])] = true
		if r.code != "" && r.code != object["code"] {
			c.Errorf("%s: the problem is %v, not %s", what, object, r.code)
		}
	}
}

// unsaid are headers of which HTTP itself says enough.
var unsaid = []string{"Date", "Content-Length", "Content-Type", "Connection"}

// headers checks the headers of an answer.
func (c *checker) headers(what, at string, sent http.Header) {
	c.Helper()
	expected := map[string]string{}
	for _, where := range []string{"/x-headers-of-every-response", at + "/headers"} {
		for name := range c.object(where) {
			expected[http.CanonicalHeaderKey(name)] = where + "/" + name
		}
	}
	for name := range sent {
		pointer, ok := expected[name]
		if !ok && !slices.Contains(unsaid, name) {
			c.Errorf("%s: the header %s: %s is not documented", what, name, sent.Get(name))
		}
		if ok {
			c.seen[pointer] = true
			c.validate(what+", "+name, pointer+"/schema", sent.Get(name))
		}
	}
	for name, pointer := range expected {
		if _, ok := sent[name]; !ok && c.object(pointer)["required"] == true {
			c.Errorf("%s: the header %s is missing", what, name)
		}
	}
}

// parameters notes what a request makes use of, and finds what it should not.
func (c *checker) parameters(operation string, r *request, query string) {
	used, _ := url.ParseQuery(query)
	list, _ := c.object(operation)["parameters"].([]any)
	known := map[string]bool{"query tap": true}
	for i := range list {
		pointer := fmt.Sprintf("%s/parameters/%d", operation, i)
		parameter := c.object(pointer)
		name := parameter["name"].(string)
		known[fmt.Sprintf("%v %s", parameter["in"], name)] = true
		if parameter["in"] == "query" && used.Has(name) || parameter["in"] == "header" && r.header(name) != "" {
			c.seen[pointer] = true
		}
	}
	for name := range used {
		if !known["query "+name] && r.status < 400 {
			c.Errorf("%s %s: the parameter %s is not documented", r.method, r.path, name)
		}
	}
	content, _ := c.object(operation + "/requestBody")["content"].(map[string]any)
	for media := range content {
		if r.header("Content-Type") == media && r.body != "" {
			c.seen[operation+"/requestBody/content/"+escapePointer(media)] = true
		}
	}
}

// documented returns pointers to all that has to occur.
func (c *checker) documented() map[string]bool {
	all := map[string]bool{}
	for name := range c.object("/x-headers-of-every-response") {
		all["/x-headers-of-every-response/"+name] = true
	}
	response := func(at string) {
		_, at = c.at(at)
		all[at] = true
		for name := range c.object(at + "/headers") {
			all[at+"/headers/"+name] = true
		}
		for media := range c.object(at + "/content") {
			content := at + "/content/" + escapePointer(media)
			all[content] = true
			codes, _ := c.at(content + "/schema/allOf/1/properties/code/enum")
			list, _ := codes.([]any)
			for _, code := range list {
				all[fmt.Sprintf("%s code %v", content, code)] = true
			}
		}
	}
	for path, item := range c.object("/paths") {
		for method := range item.(map[string]any) {
			if method == "parameters" || method == "summary" {
				continue
			}
			at := "/paths/" + escapePointer(path) + "/" + method
			if method == "x-other-methods" {
				response(at)
			}
			for status := range c.object(at + "/responses") {
				response(at + "/responses/" + status)
			}
			list, _ := c.object(at)["parameters"].([]any)
			for i := range list {
				all[fmt.Sprintf("%s/parameters/%d", at, i)] = true
			}
			for media := range c.object(at + "/requestBody/content") {
				all[at+"/requestBody/content/"+escapePointer(media)] = true
			}
		}
	}
	return all
}

// send sends the request and returns the answer with its body, of which an
// unending one is read up to its first pause.
func (r *request) send(t *testing.T, base string) (*http.Response, []byte) {
	t.Helper()
	if r.cut {
		return r.sendCut(t, base)
	}
	var body io.Reader
	switch {
	case r.stalls:
		unended, w := io.Pipe()
		defer w.Close()
		go func() { _, _ = io.WriteString(w, r.body) }()
		body = unended
	case r.unsized:
		body = io.MultiReader(strings.NewReader(r.body))
	case r.body != "":
		body = strings.NewReader(r.body)
	}
	hr, err := http.NewRequestWithContext(t.Context(), r.method, base, body)
	if err != nil {
		t.Fatal(err)
	}
	path, query, _ := strings.Cut(r.path, "?")
	hr.URL.Opaque = path
	hr.URL.RawQuery = query
	for _, h := range r.headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			hr.Host = value
			continue
		}
		hr.Header.Add(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(hr)
	if err != nil {
		t.Fatalf("%s: %v", r.name, err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusSwitchingProtocols {
		return response, nil
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") && response.ContentLength < 0 {
		first := make([]byte, 4096)
		n, _ := response.Body.Read(first)
		return response, first[:n]
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", r.name, err)
	}
	return response, content
}

// sendCut sends the request with less of a body than it announces.
func (r *request) sendCut(t *testing.T, base string) (*http.Response, []byte) {
	t.Helper()
	host := strings.TrimPrefix(base, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\nContent-Length: 99\r\n\r\n%s", r.method, r.path, host, strings.Join(r.headers, "\r\n"), r.body)
	if err == nil {
		err = conn.(*net.TCPConn).CloseWrite()
	}
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	content, _ := io.ReadAll(response.Body)
	return response, content
}
