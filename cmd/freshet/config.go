package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/freshet-stream/freshet/server"
)

// A configFile is what --config names: what is too much for flags.
type configFile struct {
	Upstreams []upstreamConfig `yaml:"upstreams"`
}

// An upstreamConfig is a [server.Upstream] in YAML. The key is never in it.
type upstreamConfig struct {
	Name          string            `yaml:"name"`
	Base          string            `yaml:"base"`
	KeyEnv        string            `yaml:"key_env"`
	KeyFile       string            `yaml:"key_file"`
	Auth          string            `yaml:"auth"`
	Headers       map[string]string `yaml:"headers"`
	Models        []string          `yaml:"models"`
	Aliases       map[string]string `yaml:"aliases"`
	Paths         map[string]string `yaml:"paths"`
	HeaderTimeout string            `yaml:"header_timeout"`
	StallTimeout  string            `yaml:"stall_timeout"`
}

const (
	topFields      = "the file has upstreams, and nothing else; other settings are flags"
	upstreamFields = "an upstream has name, base, key_env, key_file, auth, headers, models, aliases, paths, header_timeout and stall_timeout"
	keyFields      = "keys are not written in this file; name an environment variable with key_env, or a file with key_file"
)

// readConfig returns the upstreams that a file names, with their keys.
func readConfig(file string) ([]server.Upstream, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --config: %w", err)
	}
	var config configFile
	documents := yaml.NewDecoder(bytes.NewReader(content), yaml.Strict())
	if err := documents.Decode(&config); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s%w", file, configError(err))
	}
	if err := documents.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: there is more than one document; write all upstreams in the first", file)
	}
	if len(config.Upstreams) == 0 {
		return nil, fmt.Errorf("%s: it names no upstreams; write at least\nupstreams:\n  - name: openai\n    base: https://api.openai.com/v1", file)
	}
	var upstreams []server.Upstream
	for _, u := range config.Upstreams {
		upstream, err := u.upstream(filepath.Dir(file))
		if err != nil {
			return nil, fmt.Errorf("%s: upstream %s: %w", file, u.Name, err)
		}
		upstreams = append(upstreams, upstream)
	}
	return upstreams, nil
}

// configError returns where a file is wrong, and what would be right. It repeats
// nothing of the file but names of fields: there may be a key in it by mistake.
func configError(err error) error {
	var wrong yaml.Error
	if !errors.As(err, &wrong) {
		return errors.New(": it is not understood as YAML")
	}
	where := ""
	var column int
	if t := wrong.GetToken(); t != nil && t.Position != nil {
		where, column = fmt.Sprintf(":%d", t.Position.Line), t.Position.Column
	}
	var unknown *yaml.UnknownFieldError
	var mismatch *yaml.TypeError
	switch {
	case errors.As(err, &mismatch):
		return fmt.Errorf("%s: the value has to be a %s", where, mismatch.DstType.Kind())
	case errors.As(err, &unknown):
		hint := upstreamFields
		if field := unknown.Token.Value; strings.Contains(strings.ToLower(field), "key") || strings.Contains(strings.ToLower(field), "token") {
			hint = keyFields
		} else if column == 1 {
			hint = topFields
		}
		return fmt.Errorf("%s: %s; %s", where, unknown.GetMessage(), hint)
	}
	return fmt.Errorf("%s: %s", where, wrong.GetMessage())
}

// upstream returns the upstream. A relative path in it is below dir.
func (u *upstreamConfig) upstream(dir string) (s server.Upstream, err error) {
	s = server.Upstream{
		Name: u.Name, Base: u.Base, Auth: u.Auth, Header: u.Headers, Models: u.Models, Aliases: u.Aliases, Paths: u.Paths,
	}
	if s.Key, err = u.key(dir); err != nil {
		return s, err
	}
	if s.HeadTimeout, err = parseTimeout("header_timeout", u.HeaderTimeout); err != nil {
		return s, err
	}
	s.StallTimeout, err = parseTimeout("stall_timeout", u.StallTimeout)
	return s, err
}

// parseTimeout reads a time; 0 is that there is none.
func parseTimeout(field, s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s is %q and has to be a time, as in 90s or 10m", field, s)
	}
	return d, nil
}

// key returns the key of an upstream. That it is missing where the file says that
// there is one is an error.
func (u *upstreamConfig) key(dir string) (string, error) {
	switch {
	case u.KeyEnv != "" && u.KeyFile != "":
		return "", errors.New("both key_env and key_file are given; one is right")
	case u.KeyEnv != "":
		key := strings.TrimSpace(os.Getenv(u.KeyEnv))
		if key == "" {
			return "", fmt.Errorf("the environment variable %s, which key_env names, is not set or empty", u.KeyEnv)
		}
		return key, nil
	case u.KeyFile != "":
		file := u.KeyFile
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		return readKey(file)
	}
	return upstreamKey(u.Name, "")
}

// readKey reads a key from a file of its own.
func readKey(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read key: %w", err)
	}
	key := strings.TrimSpace(string(content))
	if key == "" {
		return "", fmt.Errorf("read key: %s is empty", file)
	}
	return key, nil
}
