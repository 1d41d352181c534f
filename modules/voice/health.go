package voice

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
)

// TrunkView is how one way of a trunk is.
type TrunkView struct {
	Trunk  string `json:"trunk"`
	Target string `json:"target"`
	Up     bool   `json:"up"`
	Detail string `json:"detail,omitempty"`
	At     int64  `json:"at"`
}

type trunksOut struct{ Body []TrunkView }

func (m *Module) trunkStates(context.Context, *none) (*trunksOut, error) {
	out := &trunksOut{Body: []TrunkView{}}
	for _, h := range m.sip.TrunkStates() {
		out.Body = append(out.Body, TrunkView{Trunk: h.Trunk, Target: h.Target, Up: h.Up, Detail: h.Detail, At: h.At.UnixMilli()})
	}
	return out, nil
}

type onCode struct {
	Code string `path:"code"`
}

// StepView is one step of a trunk's test.
type StepView struct {
	What   string `json:"what"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

type stepsOut struct{ Body []StepView }

func (m *Module) testTrunk(ctx context.Context, in *onCode) (*stepsOut, error) {
	steps, err := m.sip.TestTrunk(ctx, in.Code)
	if err != nil {
		return nil, fault.New(fault.NotFound, "voice.trunk.unknown", "trunk", in.Code).Because(err)
	}
	out := &stepsOut{Body: []StepView{}}
	for _, s := range steps {
		out.Body = append(out.Body, StepView{What: s.Name + " " + s.Target, OK: s.OK, Detail: s.Detail})
	}
	return out, nil
}

// PhoneView is a desk phone and whether it can be rung.
type PhoneView struct {
	Code       id.Phone `json:"code"`
	Name       string   `json:"name"`
	Registered bool     `json:"registered" doc:"it can be rung"`
	Outside    bool     `json:"outside,omitempty" doc:"a mobile or landline that is called over a trunk"`
	From       string   `json:"from,omitempty"`
	Agent      string   `json:"agent,omitempty"` // what the phone calls itself
}

type phonesOut struct{ Body []PhoneView }

func (m *Module) phoneStates(context.Context, *none) (*phonesOut, error) {
	out := &phonesOut{Body: []PhoneView{}}
	s := m.snap.Load()
	for _, code := range sortedKeys(s.phones) {
		v := PhoneView{Code: code, Name: s.phones[code].Name}
		v.Outside, v.Registered = s.phones[code].Number != "", m.Registered(contact.Endpoint{Phone: code})
		if all := m.sip.Registrar().Lookup(string(code)); len(all) > 0 {
			v.From, v.Agent = all[0].Flow.Remote.String(), all[0].Agent
		}
		out.Body = append(out.Body, v)
	}
	return out, nil
}

// Healthy says whether calls are taken, and what is wrong otherwise.
func (m *Module) Healthy() (ok bool, why string) {
	switch {
	case m.draining.Load():
		return false, "draining"
	case m.alarm.Load():
		return true, "recordings fail"
	}
	return true, ""
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
