package pebblestore

import (
	"context"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestSecondOpenerIsTold(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{Logger: quiet()}); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "another freshet has it open") {
		t.Errorf("opened twice: %v", err)
	}
	if out := child(t, "open", dir); !strings.Contains(out, dir) || !strings.Contains(out, "another freshet has it open") {
		t.Errorf("opened by a second process: %s", out)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	if out := child(t, "open", dir); out != "" {
		t.Errorf("opened after it was closed: %s", out)
	}
}

func TestUnknownFormatIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs, Options{})
	if err := s.db.Set([]byte{keyFormat}, []byte{format + 1, 1}, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := Open("data", Options{FS: fs, Logger: quiet()}); err == nil || !strings.Contains(err.Error(), "format 2") {
			t.Errorf("a store of the next format: %v", err)
		}
	}
}

func TestForeignDatabaseIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	db, err := pebble.Open("data", &pebble.Options{FS: fs, Logger: logger{newFatality("data", Options{Logger: quiet()})}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Set([]byte("k"), []byte("v"), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("data", Options{FS: fs, Logger: quiet()}); err == nil || !strings.Contains(err.Error(), "not one of freshet's") {
		t.Errorf("another program's database: %v", err)
	}
}

func TestIncarnationNumbersAreNotGivenOutTwice(t *testing.T) {
	fs := vfs.NewMem()
	seen := map[uint64]bool{}
	for range 5 {
		s := open(t, fs, Options{})
		for range 3 {
			n := s.incs.next()
			if seen[n] {
				t.Fatalf("number %d comes twice", n)
			}
			seen[n] = true
		}
		if _, err := s.Sweep(context.Background(), 1); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
