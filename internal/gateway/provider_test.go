package gateway

import "testing"

// A provider is named by where it is, whatever the configuration calls it.
func TestProviderOf(t *testing.T) {
	for _, tt := range []struct {
		base, provider, host string
		port                 int
	}{
		{"https://api.openai.com/v1", "openai", "api.openai.com", 443},
		{"https://api.anthropic.com:8443/v1", "anthropic", "api.anthropic.com", 8443},
		{"http://openai.example/v1", "mine", "openai.example", 80},
		{"http://[::1]:8000/v1", "mine", "::1", 8000},
		{DemoBase, "mine", "", 0},
	} {
		u := &Upstream{Name: "mine", Base: tt.base}
		host, port := u.address()
		if got := providerOf(u); got != tt.provider || host != tt.host || port != tt.port {
			t.Errorf("%s: got %s, %s, %d", tt.base, got, host, port)
		}
	}
}
