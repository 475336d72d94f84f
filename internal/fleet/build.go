package fleet

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// command is the package of the command freshet.
const command = "github.com/freshet-stream/freshet/cmd/freshet"

// BuildOptions say how to build. Zero is as usual.
type BuildOptions struct {
	// Race adds the race detector. A server that sees a race says DATA RACE in
	// its log and ends with status 66.
	Race bool
}

// Build builds the command freshet into a directory and returns the path of the
// binary. It needs the go command, and a working directory inside of a module
// that has the package.
func Build(ctx context.Context, dir string, o BuildOptions) (string, error) {
	binary := filepath.Join(dir, "freshet")
	args := []string{"build", "-o", binary}
	if o.Race {
		args = append(args, "-race")
	}
	out, err := exec.CommandContext(ctx, "go", append(args, command)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", command, err, out)
	}
	return binary, nil
}
