package voice

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
)

// otherDisk is a process with one file, which may stop answering.
type otherDisk struct {
	Others
	file  []byte
	asked int
	gone  bool
}

func (d *otherDisk) Sealed(_ context.Context, at id.Node, recording string, from int64, n int) ([]byte, int64, error) {
	if d.asked++; d.gone || at != "two" || recording != "r1" {
		return nil, 0, fault.New(fault.Unavailable, "bus.subject.unanswered")
	}
	return d.file[from:min(from+int64(n), int64(len(d.file)))], int64(len(d.file)), nil
}

func (d *otherDisk) Erase(context.Context, id.Node, string, string, string) error {
	if d.gone {
		return fault.New(fault.Unavailable, "bus.subject.unanswered")
	}
	return fault.New(fault.Conflict, "voice.recording.locked")
}

// A file on another process's disk reads as it lies there, in few questions; when that process is gone, it is said which.
func TestRowP4OnAnotherDisk(t *testing.T) {
	for _, size := range []int{1, 1000, SealedMost, SealedMost + 1, 3*SealedMost - 7} {
		d := &otherDisk{file: make([]byte, size)}
		r := rand.NewChaCha8([32]byte{1})
		_, _ = r.Read(d.file)
		m := &Module{deps: Deps{Others: d, Node: "one"}}
		row := fileRow{id: "r1", node: "two"}
		f, n, err := m.openFile(t.Context(), row)
		must(t, err)
		if n != int64(size) {
			t.Errorf("%d bytes, not %d", n, size)
		}
		got, err := io.ReadAll(io.NewSectionReader(f, 0, n))
		if err != nil || !bytes.Equal(got, d.file) {
			t.Errorf("%d bytes read as %d others: %v", size, len(got), err)
		}
		if most := size/SealedMost + 2; d.asked > most {
			t.Errorf("%d questions for %d bytes", d.asked, size)
		}
		for range 50 {
			off := rand.IntN(size)
			part := make([]byte, rand.IntN(size-off)+1)
			if got, err := f.ReadAt(part[:min(len(part), size-off)], int64(off)); err != nil || !bytes.Equal(part[:got], d.file[off:off+got]) {
				t.Fatalf("%d bytes at %d of %d: %v", len(part), off, size, err)
			}
		}
		if _, err := f.ReadAt(make([]byte, 2), int64(size)-1); !errors.Is(err, io.EOF) {
			t.Errorf("beyond the end: %v", err)
		}
		d.gone = true
		if _, _, err := m.openFile(t.Context(), row); fault.CodeOf(err) != "voice.recording.elsewhere" {
			t.Errorf("the process is gone: %v", err)
		}
		if err := m.eraseByPerson(t.Context(), row, "boss", "x"); fault.CodeOf(err) != "voice.recording.elsewhere" {
			t.Errorf("erased at a process that is gone: %v", err)
		}
		d.gone = false
		if err := m.eraseByPerson(t.Context(), row, "boss", "x"); fault.CodeOf(err) != "voice.recording.locked" {
			t.Errorf("its own reasons are said: %v", err)
		}
		row.held = "court"
		if err := m.eraseByPerson(t.Context(), row, "boss", "x"); fault.CodeOf(err) != "voice.recording.locked" {
			t.Errorf("a held one: %v", err)
		}
	}
}
