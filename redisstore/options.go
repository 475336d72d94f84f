package redisstore

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// Options configure a [Store]. The zero value works.
type Options struct {
	// Prefix begins every key and channel, so that several fleets can share a
	// Redis. "" is "freshet". It has letters, digits, dots, dashes and
	// underscores.
	Prefix string
	// Replicas is how many replicas have to acknowledge a change before it is
	// shown or acknowledged. 0 asks none.
	Replicas int
	// ReplicaTimeout is for how long they are waited for at a time. After it the
	// outcome is uncertain, and the call may be made again. 0 is 1 s.
	ReplicaTimeout time.Duration
	// Patience is for how long a call that Redis certainly did not execute is
	// sent again: while it starts, fails over or moves a slot. 0 is 5 s.
	Patience time.Duration
	// Now tells the time. Nil is the clock of Redis, the only one that all
	// servers share; another is for tests.
	Now func() time.Time
	// Logger gets what is worth knowing of the connection. Nil is [slog.Default].
	Logger *slog.Logger

	// client is how Redis is reached.
	client rueidis.ClientOption
}

// topologyAge is how old what is known of a Sentinel's primary or of a Cluster's
// slots may grow when nothing has gone wrong.
const topologyAge = 5 * time.Second

var prefixes = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)

func (o Options) withDefaults() (Options, error) {
	if !prefixes.MatchString(o.Prefix) {
		return o, fmt.Errorf("the prefix %q may have letters, digits, dots, dashes and underscores only", o.Prefix)
	}
	if o.Prefix == "" {
		o.Prefix = "freshet"
	}
	if o.ReplicaTimeout <= 0 {
		o.ReplicaTimeout = time.Second
	}
	if o.Patience <= 0 {
		o.Patience = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o, nil
}

// parameters of the URL that rueidis understands.
var parameters = map[string]bool{
	"addr": true, "master_set": true, "db": true, "dial_timeout": true, "write_timeout": true,
	"skip_verify": true, "client_name": true,
}

// parseURL reads how Redis is reached into o, and what of it belongs to us.
func (o *Options) parseURL(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		var about *url.Error // which has the whole of it, password and all
		if errors.As(err, &about) {
			err = about.Err
		}
		return fmt.Errorf("parse Redis URL: %w", err)
	}
	for key, values := range u.Query() {
		switch value := values[0]; key {
		case "replicas":
			if o.Replicas, err = strconv.Atoi(value); err != nil || o.Replicas < 0 {
				return fmt.Errorf("replicas is %q and has to be a number of replicas", value)
			}
		case "replica_timeout":
			if o.ReplicaTimeout, err = time.ParseDuration(value); err != nil || o.ReplicaTimeout < time.Millisecond {
				return fmt.Errorf("replica_timeout is %q and has to be a duration such as 1s", value)
			}
		case "prefix":
			o.Prefix = value
		default:
			if !parameters[key] {
				return fmt.Errorf("the Redis URL has the parameter %q; there are addr, master_set, db, dial_timeout, write_timeout, skip_verify, client_name, prefix, replicas and replica_timeout", key)
			}
		}
	}
	if o.client, err = rueidis.ParseURL(text); err != nil {
		return fmt.Errorf("parse Redis URL: %w", err)
	}
	c := &o.client
	c.DisableCache = true
	c.DisableRetry = true // it would have no end; see step
	c.RingScaleEachConn = 10
	c.ReadBufferEachConn, c.WriteBufferEachConn = 64<<10, 64<<10
	if c.ClientName == "" {
		c.ClientName = "freshet"
	}
	c.Sentinel.Dialer, c.Sentinel.TLSConfig = c.Dialer, c.TLSConfig
	c.Sentinel.Username, c.Sentinel.Password = c.Username, c.Password
	c.Sentinel.TopologyRefreshInterval = topologyAge
	c.ClusterOption.ShardsRefreshInterval = topologyAge
	return nil
}
