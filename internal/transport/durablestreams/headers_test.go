package durablestreams

import "testing"

// A page that somebody has put into a stream is shown without its scripts.
func TestPagesRunNoScripts(t *testing.T) {
	r := newRig(t)
	for contentType, want := range map[string]string{
		"text/html; charset=utf-8": "sandbox", "image/svg+xml": "sandbox", "application/XHTML+xml": "sandbox",
		"text/plain": "", "application/json": "", "application/octet-stream": "",
	} {
		r.create("s", contentType)
		for _, method := range []string{"GET", "HEAD"} {
			response, _ := r.do(method, "s", nil)
			if got := response.Header.Get("Content-Security-Policy"); response.StatusCode != 200 || got != want {
				t.Errorf("%s of %s: %s with %q", method, contentType, response.Status, got)
			}
		}
		if response, _ := r.do("DELETE", "s", nil); response.StatusCode != 204 {
			t.Fatal(response.Status)
		}
	}
}
