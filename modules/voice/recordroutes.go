package voice

import (
	"context"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/web"
)

// recordRoutes registers what is asked of recordings beyond hearing them.
func (m *Module) recordRoutes(api *web.API) {
	web.Get(api, "/api/v1/recording-keys", ManageRecordings, "The master keys of recordings", m.getKeys)
	web.Post(api, "/api/v1/recording-keys", ManageRecordings, "Seal recordings under a new master key from now on", m.postKey)
	web.Post(api, "/api/v1/recording-keys/rewrap", ManageRecordings, "Put older recordings under the newest master key", m.postRewrap)
	web.Get(api, "/api/v1/recordings-due", ManageRecordings, "What the retention rules will delete", m.getDue)
	web.Post(api, "/api/v1/recordings/{id}/erase", ManageRecordings, "Destroy a recording, for a reason", m.postErase)
	web.Post(api, "/api/v1/recordings/{id}/hold", ManageRecordings, "Put a recording under a legal hold, or take it off", m.postHold)
	web.Post(api, "/api/v1/calls/{id}/recording", right.Own, "Stop recording my talk while something confidential is told, or go on", m.postPause, web.Quiet())
}

type keysOut struct{ Body []KeyView }

func (m *Module) getKeys(ctx context.Context, _ *none) (*keysOut, error) {
	all, err := m.ring(ctx)
	return &keysOut{Body: all}, err
}

func (m *Module) postKey(ctx context.Context, _ *none) (*keysOut, error) {
	if _, err := m.rotate(ctx, string(web.Principal(ctx).User)); err != nil {
		return nil, err
	}
	return m.getKeys(ctx, nil)
}

type rewrapOut struct {
	Body struct {
		Done int64 `json:"done"`
		Left int64 `json:"left" doc:"still under an older key: ask again; or on the disk of a process that does not answer"`
	}
}

func (m *Module) postRewrap(ctx context.Context, _ *none) (*rewrapOut, error) {
	out := &rewrapOut{}
	var err error
	out.Body.Done, out.Body.Left, err = m.rewrapAll(ctx, string(web.Principal(ctx).User))
	return out, err
}

type dueOut struct{ Body *Due }

func (m *Module) getDue(ctx context.Context, _ *none) (*dueOut, error) {
	d, err := m.due(ctx)
	return &dueOut{Body: d}, err
}

type reasonIn struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"2" maxLength:"500"`
	}
}

// managed gives a recording the caller may manage, and the reason said.
func (m *Module) managed(ctx context.Context, recording, reason string) (fileRow, string, error) {
	r, err := m.fileOf(ctx, recording)
	if err != nil {
		return r, "", err
	}
	if err := web.May(ctx, ManageRecordings, id.Site(r.place)); err != nil {
		return r, "", err
	}
	if r.erasedAt > 0 {
		return r, "", fault.New(fault.Conflict, "voice.recording.erased", "recording", recording)
	}
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return r, "", fault.New(fault.Invalid, "voice.recording.reason").At("reason")
	}
	return r, reason, nil
}

func (m *Module) postErase(ctx context.Context, in *reasonIn) (*recordingsOut, error) {
	r, why, err := m.managed(ctx, in.ID, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	if err := m.eraseByPerson(ctx, r, string(web.Principal(ctx).User), why); err != nil {
		return nil, err
	}
	all, err := m.Recordings(ctx, r.contact)
	return &recordingsOut{Body: all}, err
}

type holdIn struct {
	ID   string `path:"id"`
	Body struct {
		On     bool   `json:"on"`
		Reason string `json:"reason" minLength:"2" maxLength:"500"`
	}
}

func (m *Module) postHold(ctx context.Context, in *holdIn) (*recordingsOut, error) {
	r, why, err := m.managed(ctx, in.ID, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	if err := m.holdRecording(ctx, r, in.Body.On, string(web.Principal(ctx).User), why); err != nil {
		return nil, err
	}
	all, err := m.Recordings(ctx, r.contact)
	return &recordingsOut{Body: all}, err
}

type pauseIn struct {
	ID   id.Contact `path:"id"`
	Body struct {
		On bool `json:"on" doc:"true: record; false: stand still, three minutes at most"`
	}
}

func (m *Module) postPause(ctx context.Context, in *pauseIn) (*struct{}, error) {
	by := web.Principal(ctx).User
	if m.deps.Others != nil && !m.Alive(in.ID) {
		return nil, m.deps.Others.Pause(ctx, in.ID, by, !in.Body.On)
	}
	return nil, m.PauseRecording(ctx, in.ID, by, !in.Body.On)
}
