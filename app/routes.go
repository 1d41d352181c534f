package app

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/web"
)

// The rights of the house itself.
const (
	seeHealth right.Right = "platform.health.see"
	runHouse  right.Right = "platform.house.run" // drain, back up
)

// houseRoutes registers what concerns the house as a whole.
func (h *House) houseRoutes(api *web.API) {
	h.web.Declare(seeHealth, runHouse)
	h.web.Check("database", h.db.Ping)
	h.web.Check("voice", h.takesCalls)
	h.meters()
	web.Get(api, "/api/v1/doctor", seeHealth, "Check every invariant", func(ctx context.Context, _ *struct{}) (*struct{ Body diagnosis }, error) {
		return &struct{ Body diagnosis }{h.diagnose(ctx)}, nil
	})
	web.Get(api, "/api/v1/health", seeHealth, "How the parts are", h.health)
	web.Post(api, "/api/v1/drain", runHouse, "Take no new calls", h.drain)
	web.Post(api, "/api/v1/backup", runHouse, "Copy the database into a file on this machine", h.backup)
}

// takesCalls is a fault while a caller would be turned away: not started yet, or draining.
func (h *House) takesCalls(context.Context) error {
	select {
	case <-h.voice.Ready():
	default:
		return fault.New(fault.Unavailable, "platform.voice.starting")
	}
	if ok, why := h.voice.Healthy(); !ok {
		return fault.New(fault.Unavailable, "platform.voice.unwell", "why", why)
	}
	return nil
}

// PartHealth is how a part of the house is.
type PartHealth struct {
	Part   string         `json:"part"`
	OK     bool           `json:"ok"`
	Detail string         `json:"detail,omitempty"`
	Values map[string]any `json:"values,omitempty"`
}

type healthOut struct {
	Body struct {
		Version string       `json:"version"`
		At      int64        `json:"at"`
		Parts   []PartHealth `json:"parts"`
	}
}

func (h *House) health(ctx context.Context, _ *struct{}) (*healthOut, error) {
	out := &healthOut{}
	out.Body.Version, out.Body.At = Version(), h.clock.Now().UnixMilli()
	add := func(part string, ok bool, detail string, values map[string]any) {
		out.Body.Parts = append(out.Body.Parts, PartHealth{part, ok, detail, values})
	}
	err := h.db.Ping(ctx)
	add("database", err == nil, text(err), map[string]any{"engine": string(h.db.Engine())})
	waiting, lost := h.journal.Waiting()
	add("ledger", lost == 0 && waiting < 10000, "", map[string]any{"waiting": waiting, "lost": lost})
	ok, why := h.voice.Healthy()
	shed, shedding := h.voice.SIP().Shedding()
	add("voice", ok, why, map[string]any{"calls": h.voice.Calls(), "phones": h.voice.SIP().Registrar().Users(), "shedding": shedding, "shed_rate": shed})
	add("pages", true, "", map[string]any{"sockets": h.web.Hub().Len()})
	return out, nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

type drainOut struct {
	Body struct {
		Calls int `json:"calls"`
	}
}

func (h *House) drain(context.Context, *struct{}) (*drainOut, error) {
	h.voice.Drain()
	out := &drainOut{}
	out.Body.Calls = h.voice.Calls()
	return out, nil
}

type backupIn struct {
	Body struct {
		File string `json:"file" minLength:"1" doc:"absolute path on this machine"`
	}
}

type backupOut struct {
	Body struct {
		Bytes int64 `json:"bytes"`
	}
}

// backup writes the archive beside its final name and renames it, so that a half one is never taken for whole.
func (h *House) backup(ctx context.Context, in *backupIn) (*backupOut, error) {
	file := in.Body.File
	if !filepath.IsAbs(file) {
		return nil, fault.New(fault.Invalid, "platform.backup.path").At("file")
	}
	if err := h.journal.Flush(ctx); err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp(filepath.Dir(file), ".backup-*")
	if err != nil {
		return nil, fault.New(fault.Invalid, "platform.backup.folder", "folder", filepath.Dir(file)).Because(err)
	}
	defer os.RemoveAll(work) //nolint:errcheck // what is left is a hidden folder
	copied := filepath.Join(work, "database")
	if err := h.db.Backup(ctx, copied); err != nil {
		return nil, err
	}
	archive := filepath.Join(work, "archive")
	if err := h.pack(archive, copied); err != nil {
		return nil, err
	}
	info, err := os.Stat(archive)
	if err != nil {
		return nil, err
	}
	out := &backupOut{}
	out.Body.Bytes = info.Size()
	return out, os.Rename(archive, file)
}

// pack writes the archive: what it is, the database, and the list of recordings that belong to it.
func (h *House) pack(archive, database string) error {
	f, err := os.OpenFile(archive, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // closed with its error below when all went well
	t := tar.NewWriter(f)
	about := fmt.Sprintf("kapok backup\nversion %s\nengine %s\nat %s\n", Version(), h.db.Engine(), h.clock.Now().UTC().Format(time.RFC3339))
	if err := addBytes(t, "about.txt", []byte(about)); err != nil {
		return err
	}
	if err := addBytes(t, "recordings.txt", recordingList(h.o.Data)); err != nil {
		return err
	}
	if err := addFile(t, "database", database); err != nil {
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

func addBytes(t *tar.Writer, name string, content []byte) error {
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err := t.Write(content)
	return err
}

func addFile(t *tar.Writer, name, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}

// recordingList names every recording file with its size.
func recordingList(data string) []byte {
	var out []byte
	_ = filepath.WalkDir(filepath.Join(data, "recordings"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // a folder that is not there has no recordings
		}
		if info, err := d.Info(); err == nil {
			rel, _ := filepath.Rel(data, path)
			out = fmt.Appendf(out, "%d %s\n", info.Size(), filepath.ToSlash(rel))
		}
		return nil
	})
	return out
}
