package voice

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// The rights over promises of a call back.
const (
	SeeCallbacks    right.Right = "voice.callback.see"
	ManageCallbacks right.Right = "voice.callback.manage"
)

// CallbackView is a promise as the page shows it. Times are unix ms.
type CallbackView struct {
	ID      string     `json:"id"`
	Contact id.Contact `json:"contact" doc:"the call in which they asked"`
	Number  string     `json:"number" doc:"to be called, masked"`
	Keyed   bool       `json:"keyed" doc:"another number than the one they called from"`
	Queue   id.Queue   `json:"queue"`
	Site    id.Site    `json:"site"`
	Since   int64      `json:"since" doc:"their place in the queue counts from here"`
	AskedAt int64      `json:"asked_at"`
	DueAt   int64      `json:"due_at" doc:"the next try, not before"`
	Tries   int        `json:"tries"`
	Most    int        `json:"most" doc:"tries made before it is given up"`
	Calling bool       `json:"calling" doc:"an agent is sought, or the person is being called"`
	State   string     `json:"state" enum:"open,reached,gave_up,came_back,dropped,cancelled"`
	EndedAt int64      `json:"ended_at"`
	EndedBy id.User    `json:"ended_by" doc:"of cancelled: who"`
	Why     string     `json:"why" doc:"of cancelled: the reason"`
}

func (m *Module) callbackRoutes(api *web.API) {
	web.Get(api, "/api/v1/voice/callbacks", SeeCallbacks, "Who is to be called back", m.getCallbacks)
	web.Post(api, "/api/v1/voice/callbacks/{id}/cancel", ManageCallbacks, "End a promise of a call back, for a reason; the person is not told", m.postCancel)
	web.Post(api, "/api/v1/voice/callbacks/{id}/now", ManageCallbacks, "Try to call the person back now", m.postNow)
}

const callbackColumns = `id, contact, number, caller, queue, site, since, asked_at, due_at, tries, most, calling_at, state, ended_at, ended_by, ended_why`

func scanCallback(r store.Scanner) (v CallbackView, err error) {
	var number, caller string
	var calling int64
	err = r.Scan(&v.ID, &v.Contact, &number, &caller, &v.Queue, &v.Site, &v.Since, &v.AskedAt, &v.DueAt, &v.Tries, &v.Most, &calling, &v.State, &v.EndedAt, &v.EndedBy, &v.Why)
	v.Number, v.Keyed, v.Calling = phone.Mask(number), number != caller, calling > 0
	return v, err
}

type callbacksIn struct {
	View  string   `query:"view" enum:"open,ended" default:"open"`
	Queue id.Queue `query:"queue"`
}

type callbacksOut struct{ Body []CallbackView }

// callbacksShown bounds a page; more promises than this are an alarm, not a list.
const callbacksShown = 500

func (m *Module) getCallbacks(ctx context.Context, in *callbacksIn) (*callbacksOut, error) {
	where, args := `state = 'open'`, []any{}
	order := `since, id`
	if in.View == "ended" {
		where, order = `state <> 'open' AND asked_at >= ?`, `ended_at DESC, id DESC`
		args = append(args, m.now().Add(-7*aDay).UnixMilli())
	}
	if in.Queue != "" {
		where, args = where+` AND queue = ?`, append(args, string(in.Queue))
	}
	all, err := store.All(ctx, m.deps.DB, `SELECT `+callbackColumns+` FROM voice_callback WHERE `+where+` ORDER BY `+order+` LIMIT ?`, scanCallback, append(args, callbacksShown)...)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(v CallbackView) bool { return web.May(ctx, SeeCallbacks, v.Site) != nil })
	for i := range all {
		all[i].Calling = all[i].Calling || m.callbacks.underWay(all[i].ID)
	}
	if all == nil {
		all = []CallbackView{}
	}
	return &callbacksOut{all}, nil
}

// underWay says whether this process is keeping a promise now.
func (k *callbacks) underWay(promise string) bool {
	p := k.find(promise)
	if p == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return p.call != nil
}

// managedCallback gives an open promise the caller may manage.
func (m *Module) managedCallback(ctx context.Context, promise string) (CallbackView, error) {
	v, err := store.One(ctx, m.deps.DB, `SELECT `+callbackColumns+` FROM voice_callback WHERE id = ?`, scanCallback, promise)
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && web.May(ctx, SeeCallbacks, v.Site) != nil:
		return v, fault.New(fault.NotFound, "voice.callback.none")
	case err != nil:
		return v, err
	case v.State != "open":
		return v, fault.New(fault.Conflict, "voice.callback.over", "state", v.State)
	}
	return v, web.May(ctx, ManageCallbacks, v.Site)
}

// CallbackReason says why a promise is ended.
type CallbackReason struct {
	Reason string `json:"reason" minLength:"2" maxLength:"200"`
}

type cancelIn struct {
	ID   string `path:"id" maxLength:"40"`
	Body CallbackReason
}

// CallbackDone is what became of an order about a promise.
type CallbackDone struct {
	Pending bool `json:"pending" doc:"another process holds the promise and does it within seconds"`
}

type callbackDoneOut struct{ Body CallbackDone }

func (m *Module) postCancel(ctx context.Context, in *cancelIn) (*callbackDoneOut, error) {
	v, err := m.managedCallback(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	why := strings.TrimSpace(in.Body.Reason)
	if why == "" {
		return nil, fault.New(fault.Invalid, "voice.callback.reason").At("reason")
	}
	web.Note(ctx, "reason", why)
	by := web.Principal(ctx).User
	if p := m.callbacks.find(v.ID); p != nil {
		if !m.callbacks.cancel(p, by, why) {
			return nil, fault.New(fault.Conflict, "voice.callback.over", "state", "")
		}
		return &callbackDoneOut{}, nil
	}
	return m.askHolder(ctx, v.ID, wantCancel, string(by), why)
}

type nowIn struct {
	ID string `path:"id" maxLength:"40"`
}

func (m *Module) postNow(ctx context.Context, in *nowIn) (*callbackDoneOut, error) {
	v, err := m.managedCallback(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if v.Calling || m.callbacks.underWay(v.ID) {
		return nil, fault.New(fault.Conflict, "voice.callback.calling")
	}
	if p := m.callbacks.find(v.ID); p != nil {
		if !m.callbacks.hurry(p) {
			return nil, fault.New(fault.Conflict, "voice.callback.calling")
		}
		return &callbackDoneOut{}, nil
	}
	return m.askHolder(ctx, v.ID, wantNow, string(web.Principal(ctx).User), "")
}

// askHolder has the process that holds a promise do something.
func (m *Module) askHolder(ctx context.Context, promise, what, by, why string) (*callbackDoneOut, error) {
	asked, err := m.callbacks.want(ctx, promise, what, by, why)
	if err == nil && !asked {
		err = fault.New(fault.Conflict, "voice.callback.over", "state", "")
	}
	return &callbackDoneOut{CallbackDone{Pending: true}}, err
}
