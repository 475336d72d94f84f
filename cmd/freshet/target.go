package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/client"
)

// A target is the stream that a command is about.
type target struct {
	Stream string `arg:"" name:"stream" placeholder:"NAME|URL" help:"The stream: a name such as answers/42, or the URL http://HOST/v1/stream/NAME."`
	URL    string `name:"url" env:"FRESHET_URL" default:"http://127.0.0.1:4437" placeholder:"URL" help:"The server, for a stream that is given by name."`
}

// open returns a client of the stream's server, and the stream's name.
func (t *target) open() (*client.Client, string, error) {
	base, name := t.URL, t.Stream
	if strings.Contains(t.Stream, "://") {
		var err error
		if base, name, err = client.SplitURL(t.Stream); err != nil {
			return nil, "", &status{exitUsage, err.Error()}
		}
		t.URL = base
	}
	c, err := client.New(base, client.Options{})
	if err != nil {
		return nil, "", &status{exitUsage, err.Error()}
	}
	return c, name, nil
}

// contact makes the first request of a command. It is made again if the
// connection breaks, but not if there is nobody to connect to: then the user has
// most likely to do something.
func (t *target) contact(ctx context.Context, request func(ctx context.Context) error) error {
	const tries = 5
	for try := 1; ; try++ {
		err := request(ctx)
		var refused *client.Error
		var invalid *freshet.Error
		if err == nil || ctx.Err() != nil || errors.As(err, &invalid) {
			return err
		}
		if isUnreachable(err) {
			return t.unreachable(err)
		}
		if errors.As(err, &refused) && !refused.Temporary() || try == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 200 * time.Millisecond):
		}
	}
}

func isUnreachable(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial" && !errors.Is(err, syscall.ECONNRESET)
}

func (t *target) unreachable(err error) error {
	cause := err
	var op *net.OpError
	if errors.As(err, &op) {
		cause = op.Err
	}
	return fmt.Errorf("cannot reach a server at %s: %w\nStart one with `freshet serve`, or name another with --url or FRESHET_URL", t.URL, cause)
}
