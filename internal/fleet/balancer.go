package fleet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/freshet-stream/freshet/deploy"
)

// BalancerOptions say which load balancer to run, with which of the
// configurations that are shipped. Program, Setup and Servers are needed.
type BalancerOptions struct {
	// Program is haproxy, nginx or caddy.
	Program string
	// Setup is the name of its configuration: stateless, sticky-cookie,
	// sticky-hash or pubsub.
	Setup string
	// Servers are the addresses of three servers.
	Servers []string
	// Cert and Key name files in PEM. Without them the balancer speaks HTTP/1.1
	// without TLS; haproxy only.
	Cert, Key string
	// Idle is for how long a connection may be silent, in whole seconds; 0 is as
	// shipped.
	Idle time.Duration
	// Name is that of the process (Program).
	Name string
	// Port is where it listens; 0 takes a free one.
	Port int
}

// A Balancer is a running load balancer. It is one [Process].
type Balancer struct {
	*Process
	// Port is where it listens on loopback.
	Port int

	program string
	secure  bool
}

// caddyAdmin is where Caddy takes orders, in its folder.
const caddyAdmin = "unix/admin.sock"

// StartBalancer starts a load balancer in a folder of dir and returns when it
// listens. The caller closes it.
func StartBalancer(ctx context.Context, dir string, o BalancerOptions) (*Balancer, error) {
	command, ok := map[string]func(dir string, port int, o BalancerOptions) (Command, error){
		"haproxy": haproxy, "nginx": nginx, "caddy": caddy,
	}[o.Program]
	if !ok || len(o.Servers) != 3 {
		return nil, fmt.Errorf("start load balancer %q with %d servers: there are haproxy, nginx and caddy, with three", o.Program, len(o.Servers))
	}
	if o.Cert == "" && o.Program != "haproxy" {
		return nil, errors.New("start load balancer: only haproxy goes without a certificate")
	}
	dir, err := filepath.Abs(filepath.Join(dir, orElse(o.Name, o.Program)))
	if err != nil {
		return nil, fmt.Errorf("find directory of load balancer: %w", err)
	}
	b := &Balancer{program: o.Program, secure: o.Cert != ""}
	err = onFreePort(o.Port, func(port int) error {
		if err := unpack(dir, o.Program); err != nil {
			return fmt.Errorf("write configuration of %s: %w", o.Program, err)
		}
		c, err := command(dir, port, o)
		if err != nil {
			return fmt.Errorf("write configuration of %s: %w", o.Program, err)
		}
		c.Name, c.Dir = orElse(o.Name, o.Program), dir
		b.Port, b.Process = port, NewProcess(c)
		return b.Start(ctx)
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Addr returns host and port.
func (b *Balancer) Addr() string { return Address(b.Port) }

// URL returns the balancer's address without a path.
func (b *Balancer) URL() string {
	if b.secure {
		return "https://" + b.Addr()
	}
	return "http://" + b.Addr()
}

// unpack writes a balancer's shipped files to dir, over what is there.
func unpack(dir, program string) error {
	shipped, err := fs.Sub(deploy.Files(), program)
	if err != nil {
		return err
	}
	return fs.WalkDir(shipped, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(dir, path), 0o755)
		}
		text, err := fs.ReadFile(shipped, path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, path), text, 0o644)
	})
}

// logged is ready once the log has a text.
func logged(text string) func(context.Context, *Process) bool {
	return func(_ context.Context, p *Process) bool {
		log, _ := p.Log()
		return strings.Contains(log, text)
	}
}

func haproxy(dir string, port int, o BalancerOptions) (Command, error) {
	env := []string{"LB_BIND=" + Address(port)}
	for i, server := range o.Servers {
		env = append(env, fmt.Sprintf("SERVER_%d=%s", i+1, server))
	}
	if o.Idle > 0 {
		env = append(env, fmt.Sprintf("LB_IDLE=%ds", int(o.Idle.Seconds())))
	}
	if o.Cert == "" {
		env = append(env, "LB_PLAIN=1")
	} else {
		both := filepath.Join(dir, "both.pem")
		if err := join(both, o.Cert, o.Key); err != nil {
			return Command{}, err
		}
		env = append(env, "LB_CERT="+both)
	}
	return Command{
		Path: daemon("haproxy"), Args: []string{"-W", "-f", "common.cfg", "-f", o.Setup + ".cfg"}, Env: env,
		Ready: logged("Loading success"), Orphaned: syscall.SIGTERM,
	}, nil
}

func nginx(dir string, port int, o BalancerOptions) (Command, error) {
	var servers strings.Builder
	for _, server := range o.Servers {
		fmt.Fprintf(&servers, "server %s max_fails=1 fail_timeout=1s;\n", server)
	}
	site := map[string]string{
		"main.conf":    "pid nginx.pid;\nerror_log stderr notice;\n",
		"servers.conf": servers.String(),
		"listen.conf": fmt.Sprintf("listen %s ssl http2;\nssl_certificate %s;\nssl_certificate_key %s;\n", Address(port), o.Cert, o.Key) +
			"client_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\nuwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n",
	}
	if o.Idle > 0 {
		text := ""
		for _, timeout := range []string{"proxy_read_timeout", "proxy_send_timeout", "send_timeout", "client_body_timeout"} {
			text += fmt.Sprintf("%s %ds;\n", timeout, int(o.Idle.Seconds()))
		}
		site["timeouts.conf"] = text
	}
	for name, text := range site {
		if err := os.WriteFile(filepath.Join(dir, "site", name), []byte(text), 0o644); err != nil {
			return Command{}, err
		}
	}
	return Command{
		Path: daemon("nginx"), Args: []string{"-e", "stderr", "-p", dir, "-c", filepath.Join(dir, o.Setup+".conf"), "-g", "daemon off;"},
		Ready: logged("start worker process "), Orphaned: syscall.SIGTERM,
	}, nil
}

func caddy(dir string, port int, o BalancerOptions) (Command, error) {
	env := []string{
		"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "LB_ADMIN=" + caddyAdmin,
		"LB_SITE=https://" + Address(port), "LB_CERT=" + o.Cert, "LB_KEY=" + o.Key, "LB_SECRET=" + filepath.Base(dir),
		"LB_SERVERS=" + strings.Join(o.Servers, " "),
	}
	if o.Idle > 0 {
		env = append(env, fmt.Sprintf("LB_IDLE=%ds", int(o.Idle.Seconds())))
	}
	return Command{
		Path: "caddy", Args: []string{"run", "--adapter", "caddyfile", "--config", o.Setup + ".Caddyfile"}, Env: env,
		Ready: logged("serving initial configuration"),
	}, nil
}

// daemon returns the path of a program that Debian puts where the PATH of
// ordinary users does not lead.
func daemon(program string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	return filepath.Join("/usr/sbin", program)
}

// join writes two files into one that others may not read.
func join(to string, from ...string) error {
	var all []byte
	for _, name := range from {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		all = append(all, text...)
	}
	return os.WriteFile(to, all, 0o600)
}
