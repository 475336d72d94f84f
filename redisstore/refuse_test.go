package redisstore

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/fleet"
	"github.com/freshet-stream/freshet/internal/testcert"
)

func startRedis(t *testing.T, o fleet.RedisOptions) *fleet.Redis {
	t.Helper()
	r, err := fleet.StartRedis(t.Context(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// What cannot work is said at the start, with what to do about it and without the
// password.
func TestRefusals(t *testing.T) {
	locked := startRedis(t, fleet.RedisOptions{})
	if _, err := locked.Do(t.Context(), "CONFIG", "SET", "requirepass", "secret"); err != nil {
		t.Fatal(err)
	}
	evicting := startRedis(t, fleet.RedisOptions{Policy: "allkeys-lru"})
	port, err := fleet.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ url, want string }{
		{"redis://" + fleet.Address(port), "is it running"},
		{locked.URL(), "wants a password: redis://"},
		{"redis://:wrong-secret@" + locked.Addr(), "user or password are not"},
		{"redis://:wrong%zzsecret@" + locked.Addr(), "invalid URL escape"},
		{evicting.URL(), "CONFIG SET maxmemory-policy noeviction"},
		{shared.URL() + "/99", "no such database"},
		{shared.URL() + "/name", "invalid database number"},
		{shared.URL() + "?addr=" + locked.Addr(), "several addresses are those of a Cluster"},
		{shared.URL() + "?master_set=name", "no Sentinel"},
		{"redis://" + fleet.Address(port) + "?master_set=name", "by the Sentinels"},
		{"rediss://" + shared.Addr() + "?dial_timeout=200ms", "redis:// instead of rediss://"},
		{"http://" + shared.Addr(), "invalid URL scheme"},
		{shared.URL() + "?prefix=a:b", "letters, digits"},
		{shared.URL() + "?timeout=3", "dial_timeout, write_timeout"},
		{shared.URL() + "?replicas=-1", "number of replicas"},
		{shared.URL() + "?replica_timeout=soon", "duration such as 1s"},
	} {
		s, err := Open(t.Context(), test.url, Options{Patience: 50 * time.Millisecond})
		if err == nil {
			t.Errorf("%s: it was opened", test.url)
			_ = s.Close()
			continue
		}
		if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %q", test.url, err, test.want)
		}
	}
}

func TestOldRedisIsRefused(t *testing.T) {
	err := checkNode("redis:6379", parseInfo("# Server\r\nredis_version:6.2.14\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n"))
	if err == nil || !strings.Contains(err.Error(), "needs 7.0 or later") {
		t.Errorf("got %v", err)
	}
}

// A user with a password, a database and a prefix, over TLS.
func TestURL(t *testing.T) {
	chain, key := testcert.New(t, "127.0.0.1").Write(t, t.TempDir())
	port, err := fleet.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	r := startRedis(t, fleet.RedisOptions{Directives: []string{
		"tls-port " + strconv.Itoa(port), "tls-auth-clients no", "tls-cert-file " + chain, "tls-key-file " + key,
		`user some@one on >p/a:s@s ~own:* &own:* +@all`,
	}})
	s := open(t, "rediss://some%40one:p%2Fa%3As%40s@"+fleet.Address(port)+"/3?prefix=own&skip_verify=true", Options{})
	defer s.Close()
	if _, _, err := s.Create(t.Context(), "s", freshet.Creation{Nonce: freshet.NewNonce()}); err != nil {
		t.Fatal(err)
	}
	stop, err := s.Follow(t.Context(), "s", func(freshet.Hint) {})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if keys, err := r.Do(t.Context(), "-n", "3", "KEYS", "*"); err != nil || !strings.HasPrefix(keys, "own:{") {
		t.Errorf("database 3 has the keys %q, %v", keys, err)
	}
}
