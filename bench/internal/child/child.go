// Package child runs what is measured in a process of its own, so that what it
// uses can be told from what the load uses. The two talk in lines of JSON over
// the child's standard input and output; the child ends with its input.
package child

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"time"

	"github.com/freshet-stream/freshet/bench/internal/subject"
)

// A request is what the parent wants.
type request struct {
	// Do is usage, settle, work, profile or heap.
	Do string
	// For is how long to work.
	For time.Duration `json:",omitempty"`
	// Path is the file for a CPU profile, which lasts until the child ends, or
	// for a profile of the heap as it is.
	Path string `json:",omitempty"`
}

type reply struct {
	Error string `json:",omitempty"`
	Addr  string `json:",omitempty"`
	Usage Usage
	Done  int `json:",omitempty"`
}

// Main is the child's main function. spec is a [subject.Spec] in JSON.
func Main(spec string) error {
	var s subject.Spec
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		return fmt.Errorf("read what to measure: %w", err)
	}
	measured, err := subject.Open(s)
	if err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	answer := reply{Addr: measured.Addr}
	for {
		if err := out.Encode(answer); err != nil {
			return err
		}
		var r request
		if err := in.Decode(&r); errors.Is(err, io.EOF) {
			return measured.Close()
		} else if err != nil {
			return err
		}
		answer = do(measured, r)
	}
}

func do(s *subject.Subject, r request) (a reply) {
	var err error
	switch r.Do {
	case "usage", "settle":
		a.Usage, err = usage(r.Do == "settle")
	case "work":
		a.Done, err = s.Work(r.For)
	case "profile":
		var f *os.File
		if f, err = os.Create(r.Path); err == nil {
			err = pprof.StartCPUProfile(f)
		}
	case "heap":
		var f *os.File
		if f, err = os.Create(r.Path); err == nil {
			err = errors.Join(pprof.WriteHeapProfile(f), f.Close())
		}
	default:
		err = errors.ErrUnsupported
	}
	if err != nil {
		a.Error = fmt.Sprintf("%s: %v", r.Do, err)
	}
	return a
}
