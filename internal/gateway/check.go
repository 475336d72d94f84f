package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// nameBytes is how long the name of an upstream may be: the meta of streams has it.
const nameBytes = 64

// CheckUpstreams returns an error that says what is wrong with upstreams, and
// none of their keys.
func CheckUpstreams(upstreams []Upstream) error {
	names, models := map[string]bool{}, map[string]string{}
	for i := range upstreams {
		u := &upstreams[i]
		if u.Name == "" || strings.ContainsAny(u.Name, "/ \t\r\n") {
			return fmt.Errorf("upstream %q: the name has to be a word without a slash", u.Name)
		}
		if len(u.Name) > nameBytes {
			return fmt.Errorf("upstream %.16s…: the name may have %d bytes", u.Name, nameBytes)
		}
		if names[u.Name] {
			return fmt.Errorf("upstream %s: the name is given twice", u.Name)
		}
		names[u.Name] = true
		if err := u.check(); err != nil {
			return fmt.Errorf("upstream %s: %w", u.Name, err)
		}
		for _, m := range u.patterns() {
			if other, ok := models[m]; ok {
				return fmt.Errorf("upstream %s: the model %s is given twice, also at upstream %s", u.Name, m, other)
			}
			models[m] = u.Name
		}
	}
	_, err := routesOf(upstreams)
	return err
}

// patterns returns the models that go to the upstream.
func (u *Upstream) patterns() []string {
	all := slices.Clone(u.Models)
	for alias := range u.Aliases {
		all = append(all, alias)
	}
	slices.Sort(all)
	return all
}

func (u *Upstream) check() error {
	base, err := url.Parse(u.Base)
	switch {
	case u.Base == DemoBase:
	case err != nil:
		return errors.New("the base is no URL")
	case base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return errors.New("the base has to begin with http:// or https:// and a host")
	case base.User != nil, base.RawQuery != "", base.Fragment != "":
		return errors.New("the base may have neither user, query nor fragment; the key has an option of its own")
	}
	if !isKey(u.Key) {
		return errors.New("the key has a line break or another character that is in no key; look at its file with cat -A")
	}
	if u.HeadTimeout < 0 || u.StallTimeout < 0 {
		return errors.New("a timeout may not be negative")
	}
	for _, m := range u.Models {
		if star := strings.IndexByte(m, '*'); m == "" || star >= 0 && star < len(m)-1 {
			return fmt.Errorf("the model %q has to be a name, or what names begin with and one * at the end", m)
		}
	}
	for alias, model := range u.Aliases {
		if alias == "" || model == "" || strings.ContainsRune(alias, '*') {
			return fmt.Errorf("the alias %q of %q has to be a name for a name", alias, model)
		}
	}
	return u.checkHeaders()
}

// unset are headers that are not for configuration: the connection's, and one that
// would let net/http repeat a request that may have been received.
var unset = [...]string{
	"Host", "Connection", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Expect", "Idempotency-Key", "X-Idempotency-Key",
}

func (u *Upstream) checkHeaders() error {
	if !isToken(u.Auth) && u.Auth != "" {
		return fmt.Errorf("auth is %q and has to be bearer, none, or the name of a header", u.Auth)
	}
	names := map[string]bool{}
	for name, value := range u.Header {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !isToken(name), slices.Contains(unset[:], canonical):
			return fmt.Errorf("the header %q cannot be set", name)
		case !isHeaderValue(value):
			return fmt.Errorf("the header %s has a line break or another control character", name)
		case canonical == "Authorization" || canonical == http.CanonicalHeaderKey(u.Auth):
			return fmt.Errorf("the header %s is for the key, which has an option of its own", name)
		case names[canonical]:
			return fmt.Errorf("the header %s is given twice", name)
		}
		names[canonical] = true
	}
	return nil
}

// isKey reports whether s can be a key: printable ASCII. What else comes with one, such
// as a byte order mark or a space that is not seen, is from an editor.
func isKey(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c >= 0x7f })
}

// isToken reports whether s can be the name of a header (RFC 9110, section 5.1).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return !isWord(c) && !strings.ContainsRune("!#$%&'*+-.^`|~", c) })
}

// isHeaderValue reports whether s can be sent as the value of a header.
func isHeaderValue(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
