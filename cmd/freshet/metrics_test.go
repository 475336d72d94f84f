package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestMetricsAreServed(t *testing.T) {
	own := freePort(t)
	for name, tt := range map[string]struct {
		args []string
		// here and own are the answers of the server and of the other address.
		here, own int
	}{
		"on loopback":                {nil, http.StatusOK, 0},
		"at an address of their own": {[]string{"--metrics-listen=" + own}, http.StatusNotFound, http.StatusOK},
		"beyond loopback":            {[]string{"--insecure-no-auth", "--listen=0.0.0.0:0"}, http.StatusNotFound, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveProcess(t, tt.args...)
			response := s.do("GET", "/metrics")
			if response.StatusCode != tt.here {
				t.Errorf("the server answers %s", response.Status)
			}
			if tt.own != 0 {
				s.url = "http://" + own
				response = s.do("GET", "/metrics")
				if response.StatusCode != tt.own {
					t.Errorf("the other address answers %s", response.Status)
				}
				if response := s.do("GET", "/v1/streams"); response.StatusCode != http.StatusNotFound {
					t.Errorf("the other address serves streams: %s", response.Status)
				}
			}
			text, _ := io.ReadAll(response.Body)
			if response.StatusCode == http.StatusOK && !strings.Contains(string(text), "freshet_followers 0") {
				t.Errorf("got %.300s", text)
			}
			s.signal()
			if err := s.end(); err != nil {
				t.Errorf("it ended by %v", err)
			}
		})
	}
}
