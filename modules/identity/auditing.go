package identity

import (
	"context"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audit"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Write puts a request into the audit: it fills web.Auditor.
func (m *Module) Write(ctx context.Context, e web.Entry) error {
	session := e.Caller.Session
	if session == "" {
		session = e.Caller.Token
	}
	return m.audit.Append(ctx, audit.Entry{
		Actor: e.Caller.User, Site: e.Caller.Site, IP: e.Origin.IP, Session: session, Action: e.Action,
		Subject: e.Subject, Outcome: e.Outcome, Detail: e.Detail, Request: e.Origin.Request,
	})
}

// Invariants gives the law that the audit was not tampered with.
func (m *Module) Invariants() []ledger.Invariant {
	return []ledger.Invariant{{Name: "identity.audit", Check: func(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
		r, err := audit.Verify(ctx, db)
		if err != nil {
			return nil, err
		}
		var out []ledger.Breach
		for _, b := range r.Breaches {
			out = append(out, ledger.Breach{Subject: string(b.Node), Params: map[string]any{"seq": b.Seq, "what": b.What}})
		}
		return out, nil
	}}}
}

type auditIn struct {
	From   int64   `query:"from" minimum:"0" doc:"unix ms, included"`
	To     int64   `query:"to" minimum:"0" doc:"unix ms, excluded"`
	Actor  id.User `query:"actor" maxLength:"40"`
	Q      string  `query:"q" maxLength:"100" doc:"Part of the action, subject or detail"`
	Failed bool    `query:"failed" doc:"Only what did not go well"`
	After  string  `query:"after" maxLength:"300" doc:"The next of the page before"`
	Limit  int     `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// AuditView is an audit entry with its actor's name.
type AuditView struct {
	audit.Entry
	Name string `json:"name"`
}

type auditOut struct {
	Body struct {
		Items []AuditView `json:"items"`
		Next  string      `json:"next,omitempty"`
	}
}

// readAudit shows the entries of actors within the caller's sites; those of nobody (failed sign-ins) and of the
// system are shown to whoever reads the audit at the top of the tree.
func (m *Module) readAudit(ctx context.Context, in *auditIn) (*auditOut, error) {
	q := audit.Query{From: in.From, To: in.To, Actor: in.Actor, Words: in.Q, Failed: in.Failed, Page: store.Page{After: in.After, Limit: in.Limit}}
	if c := web.CallerOf(ctx); !c.System && m.snap.Load().sites[c.Site].Parent != "" {
		q.Sites = m.Subtree(c.Site)
	}
	s, err := m.audit.Read(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &auditOut{}
	out.Body.Next = s.Next
	for _, e := range s.Rows {
		p, _ := m.Person(e.Actor)
		out.Body.Items = append(out.Body.Items, AuditView{Entry: e, Name: p.Name})
	}
	return out, nil
}

type verifyOut struct {
	Body struct {
		audit.Report
		Heads []audit.Head `json:"heads" doc:"Note them elsewhere: they prove that nothing before was rewritten"`
	}
}

func (m *Module) verifyAudit(ctx context.Context, _ *struct{}) (*verifyOut, error) {
	heads, err := m.audit.Heads(ctx)
	if err != nil {
		return nil, err
	}
	out := &verifyOut{}
	out.Body.Heads = heads
	out.Body.Report, err = m.audit.Verify(ctx)
	return out, err
}
