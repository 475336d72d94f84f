package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/memstore"
	"github.com/freshet-stream/freshet/pebblestore"
	"github.com/freshet-stream/freshet/redisstore"
)

// An opened store says what it is.
type opened struct {
	freshet.Store
	about string
}

// openers are the stores there are, by the scheme of --store.
func openers() map[string]func(rest string, log *slog.Logger) (opened, error) {
	return map[string]func(string, *slog.Logger) (opened, error){
		"memory": openMemory,
		"pebble": openPebble,
		"redis":  openRedis("redis"),
		"rediss": openRedis("rediss"),
		"unix":   openRedis("unix"),
	}
}

// openStore opens what --store names.
func openStore(s string, log *slog.Logger) (opened, error) {
	scheme, rest, ok := strings.Cut(s, ":")
	open := openers()[scheme]
	if !ok || open == nil {
		return opened{}, fmt.Errorf("--store is %q and has to be memory:, pebble:DIR or redis://HOST:PORT", s)
	}
	return open(rest, log)
}

func openMemory(rest string, _ *slog.Logger) (opened, error) {
	if rest != "" {
		return opened{}, fmt.Errorf("--store is %q; memory: takes nothing after the colon", "memory:"+rest)
	}
	return opened{memstore.New(memstore.Options{}), "memory (streams are gone when the server ends)"}, nil
}

func openPebble(dir string, log *slog.Logger) (opened, error) {
	if dir == "" {
		return opened{}, errors.New("--store names no directory; write it as pebble:DIR")
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return opened{}, fmt.Errorf("find directory %s: %w", dir, err)
	}
	store, err := pebblestore.Open(full, pebblestore.Options{Logger: log})
	if err != nil {
		return opened{}, err
	}
	return opened{store, "pebble in " + full + " (every append is fsynced before it is shown)"}, nil
}

func openRedis(scheme string) func(string, *slog.Logger) (opened, error) {
	return func(rest string, log *slog.Logger) (opened, error) {
		address, err := url.Parse(scheme + ":" + rest)
		if err != nil || scheme != "unix" && address.Host == "" {
			return opened{}, fmt.Errorf("--store is not a URL of Redis; write it as redis://HOST:PORT")
		}
		store, err := redisstore.Open(context.Background(), address.String(), redisstore.Options{Logger: log})
		if err != nil {
			return opened{}, err
		}
		return opened{store, "redis at " + address.Redacted() + " (shared by the fleet, durable as Redis is configured)"}, nil
	}
}
