package deploy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/freshet-stream/freshet/internal/fleet"
)

// Every variable that the files name is a flag of freshet serve.
func TestVariablesAreFlags(t *testing.T) {
	flags := map[string]bool{"FRESHET_URL": true} // of freshet health
	help := output(t, binary, "serve", "--help")
	for _, name := range regexp.MustCompile(`--[a-z-]+`).FindAllString(help, -1) {
		flags["FRESHET_"+strings.ReplaceAll(strings.ToUpper(name[2:]), "-", "_")] = true
	}
	for _, file := range []string{"README.md", "docker/Dockerfile", "docker/compose.yaml", "systemd/freshet.service"} {
		names := regexp.MustCompile(`FRESHET_[A-Z_]+`).FindAllString(read(t, file), -1)
		if len(names) == 0 {
			t.Errorf("%s names no variable", file)
		}
		for _, name := range names {
			if !flags[name] {
				t.Errorf("%s names %s, which is no flag of freshet serve", file, name)
			}
		}
	}
}

// What the containers run is run here, with their commands and variables, and
// other addresses.
func TestComposeRunsAsItIsWritten(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Command         []string
			Environment     map[string]string
			StopGracePeriod string `yaml:"stop_grace_period"`
			Ports           []string
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "docker/compose.yaml")), &compose); err != nil {
		t.Fatal(err)
	}
	redis := compose.Services["redis"]
	redisPort := freePort(t)
	run(t, "redis", redis.Command[0], append(redis.Command[1:], "--port", fmt.Sprint(redisPort), "--bind", "127.0.0.1"), nil, "Ready to accept")

	balancer := compose.Services["haproxy"]
	public := freePort(t)
	env := []string{"LB_BIND=" + fleet.Address(public)}
	for name, value := range balancer.Environment {
		switch {
		case name == "LB_BIND", name == "LB_RESOLVE": // there are no names here
		case strings.HasPrefix(name, "SERVER_"):
			host, port, _ := strings.Cut(value, ":")
			server, ok := compose.Services[host]
			if !ok || port != "4437" {
				t.Fatalf("%s is %s", name, value)
			}
			address := fleet.Address(freePort(t))
			run(t, host, binary, []string{"serve"}, environment(server.Environment,
				"redis:6379", fleet.Address(redisPort), "FRESHET_LISTEN="+address), "  try: ")
			atLeast(t, server.StopGracePeriod, server.Environment["FRESHET_DRAIN_DELAY"])
			env = append(env, name+"="+address)
		default:
			env = append(env, name+"="+value)
		}
	}
	if len(env) != 5 {
		t.Fatalf("haproxy has %v", env)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Fields(strings.NewReplacer("/freshet/", dir+"/haproxy/", "${SETUP:-stateless}", "stateless").
		Replace(strings.Join(balancer.Command[1:], " ")))
	run(t, "haproxy", "/usr/sbin/haproxy", args, env, "")
	until(t, "http://"+fleet.Address(public)+"/readyz")
}

// What the image runs is run here.
func TestImageRunsAsItIsWritten(t *testing.T) {
	text := read(t, "docker/Dockerfile")
	instruction := func(name string) string {
		found := regexp.MustCompile(`(?m)^`+name+` (.*)$`).FindAllStringSubmatch(text, -1)
		if len(found) == 0 {
			t.Fatalf("the Dockerfile has no %s", name)
		}
		return found[len(found)-1][1]
	}
	list := func(text string) (words []string) {
		if err := json.Unmarshal([]byte(text), &words); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return words
	}
	if user := instruction("USER"); strings.HasPrefix(user, "0") || strings.HasPrefix(user, "root") {
		t.Errorf("it runs as %s", user)
	}
	if entry := list(instruction("ENTRYPOINT")); !slices.Equal(entry, []string{"/freshet"}) {
		t.Errorf("it runs %v", entry)
	}
	address := fleet.Address(freePort(t))
	var env []string
	for _, variable := range strings.Fields(instruction("ENV")) {
		env = append(env, strings.NewReplacer("0.0.0.0:4437", address, ":/data", ":"+t.TempDir()).Replace(variable))
	}
	run(t, "image", binary, list(instruction("CMD")), env, "  try: ")
	_, check, _ := strings.Cut(instruction("HEALTHCHECK"), "CMD ")
	health := list(check)
	command := exec.CommandContext(t.Context(), binary, health[1:]...)
	command.Env = append(os.Environ(), "FRESHET_URL=http://"+address)
	if out, err := command.CombinedOutput(); err != nil || health[0] != "/freshet" {
		t.Errorf("%v: %v\n%s", health, err, out)
	}
}

// What the unit runs is run here, and has the time to drain.
func TestUnitRunsAsItIsWritten(t *testing.T) {
	unit := map[string][]string{}
	for line := range strings.Lines(read(t, "systemd/freshet.service")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			unit[name] = append(unit[name], value)
		}
	}
	atLeast(t, unit["TimeoutStopSec"][0], "0s")
	state := t.TempDir()
	var env []string
	for _, variable := range unit["Environment"] {
		env = append(env, strings.ReplaceAll(variable, "/var/lib/"+unit["StateDirectory"][0], state))
	}
	if !strings.Contains(strings.Join(env, " "), state) {
		t.Errorf("%v is not in the folder of the unit", env)
	}
	exe := strings.Fields(unit["ExecStart"][0])
	p := run(t, "unit", binary, exe[1:], append(env, "FRESHET_LISTEN="+fleet.Address(freePort(t))), "  try: ")
	if err := p.Terminate(t.Context()); err != nil {
		t.Errorf("it did not drain: %v", err)
	}
}

// atLeast checks that a supervisor waits for longer than a server may drain.
func atLeast(t *testing.T, wait, delay string) {
	t.Helper()
	grace := regexp.MustCompile(`--drain-grace=(\S+)`).FindStringSubmatch(output(t, binary, "serve", "--help"))
	if grace == nil {
		t.Fatal("the help does not tell the grace")
	}
	total := 5 * time.Second // for the answers that are due then
	for _, text := range []string{delay, grace[1]} {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		total += d
	}
	if d, err := time.ParseDuration(wait); err != nil || d <= total {
		t.Errorf("it waits for %s (%v), and a drain takes up to %s", wait, err, total)
	}
}

// environment returns variables with one text in them replaced, and more.
func environment(variables map[string]string, old, new string, more ...string) []string {
	for name, value := range variables {
		more = append(more, name+"="+strings.ReplaceAll(value, old, new))
	}
	return more
}

// run starts a program that is ready once it says so.
func run(t *testing.T, name, path string, args, env []string, says string) *fleet.Process {
	t.Helper()
	p := fleet.NewProcess(fleet.Command{
		Name: name, Dir: t.TempDir(), Path: path, Args: args, Env: env,
		Ready: func(_ context.Context, p *fleet.Process) bool {
			text, _ := p.Log()
			return strings.Contains(text, says)
		},
	})
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// until returns once a URL is answered by 200.
func until(t *testing.T, url string) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	for t.Context().Err() == nil {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := transport.RoundTrip(request); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatal(t.Context().Err())
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := fleet.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}
