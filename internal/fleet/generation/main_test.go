package generation_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/freshet-stream/freshet/internal/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(withBinary{m}) }

// binary is the command freshet, while tests run.
var binary string

type withBinary struct{ m *testing.M }

// Run builds the command, once for all tests.
func (w withBinary) Run() int {
	dir, err := os.MkdirTemp("", "freshet-generation")
	if err == nil {
		defer os.RemoveAll(dir)
		binary, err = fleet.Build(context.Background(), dir, fleet.BuildOptions{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return w.m.Run()
}
