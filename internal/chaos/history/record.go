package history

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// corrupt begins the name of a record whose data is not as it was sent. No record
// is sent under such a name.
const corrupt = "corrupt:"

// mostPadding bounds the padding of a record, in bytes.
const mostPadding = 1 << 20

// Data returns the data of a record with this name, and with padding of up to
// most bytes, [mostPadding] at most, that follows from the name. It is one line of letters, digits,
// dots and spaces.
func Data(name string, most int) string {
	return fmt.Sprintf("%s %d %s", name, most, padding(name, most))
}

// Name returns the name of a record by its data. If that was altered the name is
// one that no record was sent under.
func Name(data string) string {
	var name string
	var most int
	_, err := fmt.Sscanf(data, "%s %d ", &name, &most)
	if err != nil || most > mostPadding || data != Data(name, most) {
		return corrupt + data[:min(len(data), 80)]
	}
	return name
}

func padding(name string, most int) string {
	if most <= 0 {
		return ""
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return strings.Repeat("x", int(h.Sum32()%uint32(most)))
}
