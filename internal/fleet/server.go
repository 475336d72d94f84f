package fleet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ServerOptions say which server to run. Binary and Store are needed.
type ServerOptions struct {
	// Binary is what [Build] built.
	Binary string
	// Store is for --store.
	Store string
	// Name is that of the process (server).
	Name string
	// Port is where it listens; 0 takes a free one.
	Port int
	// Args are further arguments of freshet serve.
	Args []string
	// Env are variables besides those of this process.
	Env []string
}

// A Server is a running freshet serve. It is one [Process]: after Kill or
// Terminate, Start starts it again on its port.
type Server struct {
	*Process
	// Port is where it listens on loopback.
	Port int
}

// StartServer starts freshet serve in a folder of dir and returns when it
// listens. The caller closes it.
func StartServer(ctx context.Context, dir string, o ServerOptions) (*Server, error) {
	name := orElse(o.Name, "server")
	dir = filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of server: %w", err)
	}
	s := &Server{}
	err := onFreePort(o.Port, func(port int) error {
		s.Port = port
		s.Process = NewProcess(Command{
			Name: name, Dir: dir, Path: o.Binary, Env: o.Env,
			Args: append([]string{"serve", "--listen", Address(port), "--store", o.Store}, o.Args...),
			// By its greeting, which it writes when it listens: an answer from the
			// port could be that of somebody else.
			Ready: func(_ context.Context, p *Process) bool {
				text, _ := p.Log()
				return strings.Contains(text, "  try: ")
			},
		})
		return s.Start(ctx)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Addr returns host and port.
func (s *Server) Addr() string { return Address(s.Port) }

// URL returns the server's address without a path.
func (s *Server) URL() string { return "http://" + s.Addr() }
