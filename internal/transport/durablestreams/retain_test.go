package durablestreams

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/freshet-stream/freshet"
)

func TestRetainIsEchoedAndPartOfTheStream(t *testing.T) {
	r := newRig(t)
	put := func(retain string) *http.Response {
		response, _ := r.do("PUT", "s", nil, "Content-Type", "text/plain", "Freshet-Retain", retain)
		return response
	}
	const want = "records=3, bytes=100, age=60"
	if response := put("age=60,  bytes=100,records=3"); response.StatusCode != 201 || response.Header.Get("Freshet-Retain") != want {
		t.Errorf("PUT: %s %v", response.Status, response.Header)
	}
	if response := put(want); response.StatusCode != 200 || response.Header.Get("Freshet-Retain") != want {
		t.Errorf("PUT again: %s %v", response.Status, response.Header)
	}
	if response, _ := r.do("HEAD", "s", nil); response.Header.Get("Freshet-Retain") != want {
		t.Errorf("HEAD: %v", response.Header)
	}
	for _, other := range []string{"records=4, bytes=100, age=60", "records=3"} {
		if response := put(other); response.StatusCode != 409 {
			t.Errorf("PUT with %q: %s", other, response.Status)
		}
	}
	if response, _ := r.do("PUT", "s", nil, "Content-Type", "text/plain"); response.StatusCode != 409 {
		t.Errorf("PUT without: %s", response.Status)
	}
	r.create("plain", "text/plain")
	if response, _ := r.do("HEAD", "plain", nil); response.Header["Freshet-Retain"] != nil {
		t.Errorf("a stream without bounds: %v", response.Header)
	}
}

func TestBadRetainAndLease(t *testing.T) {
	r := newRig(t)
	r.create("s", "text/plain")
	for _, tt := range []struct{ method, path, header, value, says string }{
		{"PUT", "new", "Freshet-Retain", "", "records=1000"},
		{"PUT", "new", "Freshet-Retain", "1000", "records=1000"},
		{"PUT", "new", "Freshet-Retain", "records=0", "whole number"},
		{"PUT", "new", "Freshet-Retain", "age=1h", "seconds"},
		{"PUT", "new", "Freshet-Retain", "bytes=1, bytes=1", "twice"},
		{"PUT", "new", "Freshet-Lease", "0", "at least 1"},
		{"PUT", "new", "Freshet-Lease", "1.5", "whole number"},
		{"POST", "s", "Freshet-Lease", "0", "at least 1"},
		{"POST", "s", "Freshet-Lease", "-1", "whole number"},
	} {
		response, body := r.do(tt.method, tt.path, nil, "Content-Type", "text/plain", tt.header, tt.value)
		if response.StatusCode != 400 || !strings.Contains(body, `"bad_header"`) || !strings.Contains(body, tt.says) || !strings.Contains(body, tt.header) {
			t.Errorf("%+v: %s %s", tt, response.Status, body)
		}
	}
	if response, body := r.do("POST", "gen/x", nil, "Freshet-Lease", "5"); response.StatusCode != 403 {
		t.Errorf("a lease on a reserved name: %s %s", response.Status, body)
	}
}

// Guarantee 6: a cursor whose records are no longer kept is 410 on every way to
// read; the beginning is what there is.
func TestTrimmedCursorIsGone(t *testing.T) {
	r := newRig(t)
	response, _ := r.do("PUT", "s", nil, "Content-Type", "text/plain", "Freshet-Retain", "records=3")
	begin := response.Header.Get("Stream-Next-Offset")
	var at []string
	for i := range 6 {
		response, _ := r.do("POST", "s", strings.NewReader(fmt.Sprint(i)), "Content-Type", "text/plain")
		at = append(at, response.Header.Get("Stream-Next-Offset"))
	}
	for _, offset := range []string{begin, at[0], at[1]} {
		for _, live := range []string{"", "&live=long-poll", "&live=sse"} {
			response, body := r.do("GET", "s?offset="+offset+live, nil)
			if response.StatusCode != 410 || response.Header.Get("Freshet-Gap") != freshet.GapTrimmed || !strings.Contains(body, at[2]) {
				t.Errorf("%s%s: %s %v %s", offset, live, response.Status, response.Header, body)
			}
		}
	}
	for path, want := range map[string]string{"s": "345", "s?offset=-1": "345", "s?offset=" + at[2]: "345", "s?offset=" + at[3]: "45"} {
		if response, body := r.do("GET", path, nil); response.StatusCode != 200 || body != want || response.Header.Get("Stream-Next-Offset") != at[5] {
			t.Errorf("%s: %s %q", path, response.Status, body)
		}
	}
}
