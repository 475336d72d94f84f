package gateway_test

import (
	"net/http"
	"sync/atomic"
	"testing"
)

// A caller gets no further at an upstream, with the server's key, than the paths
// that are served: no segment leads up, however it is written and read.
func TestPathsLeadNowhereElse(t *testing.T) {
	var asked atomic.Int32
	r := newRigBefore(t, 1, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }), mapping("/v1/agents/{name}", ""))
	ups := []string{
		"../files", "../../files", "%2e%2e/files", ".%2E/files", "..%2ffiles", "..%5cfiles", "x%5c..%5cfiles", "..;/files", "..;a=b/files",
		"%252e%252e/files", "./files", "x//files", "x/", "..", "x%00", "x%0a",
	}
	for _, up := range ups {
		for method, path := range map[string]string{
			"GET": "/v1/models/", "POST": "/v1/responses/resp_1/", "DELETE": "/v1/responses/",
		} {
			if got := r.ask(t.Context(), method, r.urls[0]+path+up, ""); got.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s%s: got %s", method, path, up, got.Status)
			}
		}
		if got := r.post(0, "/v1/agents/"+up, "{}"); got.StatusCode != http.StatusNotFound {
			t.Errorf("POST /v1/agents/%s: got %s", up, got.Status)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
	below := []string{"/v1/models/m", "/v1/models/a/b:c@d.e", "/v1/models/a%2Fb", "/v1/models/..a", "/v1/responses/resp_1", "/v1/responses/resp_1/input_items"}
	for _, path := range below {
		if got := r.ask(t.Context(), "GET", r.urls[0]+path, ""); got.StatusCode != http.StatusOK {
			t.Errorf("GET %s: got %s", path, got.Status)
		}
	}
	if n := asked.Load(); n != int32(len(below)) {
		t.Errorf("the upstream was asked %d times, want %d", n, len(below))
	}
}
