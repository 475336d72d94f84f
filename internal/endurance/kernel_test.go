package endurance

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
)

// inKernel returns how many bytes the system holds of what was written to
// connections on loopback and not read, by the port of the reader (proc(5),
// /proc/net/tcp: the queues of both ends).
func inKernel(conns []*follower) (held map[int]int64, err error) {
	held = map[int]int64{}
	for _, f := range conns {
		held[f.conn.LocalAddr().(*net.TCPAddr).Port] = 0
	}
	table, err := os.Open("/proc/net/tcp")
	if err != nil {
		return nil, err
	}
	defer table.Close()
	lines := bufio.NewScanner(table)
	lines.Scan() // the titles
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		var address, local, remote, state int
		var sending, receiving int64
		_, err := fmt.Sscanf(strings.Join(fields[1:5], " "), "%x:%x %x:%x %x %x:%x", &address, &local, &address, &remote, &state, &sending, &receiving)
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", lines.Text(), err)
		}
		if _, ok := held[remote]; ok {
			held[remote] += sending
		}
		if _, ok := held[local]; ok {
			held[local] += receiving
		}
	}
	return held, lines.Err()
}
