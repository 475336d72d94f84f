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

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/client"
)

const (
	// appendBytes is how much text one append carries at most.
	appendBytes = 32 << 10
	// lastTries is for how long what was read is still tried to be sent after a
	// signal.
	lastTries = 5 * time.Second
)

// An AppendCmd appends standard input to a stream.
type AppendCmd struct {
	target
	Type    string    `default:"text/plain; charset=utf-8" placeholder:"TYPE" help:"Content type with which the stream is created, or was; without it ${default}."`
	Lines   bool      `help:"Append text by whole lines rather than as it arrives."`
	Close   closeFlag `placeholder:"REASON" help:"Close the stream when the input ends: --close, which is completed, or --close=cancelled, failed or interrupted."`
	Verbose bool      `short:"v" help:"Say on standard error what is retried, even if that is no terminal."`
}

// Help is the text below the summary.
func (AppendCmd) Help() string {
	return `The stream is created if it does not exist. Text and bytes are appended as they arrive, exactly as they are; to an application/json stream each line is one value, and to a text/event-stream the input is read as Server-Sent Events. What cannot be sent is tried again until it has landed, and lands once. The stream stays open unless --close is given.

    make 2>&1 | freshet append --close builds/42
    tail -F app.log | freshet append --lines logs/app
    echo '{"progress": 0.5}' | freshet append --type application/json jobs/7
    ./agent | freshet append --close http://example.com/v1/stream/runs/9

Exit status: 0 all of the input has landed, 1 an error, 2 wrong usage, 130 a signal.`
}

// Run appends until the input ends or a signal comes.
func (c *AppendCmd) Run(ctx context.Context) error {
	to, name, err := c.open()
	if err != nil {
		return err
	}
	signalled, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := c.create(signalled, to, name); err != nil {
		return interrupted(signalled, err)
	}
	show := newProgress(os.Stderr, c.Verbose)
	p, err := to.Producer(ctx, name, client.ProducerOptions{
		ContentType: c.Type, MaxBatch: appendBytes, OnRetry: show.retried,
	})
	if err != nil {
		return err
	}
	defer p.Stop()
	show.start(p.Stats)
	defer show.end()
	err = c.send(signalled, p)
	if signalled.Err() == nil {
		return err
	}
	// A second signal ends the command at once.
	stop()
	return c.giveUp(ctx, p)
}

// create creates the stream, or makes sure that it is one to append to.
func (c *AppendCmd) create(ctx context.Context, to *client.Client, name string) error {
	err := c.contact(ctx, func(ctx context.Context) error {
		_, err := to.Create(ctx, name, client.CreateOptions{ContentType: c.Type})
		return err
	})
	if !errors.Is(err, freshet.ErrConflict) {
		return err
	}
	info, infoErr := to.Info(ctx, name)
	switch {
	case infoErr != nil:
		return err
	case !freshet.SameContentType(info.ContentType, c.Type):
		return fmt.Errorf("the stream %s exists as %s; append with --type '%s', or to another name", name, info.ContentType, info.ContentType)
	case info.Closed:
		return fmt.Errorf("the stream %s is closed (%s) and takes no more; append to another name", name, info.Reason)
	}
	// It was created otherwise, with a time to live for example, which does not
	// matter here.
	return nil
}

// send sends the input, and waits until it has landed.
func (c *AppendCmd) send(ctx context.Context, p *client.Producer) error {
	read := make(chan error, 1)
	go func() { read <- c.read(ctx, p, os.Stdin) }()
	var err error
	select {
	case <-ctx.Done():
		// The reading of the input cannot be ended; the process will.
		return ctx.Err()
	case <-p.Done():
		// Nothing more can be appended, however long the input goes on.
		return p.Err()
	case err = <-read:
	}
	if err == nil && c.Close.reason != "" {
		return p.Close(ctx, c.Close.reason)
	}
	if flushErr := p.Flush(ctx); err == nil || errors.Is(err, p.Err()) {
		err = flushErr
	}
	return err
}

// read gives the input to the producer, cut into records.
func (c *AppendCmd) read(ctx context.Context, p *client.Producer, in io.Reader) error {
	switch kind := freshet.KindOf(c.Type); {
	case kind == freshet.KindJSON:
		return readValues(in, func(value []byte) error { return p.Append(ctx, client.Record{Data: value}) })
	case kind == freshet.KindEvents:
		return readEvents(in, func(typ string, data []byte) error { return p.Append(ctx, client.Record{Type: typ, Data: data}) })
	case c.Lines:
		return readLines(in, func(line []byte) error { return p.Append(ctx, client.Record{Data: line}) })
	default:
		return readPieces(in, kind == freshet.KindText, func(piece []byte) error { return p.Append(ctx, client.Record{Data: piece}) })
	}
}

// giveUp ends a command that was told to end.
func (c *AppendCmd) giveUp(ctx context.Context, p *client.Producer) error {
	ctx, cancel := context.WithTimeout(ctx, lastTries)
	defer cancel()
	if err := p.Flush(ctx); err != nil {
		return &status{exitSignal, fmt.Sprintf("interrupted before all that was read had landed; the stream stays open (%v)", err)}
	}
	return &status{exitSignal, "interrupted; all that was read has landed, and the stream stays open"}
}

// interrupted makes an error that a signal has caused a quiet one.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return &status{exitSignal, ""}
	}
	return err
}
