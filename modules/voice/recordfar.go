package voice

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Others reaches what other processes of the house hold: the recordings on their disks, the calls on their lines.
// Faults of kind Unavailable say that a process does not answer.
type Others interface {
	// Sealed gives up to n bytes of a recording's file as it lies there, from an offset on, and the file's whole size.
	Sealed(ctx context.Context, at id.Node, recording string, from int64, n int) (part []byte, size int64, err error)
	// Erase has a recording destroyed there, with the proof.
	Erase(ctx context.Context, at id.Node, recording, actor, why string) error
	// Rewrap has recordings put under the newest master key there.
	Rewrap(ctx context.Context, at id.Node, by string) (done int64, err error)
	// Pause stops the recording of a talk, or has it go on, at whatever process holds the call.
	Pause(ctx context.Context, c id.Contact, by id.User, on bool) error
}

// SealedMost bounds what is asked of another disk at once: eight seconds and more of a talk.
const SealedMost = 256 << 10

// elsewhere says whether a recording's file lies with another process.
func (m *Module) elsewhere(r fileRow) bool {
	return m.deps.Others != nil && r.node != "" && r.node != string(m.deps.Node)
}

// lost is the fault for what the process that has a recording cannot be asked.
func lost(r fileRow, err error) error {
	if f, ok := errors.AsType[*fault.Fault](err); ok && f.Kind != fault.Unavailable {
		return err
	}
	return fault.New(fault.Unavailable, "voice.recording.elsewhere", "node", r.node).Because(err)
}

// farFile reads a recording's file on another disk. It stays sealed on the way and is opened here.
type farFile struct {
	ctx  context.Context //nolint:containedctx // of the request that hears it
	m    *Module
	row  fileRow
	size int64

	mu    sync.Mutex
	at    int64 // where last begins; a multiple of SealedMost
	last  []byte
	first []byte // the head, which is read again and again
}

// openFar opens a recording on another disk.
func (m *Module) openFar(ctx context.Context, r fileRow) (*farFile, error) {
	f := &farFile{ctx: ctx, m: m, row: r}
	part, size, err := m.deps.Others.Sealed(ctx, id.Node(r.node), r.id, 0, SealedMost)
	if err != nil {
		return nil, lost(r, err)
	}
	f.first, f.last, f.size = part, part, size
	return f, nil
}

// ReadAt is io.ReaderAt.
func (f *farFile) ReadAt(p []byte, off int64) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n < len(p) {
		if off+int64(n) >= f.size {
			return n, io.EOF
		}
		part, err := f.part(off + int64(n))
		if err != nil {
			return n, err
		}
		n += copy(p[n:], part)
	}
	return n, nil
}

// part gives what is there from an offset on.
func (f *farFile) part(off int64) ([]byte, error) {
	at := off / SealedMost * SealedMost
	have := f.last
	switch at {
	case 0:
		have = f.first
	case f.at:
	default:
		got, _, err := f.m.deps.Others.Sealed(f.ctx, id.Node(f.row.node), f.row.id, at, SealedMost)
		if err != nil {
			return nil, lost(f.row, err)
		}
		f.at, f.last, have = at, got, got
	}
	if off-at >= int64(len(have)) {
		return nil, io.ErrUnexpectedEOF
	}
	return have[off-at:], nil
}

// Close is io.Closer.
func (f *farFile) Close() error { return nil }

