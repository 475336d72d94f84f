package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// atOnce is how many tests run at the same time. They mostly wait, so that more
// of them than there are processors do each other little harm.
const atOnce = "12"

// binary is the freshet that is tested: FRESHET_BINARY, or one built of the tree.
var binary = os.Getenv("FRESHET_BINARY")

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", atOnce); err != nil {
			panic(err)
		}
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if binary == "" {
		dir, err := os.MkdirTemp("", "freshet-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "freshet")
		build := exec.Command("go", "build", "-o", binary, "./cmd/freshet")
		build.Dir = "../.."
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build freshet: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}
