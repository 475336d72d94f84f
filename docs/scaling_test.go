package docs

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestScaling computes every line of scaling.md anew that stands in a block
// called calc.
func TestScaling(t *testing.T) {
	var said strings.Builder
	lines, inside := 0, false
	for line := range strings.Lines(readFile(t, "scaling.md")) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```calc"
		case inside:
			lines++
			checkLine(t, line, &said)
		default:
			fmt.Fprintln(&said, line)
		}
	}
	if lines < 30 {
		t.Errorf("there are %d lines to compute", lines)
	}
}

// checkLine checks one of the form `what: expression = result`. What it starts
// from has to have been said before, so that no figure is left behind when its
// source changes.
func checkLine(t *testing.T, line string, said *strings.Builder) {
	t.Helper()
	label, rest, ok := strings.Cut(line, ": ")
	expression, result, found := strings.Cut(rest, " = ")
	if !ok || !found {
		t.Errorf("%q is not of the form `what: expression = result`", line)
		return
	}
	fmt.Fprintln(said, label)
	for _, quantity := range quantities.FindAllString(expression, -1) {
		quantity = strings.TrimSpace(quantity)
		if small.MatchString(quantity) {
			continue
		}
		if !regexp.MustCompile(`(^|[^\d.,])` + regexp.QuoteMeta(quantity) + `($|[^\d\pL])`).MatchString(said.String()) {
			t.Errorf("%q starts from %s, which was not said before", line, quantity)
		}
	}
	fmt.Fprintln(said, result)
	e := &evaluation{rest: expression}
	got := e.sum()
	if e.rest = strings.TrimSpace(e.rest); e.rest != "" {
		t.Errorf("%q cannot be read from %q on", line, e.rest)
		return
	}
	number := quantities.FindString(result)
	want, digit := parse(number)
	if number == "" || math.Abs(got-want) > digit/2*1.0001 {
		t.Errorf("%q: it is %g, that is %g in the unit given", line, got, got/unitOf(number))
	}
}

var (
	// quantities finds numbers with their units.
	quantities = regexp.MustCompile(`\d[\d,]*(?:\.\d+)?(?: (?:%|µs|s|KB|GB|TB|bytes|cores?|tokens)(?:\b|$| ))?`)
	// small are numbers so ordinary that they need no source.
	small = regexp.MustCompile(`^(?:\d{1,2}|0\.5)$`)
	units = map[string]float64{"%": 0.01, "µs": 1e-6, "KB": 1e3, "GB": 1e9, "TB": 1e12}
)

func unitOf(quantity string) float64 {
	_, unit, _ := strings.Cut(strings.TrimSpace(quantity), " ")
	if factor, ok := units[unit]; ok {
		return factor
	}
	return 1
}

// parse returns the value of a quantity, and that of its last digit that is not
// zero, up to half of which it may have been rounded.
func parse(quantity string) (value, digit float64) {
	number, _, _ := strings.Cut(strings.TrimSpace(quantity), " ")
	number = strings.ReplaceAll(number, ",", "")
	value, _ = strconv.ParseFloat(number, 64)
	digit = 1
	if _, decimals, ok := strings.Cut(number, "."); ok {
		digit = math.Pow10(-len(decimals))
	} else {
		for rest := number; len(rest) > 1 && strings.HasSuffix(rest, "0"); rest = rest[:len(rest)-1] {
			digit *= 10
		}
	}
	unit := unitOf(quantity)
	return value * unit, digit * unit
}

// An evaluation reads an expression of quantities, + × ÷ and parentheses.
type evaluation struct{ rest string }

func (e *evaluation) take(token string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(e.rest), token)
	if ok {
		e.rest = rest
	}
	return ok
}

func (e *evaluation) sum() float64 {
	value := e.product()
	for e.take("+") {
		value += e.product()
	}
	return value
}

func (e *evaluation) product() float64 {
	value := e.factor()
	for {
		switch {
		case e.take("×"):
			value *= e.factor()
		case e.take("÷"):
			value /= e.factor()
		default:
			return value
		}
	}
}

func (e *evaluation) factor() float64 {
	if e.take("(") {
		value := e.sum()
		e.take(")")
		return value
	}
	e.rest = strings.TrimSpace(e.rest)
	at := quantities.FindStringIndex(e.rest)
	if at == nil || at[0] != 0 {
		return math.NaN()
	}
	value, _ := parse(e.rest[:at[1]])
	e.rest = e.rest[at[1]:]
	return value
}

// What the page takes from the README is there.
func TestScalingAgreesWithReadme(t *testing.T) {
	readme := readFile(t, "../README.md")
	row := regexp.MustCompile(`(?m)^\|[^|]+\| ([\d.]+ \S+) \|[^|]*README[^|]*\|$`)
	rows := row.FindAllStringSubmatch(readFile(t, "scaling.md"), -1)
	for _, r := range rows {
		if !strings.Contains(readme, r[1]) {
			t.Errorf("README has no %s, of which scaling.md says that it does", r[1])
		}
	}
	if len(rows) < 5 {
		t.Errorf("%d rows are from README", len(rows))
	}
}

// The sum of all cells is that of one, a hundred times.
func TestScalingSum(t *testing.T) {
	row := regexp.MustCompile(`(?m)^\| ([^|]+) \| ([\d.]+) \| ([\d,]+) \|$`)
	rows := row.FindAllStringSubmatch(readFile(t, "scaling.md"), -1)
	for _, r := range rows {
		cell, _ := parse(r[2])
		all, _ := parse(r[3])
		if math.Abs(cell*100-all) > 1e-6 {
			t.Errorf("%s: %s in a cell, and %s in all", r[1], r[2], r[3])
		}
	}
	if len(rows) < 5 {
		t.Errorf("the sum has %d rows", len(rows))
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