// openFile opens a recording's file, here or where it lies.
func (m *Module) openFile(ctx context.Context, r fileRow) (file interface {
	io.ReaderAt
	io.Closer
}, size int64, err error,
) {
	if m.elsewhere(r) {
		f, err := m.openFar(ctx, r)
		if err != nil {
			return nil, 0, err
		}
		return f, f.size, nil
	}
	f, err := os.Open(m.vault.path(r.file))
	if err != nil {
		return nil, 0, fault.New(fault.NotFound, "voice.recording.file", "recording", r.id).Because(err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// openRow opens a recording; its caller has asked for the right.
func (m *Module) openRow(ctx context.Context, r fileRow) (*audio.Recording, io.Closer, error) {
	if r.erasedAt > 0 {
		return nil, nil, fault.New(fault.NotFound, "voice.recording.erased", "recording", r.id)
	}
	f, size, err := m.openFile(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	rec, err := audio.OpenRecording(f, size, m.keyFinder(ctx))
	if err != nil {
		return nil, nil, errors.Join(fault.New(fault.Internal, "voice.recording.unreadable").Because(err), f.Close())
	}
	return rec, f, nil
}

// onThisDisk gives a recording another process asks about: its file must lie here.
func (m *Module) onThisDisk(ctx context.Context, recording string) (fileRow, error) {
	r, err := m.fileOf(ctx, recording)
	switch {
	case err != nil:
		return r, err
	case r.erasedAt > 0:
		return r, fault.New(fault.Conflict, "voice.recording.erased", "recording", recording)
	case r.node != "" && r.node != string(m.deps.Node):
		return r, fault.New(fault.NotFound, "voice.recording.file", "recording", recording)
	}
	return r, nil
}

// SealedHere answers Others.Sealed of another process, which has asked for the right and opens what it gets.
func (m *Module) SealedHere(ctx context.Context, recording string, from int64, n int) (part []byte, size int64, err error) {
	r, err := m.onThisDisk(ctx, recording)
	if err != nil {
		return nil, 0, err
	}
	f, size, err := m.openFile(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close() //nolint:errcheck // only read
	if from < 0 || from > size || n < 0 {
		return nil, 0, fault.New(fault.Invalid, "voice.recording.file", "recording", recording)
	}
	part = make([]byte, min(int64(n), SealedMost, size-from))
	if _, err := f.ReadAt(part, from); err != nil {
		return nil, 0, fault.New(fault.Unavailable, "voice.recording.file", "recording", recording).Because(err)
	}
	return part, size, nil
}

// EraseHere answers Others.Erase of another process, which has asked for the right.
func (m *Module) EraseHere(ctx context.Context, recording, actor, why string) error {
	r, err := m.onThisDisk(ctx, recording)
	if err != nil {
		return err
	}
	return m.eraseByPerson(ctx, r, actor, why)
}

// eraseByPerson destroys a recording at somebody's word, wherever it lies.
func (m *Module) eraseByPerson(ctx context.Context, r fileRow, actor, why string) error {
	if r.held != "" {
		return fault.New(fault.Conflict, "voice.recording.locked", "recording", r.id)
	}
	if m.elsewhere(r) {
		if err := m.deps.Others.Erase(ctx, id.Node(r.node), r.id, actor, why); err != nil {
			return lost(r, err)
		}
		return nil
	}
	return m.erase(ctx, r, erasure{by: "person", actor: actor, why: why})
}

// RewrapHere answers Others.Rewrap of another process.
func (m *Module) RewrapHere(ctx context.Context, by string) (int64, error) {
	done, _, err := m.rewrap(ctx, by)
	return done, err
}

// rewrapAll puts recordings under the newest master key here and at every process that answers; left says how many stay
// under older ones.
func (m *Module) rewrapAll(ctx context.Context, by string) (done, left int64, err error) {
	done, left, err = m.rewrap(ctx, by)
	if err != nil || left == 0 || m.deps.Others == nil {
		return done, left, err
	}
	newest, _, _ := m.vault.newest()
	nodes, err := store.All(ctx, m.deps.DB, `SELECT DISTINCT node FROM voice_recording WHERE erased_at = 0 AND key_id <> ? AND node NOT IN ('', ?)`, store.Col[string], newest, string(m.deps.Node))
	if err != nil {
		return done, left, err
	}
	for _, n := range nodes {
		more, err := m.deps.Others.Rewrap(ctx, id.Node(n), by)
		if err != nil {
			m.deps.Log.Warn("recordings of another process stay under an older key", "node", n, "err", err)
		}
		done += more
	}
	left, err = store.One(ctx, m.deps.DB, `SELECT COUNT(*) FROM voice_recording WHERE erased_at = 0 AND key_id <> ?`, store.Col[int64], newest)
	return done, left, err
}
