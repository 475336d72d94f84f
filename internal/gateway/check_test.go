package gateway_test

import (
	"strings"
	"testing"

	"github.com/freshet-stream/freshet/internal/gateway"
)

// What is wrong with upstreams is said at the start, in words that tell which and
// what, and never with a key.
func TestCheckUpstreams(t *testing.T) {
	const base = "http://a.example/v1"
	paths := func(from, to string) gateway.Upstream {
		return gateway.Upstream{Name: "a", Base: base, Paths: map[string]string{from: to}}
	}
	for want, upstreams := range map[string][]gateway.Upstream{
		"a word without a slash":   {{Name: "a/b", Base: base}},
		"name is given twice":      {{Name: "a", Base: base}, {Name: "a", Base: base}},
		"begin with http://":       {{Name: "a", Base: "a.example/v1"}},
		"neither user, query":      {{Name: "a", Base: "http://u:" + secret + "@a.example/v1"}},
		"the key has a line break": {{Name: "a", Base: base, Key: secret + "\n"}},
		"that is in no key":        {{Name: "a", Base: base, Key: "\ufeff" + secret}},
		`auth is "x key"`:          {{Name: "a", Base: base, Auth: "x key"}},
		`header "Host" cannot`:     {{Name: "a", Base: base, Header: map[string]string{"Host": "b"}}},
		`"idempotency-key" cannot`: {{Name: "a", Base: base, Header: map[string]string{"idempotency-key": "b"}}},
		"X has a line break":       {{Name: "a", Base: base, Header: map[string]string{"X": secret + "\r\n"}}},
		"api-key is for the key":   {{Name: "a", Base: base, Auth: "Api-Key", Header: map[string]string{"api-key": secret}}},
		"one * at the end":         {{Name: "a", Base: base, Models: []string{"a*b"}}},
		"a name for a name":        {{Name: "a", Base: base, Aliases: map[string]string{"a*": "b"}}},
		"model m is given twice":   {{Name: "a", Base: base, Models: []string{"m"}}, {Name: "b", Base: base, Aliases: map[string]string{"m": "n"}}},
		"may not be negative":      {{Name: "a", Base: base, StallTimeout: -1}},
		"begin with /v1/":          {paths("/agents/run", "/run")},
		"begin with a slash":       {paths("/v1/agents/run", "run")},
		"under /v1/stream;":        {paths("/v1/stream/x", "/run")},
		"under /v1/streams;":       {paths("/v1/streams", "/run")},
		"under /v1/follow;":        {paths("/v1/follow", "/run")},
		"under /v1/ws;":            {paths("/v1/ws", "/run")},
		"under /v1/demo;":          {paths("/v1/demo/x", "/run")},
		"under /v1/openapi.yaml;":  {paths("/v1/openapi.yaml", "/run")},
		"under /v1/chat;":          {paths("/v1/chat/x/stream", "/run")},
		"under /v1/responses;":     {paths("/v1/responses", "/run")},
		"under /v1/messages;":      {paths("/v1/messages/batches", "/run")},
		"under /v1/models;":        {paths("/v1/models/{m}", "/run")},
		"under /v1/{any};":         {paths("/v1/{any}", "/run")},
		`"" is no segment`:         {paths("/v1/agents/", "/run")},
		`".." is no segment`:       {paths("/v1/agents/..", "/run")},
		`"a%2Fb" is no segment`:    {paths("/v1/agents/a%2Fb", "/run")},
		"{a} is there twice":       {paths("/v1/agents/{a}/{a}", "/run")},
		"{b} that the path has":    {paths("/v1/agents/{a}", "/{b}")},
		`"x?y" is no segment`:      {paths("/v1/agents/{a}", "/x?y")},
		"also at upstream a":       {paths("/v1/agents/{a}", ""), {Name: "b", Base: base, Paths: map[string]string{"/v1/agents/{b}": ""}}},
	} {
		err := gateway.CheckUpstreams(upstreams)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "upstream ") || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	good := []gateway.Upstream{
		{Name: "demo", Base: gateway.DemoBase},
		{
			Name: "a", Base: base, Auth: "api-key", Header: map[string]string{"X-Tenant": "t"}, Models: []string{"*", "m"}, Aliases: map[string]string{"n": "m"},
			Paths: map[string]string{"/v1/agents/{a}": "/x/", "/v1/agents/run": "", "/v1/beta/models:generate": "/m:generate"},
		},
	}
	if err := gateway.CheckUpstreams(good); err != nil {
		t.Error(err)
	}
}
