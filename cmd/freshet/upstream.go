package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/freshet-stream/freshet/server"
)

// upstreamFlags are about the services that answer LLM requests.
type upstreamFlags struct {
	Upstream              []string      `placeholder:"NAME=BASE" help:"An LLM service that /v1/chat/completions, /v1/responses and /v1/messages go to, as in openai=https://api.openai.com/v1. The model NAME/x is asked for there as x, any other at the first upstream. Its key is FRESHET_UPSTREAM_NAME_KEY. Without any, a demo answers, which has no model."`
	Config                string        `type:"path" placeholder:"FILE" help:"A YAML file of upstreams, with models, headers, timeouts and paths of their own; they come after those of --upstream. docs/gateway.md explains it."`
	UpstreamKeyFile       []string      `placeholder:"NAME=FILE" help:"A file with the key of an upstream."`
	ChatModel             string        `placeholder:"MODEL" help:"The model that answers at /v1/chat, where useChat of the AI SDK posts, unless the request names one."`
	UpstreamHeaderTimeout time.Duration `default:"10m" help:"For how long the head of an upstream's answer is waited for, which comes with the last word where the answer is not streamed."`
	UpstreamStallTimeout  time.Duration `default:"60s" help:"After how much silence an upstream is given up whose answer has begun."`
	GenerationLease       time.Duration `default:"15s" help:"After how long the other servers of a fleet close an answer as interrupted whose server has disappeared."`
	DisconnectGrace       time.Duration `default:"15s" help:"For how long an answer goes on that nobody reads, if its request said Freshet-On-Disconnect: cancel."`
}

// checkTimes refuses times that are none. 0 does not mean for ever.
func (c *upstreamFlags) checkTimes() error {
	for _, t := range []struct {
		flag string
		is   time.Duration
	}{
		{"--upstream-header-timeout", c.UpstreamHeaderTimeout}, {"--upstream-stall-timeout", c.UpstreamStallTimeout},
		{"--generation-lease", c.GenerationLease}, {"--disconnect-grace", c.DisconnectGrace},
	} {
		if t.is <= 0 {
			return fmt.Errorf("%s is %v and has to be more than 0", t.flag, t.is)
		}
	}
	return nil
}

// upstreams returns where LLM requests go, with the keys: to the demo unless
// something else is said.
func (c *upstreamFlags) upstreams() ([]server.Upstream, error) {
	files := map[string]string{}
	for _, given := range c.UpstreamKeyFile {
		name, file, ok := strings.Cut(given, "=")
		if !ok {
			return nil, fmt.Errorf("--upstream-key-file %s: write it as NAME=FILE", given)
		}
		files[name] = file
	}
	var upstreams []server.Upstream
	for _, given := range c.Upstream {
		name, base, ok := strings.Cut(given, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--upstream %s: write it as NAME=BASE, as in openai=https://api.openai.com/v1", given)
		}
		key, err := upstreamKey(name, files[name])
		if err != nil {
			return nil, err
		}
		delete(files, name)
		upstreams = append(upstreams, server.Upstream{Name: name, Base: base, Key: key})
	}
	if c.Config != "" {
		configured, err := readConfig(c.Config)
		if err != nil {
			return nil, err
		}
		upstreams = append(upstreams, configured...)
	}
	for name := range files {
		return nil, fmt.Errorf("--upstream-key-file %s: there is no --upstream of that name", name)
	}
	if len(upstreams) == 0 {
		upstreams = append(upstreams, server.DemoUpstream())
	}
	return upstreams, nil
}

// upstreamKey returns the key of an upstream: from a file if one is given, else
// from the environment, which need not have one.
func upstreamKey(name, file string) (string, error) {
	if file == "" {
		return strings.TrimSpace(os.Getenv(upstreamKeyVariable(name))), nil
	}
	key, err := readKey(file)
	if err != nil {
		return "", fmt.Errorf("upstream %s: %w", name, err)
	}
	return key, nil
}

// upstreamKeyVariable returns the environment variable for an upstream's key.
func upstreamKeyVariable(name string) string {
	return "FRESHET_UPSTREAM_" + strings.Map(func(c rune) rune {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return '_'
		}
		return c
	}, strings.ToUpper(name)) + "_KEY"
}

// greetUpstreams says where LLM requests go, and whether there are keys.
func greetUpstreams(out io.Writer, upstreams []server.Upstream) {
	for _, u := range upstreams {
		if u.Base == server.DemoUpstream().Base {
			fmt.Fprintf(out, "  upstream: %s, which has no model and says so\n", u.Name)
			continue
		}
		key := "without a key"
		if u.Key != "" {
			key = "with its key"
		}
		fmt.Fprintf(out, "  upstream: %s at %s, %s", u.Name, u.Base, key)
		own := slices.Concat(u.Models, slices.Sorted(maps.Keys(u.Aliases)), slices.Sorted(maps.Keys(u.Paths)))
		if len(own) > 0 {
			fmt.Fprintf(out, ", for %s", strings.Join(own, ", "))
		}
		fmt.Fprintln(out)
	}
}
