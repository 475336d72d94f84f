package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// healthTime is for how long a server may take to say how it is.
const healthTime = 5 * time.Second

// A HealthCmd asks a server how it is.
type HealthCmd struct {
	URL   string `name:"url" env:"FRESHET_URL" default:"http://127.0.0.1:4437" placeholder:"URL" help:"The server."`
	Ready bool   `help:"Ask whether it takes what is new, and not only whether it lives."`
}

// Help is the text below the flags.
func (HealthCmd) Help() string {
	return `For supervisors that run a command, and images without another client:

  HEALTHCHECK CMD ["/freshet", "health"]

Exit status: 0 it is well, 1 it is not or does not answer within 5 s, 2 the
command line is wrong.`
}

// Run asks once.
func (c *HealthCmd) Run(ctx context.Context) error {
	path := "/healthz"
	if c.Ready {
		path = "/readyz"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL, "/")+path, nil)
	if err != nil {
		return &status{exitUsage, fmt.Sprintf("--url: %v", err)}
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
		return fmt.Errorf("%s says %s\n%s", c.URL, answer.Status, strings.TrimSpace(string(text)))
	}
	return nil
}
