package pebblestore

import (
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A faultFS calls before at each sync of a file, which may wait or fail it.
type faultFS struct {
	vfs.FS
	before func(name string) error
}

func (f faultFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.wrap(name)(f.FS.Create(name, c))
}

func (f faultFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.wrap(name)(f.FS.ReuseForWrite(old, name, c))
}

func (f faultFS) wrap(name string) func(vfs.File, error) (vfs.File, error) {
	return func(file vfs.File, err error) (vfs.File, error) {
		if err != nil {
			return nil, err
		}
		return faultFile{File: file, before: func() error { return f.before(name) }}, nil
	}
}

type faultFile struct {
	vfs.File
	before func() error
}

func (f faultFile) Sync() error {
	if err := f.before(); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f faultFile) SyncData() error {
	if err := f.before(); err != nil {
		return err
	}
	return f.File.SyncData()
}

func (f faultFile) SyncTo(n int64) (bool, error) {
	if err := f.before(); err != nil {
		return false, err
	}
	return f.File.SyncTo(n)
}

// A gate holds up everything that comes to it while it is closed.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // nil while it is open
	held atomic.Int64
}

func (g *gate) pass(string) error {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut != nil {
		g.held.Add(1)
		<-shut
	}
	return nil
}

func (g *gate) hold() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = make(chan struct{})
}

func (g *gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}
