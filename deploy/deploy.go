// Package deploy has the files with which freshet is run: behind a load balancer,
// in containers, as a service. What is tested are these very files.
package deploy

import (
	"embed"
	"io/fs"
)

//go:embed haproxy/*.cfg nginx/*.conf nginx/parts nginx/site caddy/*.caddyfile caddy/*.Caddyfile
var files embed.FS

// Files returns the configurations of the load balancers, by their paths in this
// folder.
func Files() fs.FS { return files }
