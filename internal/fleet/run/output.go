package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// logPoll is after which time a log is looked at again.
const logPoll = 200 * time.Millisecond

// An output takes lines from several goroutines.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

// say writes text, each line after the name of whose it is, if anybody's.
func (o *output) say(name, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for line := range strings.Lines(text) {
		if name != "" {
			line = fmt.Sprintf("%-9s| %s", name, line)
		}
		_, _ = io.WriteString(o.w, line)
	}
}

// follow writes the lines that are added to a log from now on, until ctx ends.
func (o *output) follow(ctx context.Context, name, path string) {
	file, err := os.Open(path)
	if err == nil {
		defer file.Close()
		_, err = file.Seek(0, io.SeekEnd)
	}
	if err != nil {
		o.say(name, fmt.Sprintf("follow log: %v\n", err))
		return
	}
	lines, part := bufio.NewReader(file), ""
	tick := time.NewTicker(logPoll)
	defer tick.Stop()
	for {
		text, err := lines.ReadString('\n')
		part += text
		switch {
		case err == nil:
			o.say(name, part)
			part = ""
			continue
		case !errors.Is(err, io.EOF):
			o.say(name, fmt.Sprintf("follow log: %v\n", err))
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
