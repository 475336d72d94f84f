package endurance

import (
	"runtime"
	"strings"
)

// engine begins the names of the functions whose memory is not looked for. The
// store's engine takes and gives back memory by the megabyte, when it likes; how
// much at most is a setting.
const engine = "github.com/cockroachdb/"

// heap returns how many bytes this process has alive that the engine did not ask
// for. Every allocation has to have been profiled.
func heap() (bytes int64) {
	for range 3 { // pools are empty after the second
		runtime.GC()
	}
	var profile []runtime.MemProfileRecord
	n, ok := runtime.MemProfile(nil, false)
	for !ok {
		profile = make([]runtime.MemProfileRecord, n+100)
		n, ok = runtime.MemProfile(profile, false)
	}
	for i := range profile[:n] {
		if !isEngine(profile[i].Stack()) {
			bytes += profile[i].InUseBytes()
		}
	}
	return bytes
}

func isEngine(stack []uintptr) bool {
	for frames := runtime.CallersFrames(stack); ; {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, engine) {
			return true
		}
		if !more {
			return false
		}
	}
}
