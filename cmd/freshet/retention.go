package main

import (
	"fmt"
	"strings"
	"time"
)

// A retention says how long streams are kept. As in [server.Options], negative
// is for ever.
type retention struct{ open, closed time.Duration }

const forever = -1

// UnmarshalText reads forms such as open=168h,closed=24h and forever.
func (r *retention) UnmarshalText(text []byte) error {
	if string(text) == "forever" {
		*r = retention{forever, forever}
		return nil
	}
	*r = retention{open: 7 * 24 * time.Hour, closed: 24 * time.Hour}
	for part := range strings.SplitSeq(string(text), ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		d, err := parseKeep(value)
		if err != nil {
			return fmt.Errorf("%q is not a retention; write it as open=168h,closed=24h, or forever", text)
		}
		switch key {
		case "open":
			r.open = d
		case "closed":
			r.closed = d
		default:
			return fmt.Errorf("%q is not a part of a retention; there are open and closed", key)
		}
	}
	return nil
}

func parseKeep(s string) (time.Duration, error) {
	if s == "forever" {
		return forever, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second {
		return 0, fmt.Errorf("parse retention %q: at least a second is needed", s)
	}
	return d, nil
}

// String says it in words.
func (r retention) String() string {
	word := func(d time.Duration) string {
		switch {
		case d < 0:
			return "for ever"
		case d%(24*time.Hour) == 0 && d > 24*time.Hour:
			return fmt.Sprintf("%d days", d/(24*time.Hour))
		}
		s := d.String()
		s = strings.TrimSuffix(s, "0s")
		return strings.TrimSuffix(s, "0m")
	}
	return fmt.Sprintf("%s after the last append, %s after the close", word(r.open), word(r.closed))
}
