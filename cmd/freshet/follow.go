package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/client"
)

// A FollowCmd writes a stream to standard output.
type FollowCmd struct {
	target
	Via     string        `enum:"sse,ws,long-poll" default:"sse" help:"How to read: ${enum}."`
	Offset  string        `placeholder:"OFFSET" help:"Where to start: an offset that was given out, 'now', or -1, the beginning, which is the default."`
	Wait    time.Duration `placeholder:"TIME" help:"How long to wait for a stream that does not exist yet, such as 30s."`
	JSON    bool          `name:"json" help:"Write each record as a line of JSON with offset, type and data; binary data is base64."`
	OnGap   string        `enum:"exit,continue" default:"exit" help:"What to do when records are lost: ${enum}."`
	Verbose bool          `short:"v" help:"Say on standard error when the connection drops, even if that is no terminal."`
}

// Help is the text below the summary.
func (FollowCmd) Help() string {
	return `What is written is exactly what was appended: text and bytes as they are, JSON a value a line, events as Server-Sent Events. A connection that drops is taken up again, for as long as it takes, and nothing is lost or doubled.

    freshet follow answers/42
    freshet follow --wait 1m --via ws jobs/7
    freshet follow --json jobs/7 | jq .data
    freshet follow --offset now http://example.com/v1/stream/logs/app

Exit status: 0 the stream is completed, 1 an error, 2 wrong usage, 3 the stream was cancelled, 4 its producer failed, 5 its producer disappeared, 6 records are lost (a gap), 130 a signal.`
}

// Run follows until the stream ends or a signal comes.
func (c *FollowCmd) Run(ctx context.Context, out io.Writer) error {
	from, name, err := c.open()
	if err != nil {
		return err
	}
	if _, err := freshet.ParseCursor(c.Offset); err != nil {
		return &status{exitUsage, "--offset: " + err.Error()}
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := c.look(ctx, from, name); err != nil {
		return interrupted(ctx, err)
	}
	f := from.Follow(ctx, name, c.options())
	defer f.Close()
	for {
		record, err := f.Next()
		if err != nil {
			return interrupted(ctx, c.outcome(name, err))
		}
		if err := c.write(out, f, &record); err != nil {
			return interrupted(ctx, err)
		}
	}
}

// look finds out before anything else whether there is a server and a stream,
// since what follows would wait for both.
func (c *FollowCmd) look(ctx context.Context, from *client.Client, name string) error {
	err := c.contact(ctx, func(ctx context.Context) error {
		_, err := from.Info(ctx, name)
		return err
	})
	if !errors.Is(err, freshet.ErrNotFound) {
		return err
	}
	cursor, _ := freshet.ParseCursor(c.Offset)
	if c.Wait > 0 || cursor.IsReal() {
		return nil
	}
	return missing(name)
}

func (c *FollowCmd) options() client.FollowOptions {
	opts := client.FollowOptions{Offset: c.Offset, Wait: c.Wait}
	switch c.Via {
	case "ws":
		opts.Via = client.WebSocket
	case "long-poll":
		opts.Via = client.LongPoll
	}
	if c.Verbose || term.IsTerminal(int(os.Stderr.Fd())) {
		opts.OnDrop = func(err error, wait time.Duration) {
			fmt.Fprintf(os.Stderr, "freshet: %v; coming back in %v\n", err, wait.Round(time.Millisecond))
		}
	}
	if c.OnGap == "continue" {
		opts.OnGap = func(gap *client.GapError) error {
			fmt.Fprintf(os.Stderr, "freshet: %v; going on\n", gap)
			return nil
		}
	}
	return opts
}

// outcome returns how the command ends when following has.
func (c *FollowCmd) outcome(name string, err error) error {
	var end *client.EndError
	var gap *client.GapError
	switch {
	case errors.As(err, &end):
		return ended(end.Reason)
	case errors.As(err, &gap):
		return &status{exitGap, gap.Error()}
	case errors.Is(err, freshet.ErrNotFound):
		return missing(name)
	}
	return err
}

func missing(name string) error {
	return fmt.Errorf("the stream %s does not exist; create it with `freshet append %s`, or wait for it with --wait 1m", name, name)
}
