package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/freshet-stream/freshet"
	"github.com/freshet-stream/freshet/internal/dialect"
)

// A route leads from a path of callers to a path of an upstream. Segments in
// braces stand for any one.
type route struct {
	from, to []string
	upstream *Upstream
}

// pathBytes is how long a path may be that is mapped: the meta of its streams has
// it.
const pathBytes = 256

// routes are those of all upstreams, the more definite ones first.
type routes []route

// taken are the first segments after /v1 under which there is something else.
var taken = [...]string{
	"stream", "streams", "follow", "ws", "demo", "chat", "messages", "responses", "models", "embeddings", "moderations",
}

// routesOf returns the routes of upstreams, or says what is wrong with one.
func routesOf(upstreams []Upstream) (all routes, err error) {
	shapes := map[string]string{}
	for i := range upstreams {
		u := &upstreams[i]
		for from, to := range u.Paths {
			r, err := newRoute(from, to, u)
			if err != nil {
				return nil, fmt.Errorf("upstream %s: path %s: %w", u.Name, from, err)
			}
			if other, ok := shapes[r.shape()]; ok {
				return nil, fmt.Errorf("upstream %s: path %s: it is given twice, also at upstream %s", u.Name, from, other)
			}
			shapes[r.shape()] = u.Name
			all = append(all, r)
		}
	}
	slices.SortFunc(all, route.compare)
	return all, nil
}

func newRoute(from, to string, u *Upstream) (r route, err error) {
	rest := after(from)
	if !strings.HasPrefix(rest, "/") {
		return r, errors.New("it has to begin with /v1/, as callers write it")
	}
	r = route{from: strings.Split(rest[1:], "/"), upstream: u}
	if to == "" {
		to = rest
	}
	if !strings.HasPrefix(to, "/") {
		return r, fmt.Errorf("it leads to %q, which has to begin with a slash; it is appended to the base", to)
	}
	r.to = strings.Split(to[1:], "/")
	first := r.from[0]
	if slices.Contains(taken[:], first) || strings.HasPrefix(first, "openapi.") || strings.HasPrefix(first, "asyncapi.") || isPlaceholder(first) {
		return r, fmt.Errorf("the server has paths of its own under /v1/%s; choose another first segment", first)
	}
	for i, s := range r.from {
		if !isPlaceholder(s) && !isSegment(s) {
			return r, fmt.Errorf("%q is no segment; write letters, digits and -._~:@, or a {name} that stands for any one", s)
		}
		if isPlaceholder(s) && slices.Contains(r.from[:i], s) {
			return r, fmt.Errorf("%s is there twice", s)
		}
	}
	for i, s := range r.to {
		switch isLast := i == len(r.to)-1; {
		case isPlaceholder(s) && !slices.Contains(r.from, s):
			return r, fmt.Errorf("it leads to %s, which has a %s that the path has not", to, s)
		case !isPlaceholder(s) && !isSegment(s) && (s != "" || !isLast):
			return r, fmt.Errorf("it leads to %s, where %q is no segment", to, s)
		}
	}
	return r, nil
}

func isPlaceholder(s string) bool {
	return len(s) > 2 && s[0] == '{' && s[len(s)-1] == '}' && !strings.ContainsFunc(s[1:len(s)-1], func(c rune) bool { return !isWord(c) })
}

func isSegment(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsFunc(s, func(c rune) bool { return !isWord(c) && !strings.ContainsRune("-.~:@", c) })
}

func isWord(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// shape is the same for routes that fit the same paths.
func (r route) shape() string {
	var b strings.Builder
	for _, s := range r.from {
		if isPlaceholder(s) {
			s = "{}"
		}
		b.WriteString("/" + s)
	}
	return b.String()
}

// compare puts a route before those that fit more.
func (r route) compare(other route) int {
	for i := range min(len(r.from), len(other.from)) {
		a, b := isPlaceholder(r.from[i]), isPlaceholder(other.from[i])
		switch {
		case a && !b:
			return 1
		case b && !a:
			return -1
		case !a && r.from[i] != other.from[i]:
			return cmp.Compare(r.from[i], other.from[i])
		}
	}
	return cmp.Compare(len(r.from), len(other.from))
}

// find returns the endpoint that a path after /v1 is, or nil.
func (all routes) find(path string) *endpoint {
	if len(all) == 0 || !strings.HasPrefix(path, "/") || len(path) > pathBytes {
		return nil
	}
	segments := strings.Split(path[1:], "/")
	for i := range all {
		if to, ok := all[i].lead(segments); ok {
			return &endpoint{path: path, to: to, dialect: dialect.Generic{}, pattern: "/" + strings.Join(all[i].from, "/"), upstream: all[i].upstream}
		}
	}
	return nil
}

// lead returns where a path leads, if the route fits it. What a placeholder stands
// for has to be a segment at the upstream too, however that reads it.
func (r route) lead(segments []string) (to string, ok bool) {
	if len(segments) != len(r.from) {
		return "", false
	}
	for i, s := range segments {
		if !isPlaceholder(r.from[i]) && s != r.from[i] {
			return "", false
		}
		if _, err := freshet.ParseName(s); err != nil || !isBelow(s) {
			return "", false
		}
	}
	var b strings.Builder
	for _, s := range r.to {
		if isPlaceholder(s) {
			s = segments[slices.Index(r.from, s)]
		}
		b.WriteString("/" + s)
	}
	return b.String(), true
}
