package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// facts are what figures depend on.
type facts struct {
	CPU        string `json:"cpu"`
	Cores      string `json:"cores"`
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
	Filesystem string `json:"filesystem"`
	Load       string `json:"load"`
	Command    string `json:"command"`
}

func readFacts(c *config) (facts, error) {
	f := facts{Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH, Load: loadAverage()}
	f.Command = strings.Join(append([]string{"go run ."}, os.Args[1:]...), " ")
	f.CPU = field("/proc/cpuinfo", "model name")
	f.Cores = fmt.Sprintf("server on core %d, load on core %d", c.cores.Server, c.cores.Load)
	if !c.cores.Two() {
		f.Cores = "one for server and load: only the ratios mean anything"
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return f, fmt.Errorf("name the kernel: %w", err)
	}
	f.Kernel = unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
	var err error
	f.Filesystem, err = filesystem(c.data)
	return f, err
}

// field returns the value of the first line of a file that has the name.
func field(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// filesystem returns the type and the device of the mount that has a directory
// (proc_pid_mounts(5)).
func filesystem(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", fmt.Errorf("read mounts: %w", err)
	}
	best, found := -1, "unknown"
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		at := strings.TrimSuffix(f[1], "/")
		if (dir == at || strings.HasPrefix(dir, at+"/")) && len(at) >= best {
			best, found = len(at), fmt.Sprintf("%s on %s", f[2], f[0])
		}
	}
	return found, nil
}

// loadAverage tells how many others want the cores.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(b)); err == nil && len(f) > 0 {
		return f[0]
	}
	return "unknown"
}
