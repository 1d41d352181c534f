package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// harm is a way to break a law of the figures: a sound call of an agent's day is told with one fact left out, told
// twice or told wrongly, or a row is changed behind the house's back.
type harm struct {
	law, name string
	spoil     func([]ledger.Fact) []ledger.Fact // of a whole call and its agent's states
	sql       string                            // instead; %s is the contact of a sound call
	act       func(*testing.T, *House)          // instead: something outside the database
	subject   string                            // what the doctor has to name; %s as above, %a the agent, empty: the contact
}

// harms hold at least one for every law. Those by SQL come last: they harm the sound calls, too.
var harms = []harm{
	{law: "report.ends", name: "a contact without a start", spoil: without("contact.started")},
	{law: "report.ends", name: "a contact with two ends", spoil: twice("contact.ended")},
	{law: "report.legs", name: "a leg without an end", spoil: without("leg.ended caller")},
	{law: "report.legs", name: "a leg without a start", spoil: without("leg.started agent")},
	{law: "report.legs", name: "a leg with two ends", spoil: twice("leg.ended agent")},
	{law: "report.legs", name: "a leg longer than its parts", spoil: changed("leg.ended caller", func(b event.LegEnded) event.Body { b.TalkMs /= 2; return b })},
	{law: "report.legs", name: "a leg shorter than its parts", spoil: changed("leg.ended agent", func(b event.LegEnded) event.Body { b.HoldMs += 5000; return b })},
	{law: "report.states", name: "a change of state is missing", spoil: without("agent.changed wrapup")},
	{law: "report.states", name: "a change of state came twice", spoil: twice("agent.changed wrapup")},
	{law: "report.line", name: "a state that begins later than the one before ended", spoil: changed("agent.changed talking", func(b event.AgentChanged) event.Body { b.WasSince += 1000; return b })},
	{law: "report.line", name: "a state nobody was in", spoil: changed("agent.changed talking", func(b event.AgentChanged) event.Body { b.Was = event.Away; return b })},
	{law: "report.winner", name: "two agents answered", spoil: twice("contact.answered")},
	{law: "report.talk", name: "billed for an hour after the leg", spoil: changed("agent.changed talking", func(b event.AgentChanged) event.Body { b.WasMs += 3_600_000; return b })},
	{law: "report.presence", name: "open, and nobody has it", spoil: without("contact.ended")},
	{law: "report.recount", name: "a figure nobody counted", sql: `UPDATE report_queue SET answered = answered + 1 WHERE slot >= 0`, subject: "queue "},
	{law: "report.recount", name: "a row that is gone", sql: `DELETE FROM report_topic`, subject: "topic "},
	{law: "report.recount", name: "an agent's time", sql: `UPDATE report_time SET ms = ms + 1 WHERE slot >= 0`, subject: "time "},
	{law: "report.rates", name: "queues and agents disagree", sql: `UPDATE report_agent SET answered = answered + 7 WHERE slot >= 0`, subject: "20"},
	{law: "report.paths", name: "a way nobody went", sql: `INSERT INTO report_path (day, site, flow, version, node, what, port, to_node, n)
		VALUES ('2999-12-31', 'gz', 'main', 1, 'menu', 'left', '', '', 1)`, subject: "path "},
	{law: "customer.contact.owned", name: "a contact of nobody", sql: `UPDATE customer_contact SET person = 'ghost' WHERE contact = '%s'`},
	{law: "customer.person.counted", name: "a person's contacts", sql: `UPDATE customer_person SET contacts = contacts + 1 WHERE id = '01PERSON'`, subject: "01PERSON"},
	{law: "customer.identifier.owned", name: "an identifier of nobody", sql: `UPDATE customer_identifier SET person = 'ghost', value = 'of-nobody'`, subject: "of-nobody"},
	{law: "identity.audit", name: "an entry was changed", sql: `UPDATE audit_entry SET subject = '{"code":"another"}'`, subject: "kapok"},
	{law: "voice.recording.files", name: "a recording without its file", sql: recordingRow("REC1", "recordings/none.krec", "0, 0"), subject: "REC1"},
	{law: "voice.recording.files", name: "erased, and the file is there", sql: recordingRow("REC2", "kapok.db", "1, 1"), subject: "REC2"},
	{law: "voice.recording.files", name: "a file nobody knows", act: strayRecording, subject: "REC3"},
	{law: "voice.recording.proofs", name: "erased without a proof", sql: recordingRow("REC4", "recordings/gone.krec", "1, 1"), subject: "REC4"},
	{law: "outbound.tries", name: "an attempt nobody told of", sql: attemptRow("OUT1", "P1", 1, "busy"), subject: "01OUT1"},
	{law: "outbound.once", name: "called while being called", sql: attemptRow("OUT2", "P1", 2, "busy"), subject: "01OUT"},
	{law: "outbound.alone", name: "rung by a list while a list rings them", act: rungTwice, subject: "RUNGTWICE2"},
	{law: "voice.park.slots", name: "a slot of nobody", act: straySlot, subject: "PARKED"},
	{law: "voice.callbacks", name: "a promise nobody told of", act: promiseRow("CB1", "open"), subject: "CB1"},
	{law: "voice.callbacks", name: "a promise without its end", act: promiseRow("CB2", "reached"), subject: "CB2"},
	{law: "missed.open", name: "a missed caller nobody heard of", sql: missedRow("MISS1", "open"), subject: "MISS1"},
	{law: "missed.closed", name: "done, and the ledger does not know", sql: missedRow("MISS2", "reached"), subject: "MISS2"},
	{law: "missed.attempts", name: "a call that was answered is said to be missed", sql: `INSERT INTO missed_miss (contact, row_id, at, kind, queue, site, wait_ms, recording)
		VALUES ('%s', 'MISS1', 1, 'abandoned', '', 'gz', 1, '')`},
	{law: "caller.limited", name: "turned away for calls nobody answered", spoil: limitedFor(contact.LimitOften, contact.LimitLast)},
	{law: "caller.limited", name: "turned away, and answered all the same", spoil: limitedFor(contact.LimitMark, contact.LimitMessage)},
	{law: "caller.marks", name: "a mark one person made alone", sql: `INSERT INTO caller_mark (code, body) VALUES ('MARK1',
		'{"code":"MARK1","number":"13900000137","reason":"x","from":1,"until":2,"do":"last","asked":"1001","approved":"1001"}')`, subject: "MARK1"},
	{law: "ledger.seqs", name: "a fact was taken out", sql: `DELETE FROM ledger_fact WHERE subject = '%s' AND kind = 'contact.queued'`, subject: "*"},
	{law: "ledger.folds", name: "a fold stays behind", sql: `UPDATE ledger_fold SET live = FALSE WHERE name = 'report'`, subject: "report"},
}

// TestTheDoctorNamesEveryBrokenLaw: a sound day breaks no law; each harm is named by the law it breaks, with the contact,
// agent or row it is about. A law without a harm here could be one that never fails.
func TestTheDoctorNamesEveryBrokenLaw(t *testing.T) {
	h := openTest(t)
	for i := range 3 {
		sound(t, h, fmt.Sprintf("SOUND%d", i), nil)
	}
	check(t, h.identity.Write(t.Context(), web.Entry{Action: "POST /api/v1/test", Outcome: "ok", Subject: map[string]string{"code": "1001"}}))
	for _, text := range []string{
		`INSERT INTO customer_person (id, name, kind, first_at, last_at, contacts) VALUES ('01PERSON', '', 'person', 1, 1, 0)`,
		`INSERT INTO customer_identifier (kind, value, person, at) VALUES ('tax', 'its-own', '01PERSON', 1)`,
	} {
		_, err := store.Exec(t.Context(), h.db, text)
		check(t, err)
	}
	d := h.diagnose(t.Context())
	if !d.Healthy {
		t.Fatalf("a sound day is ill: %+v", d)
	}
	for _, f := range d.Findings {
		if !slices.ContainsFunc(harms, func(x harm) bool { return x.law == f.Name }) {
			t.Errorf("the law %s has no test in which it breaks: add a harm to app/doctor_test.go", f.Name)
		}
	}
	for i, x := range harms {
		t.Run(x.law+": "+x.name, func(t *testing.T) {
			c := contactOf("SOUND0")
			switch {
			case x.spoil != nil:
				c = sound(t, h, fmt.Sprintf("HARM%02d", i), x.spoil)
			case x.act != nil:
				x.act(t, h)
			case strings.Contains(x.sql, "%s"):
				_, err := store.Exec(t.Context(), h.db, fmt.Sprintf(x.sql, c))
				check(t, err)
			default:
				_, err := store.Exec(t.Context(), h.db, x.sql)
				check(t, err)
			}
			named(t, h, x, c, fmt.Sprintf("HARM%02d", i))
		})
	}
}

// named fails when the doctor does not name the harm. What lies outside the database may be seen a moment later.
func named(t *testing.T, h *House, x harm, contact, agent string) {
	t.Helper()
	want := x.subject
	if want == "" {
		want = contact
		if x.law == "report.states" || x.law == "report.line" {
			want = agent
		}
	}
	var found []ledger.Breach
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		d := h.diagnose(t.Context())
		if len(d.Errors) > 0 {
			t.Fatal(d.Errors)
		}
		i := slices.IndexFunc(d.Findings, func(f ledger.Finding) bool { return f.Name == x.law })
		if i < 0 {
			t.Fatalf("there is no law %s", x.law)
		}
		found = d.Findings[i].Breaches
		if !d.Healthy && slices.ContainsFunc(found, func(b ledger.Breach) bool { return want == "*" || strings.HasPrefix(b.Subject, want) }) {
			return
		}
		if x.act == nil || time.Now().After(end) {
			t.Fatalf("%s names %v, want %s", x.law, found, want)
		}
	}
}

// limitedFor puts a rule about callers into a sound call, before it comes to its queue.
func limitedFor(by, do string) func([]ledger.Fact) []ledger.Fact {
	return func(facts []ledger.Fact) []ledger.Fact {
		i := slices.IndexFunc(facts, func(f ledger.Fact) bool { return f.Kind == "contact.queued" })
		f := ledger.From(event.ContactLimited{By: by, Do: do, Queue: "general", Calls: 3, WithinMin: 60}, facts[i].Subject, "", facts[i].Place)
		f.At = facts[i].At
		return slices.Insert(slices.Clone(facts), i, f)
	}
}

// straySlot is a slot for somebody who is not there.
func straySlot(t *testing.T, h *House) {
	t.Helper()
	_, err := store.Exec(t.Context(), h.db, `INSERT INTO voice_park (slot, contact, node, at) VALUES (98, 'PARKED', ?, 1)`, string(h.o.Node))
	check(t, err)
}

// recordingRow is a row of a recording: its file, and when it was erased and whether the file was.
func recordingRow(recording, file, erased string) string {
	return `INSERT INTO voice_recording (id, contact, at, place, file, ms, left_db, right_db, erased_at, shredded)
		VALUES ('` + recording + `', '01DOCTOR', 1, 'gz', '` + file + `', 1, 0, 0, ` + erased + `)`
}

// attemptRow is a row of an attempt to reach a person, that lasted a second.
func attemptRow(contact, person string, try int, how string) string {
	return fmt.Sprintf(`INSERT INTO outbound_try (contact, person, list, site, agent, mode, try, day, at, reached_at, ended_at, how, result, note)
		VALUES ('01%s', '%s', 'visit', 'gz', '1001', 'preview', %d, '2026-11-23', 1000, 0, 2000, '%s', '', '')`, contact, person, try, how)
}

// rungTwice tells of two calls from lists to one person at the same time.
func rungTwice(t *testing.T, h *House) {
	t.Helper()
	for i, f := range []ledger.Fact{
		ledger.From(event.CalloutBegun{Agent: "2001", Number: "013800009999", Purpose: "missed"}, "RUNGTWICE1", "2001", "gz"),
		ledger.From(event.CalloutBegun{Agent: "2002", Number: "013800009999", Purpose: "outbound"}, "RUNGTWICE2", "2002", "gz"),
		ledger.From(event.CalloutEnded{Agent: "2001", Purpose: "missed", Result: event.OutBusy}, "RUNGTWICE1", "2001", "gz"),
		ledger.From(event.CalloutEnded{Agent: "2002", Purpose: "outbound", Result: event.OutBusy}, "RUNGTWICE2", "2002", "gz"),
	} {
		f.At = h.clock.Now().Add(time.Duration(i*5) * time.Second).UnixMilli()
		check(t, h.ledger.Append(t.Context(), f))
	}
}

// promiseRow is a promise to call back that was made an hour ago and is not in the ledger.
func promiseRow(code, state string) func(*testing.T, *House) {
	return func(t *testing.T, h *House) {
		t.Helper()
		_, err := store.Exec(t.Context(), h.db, `INSERT INTO voice_callback (id, node, contact, queue, entered_at, since, site, line, number, caller, lang, priority,
			needs, asked_at, due_at, tries, most, every_ms, state, ended_at) VALUES (?, 'gone', '01DOCTOR', 'general', 1, 1, 'gz', '', ?, '', '', 0, '[]', ?, 0, 0, 3, 1, ?, 0)`,
			code, "0139"+code, h.clock.Now().Add(-time.Hour).UnixMilli(), state)
		check(t, err)
	}
}

// missedRow is a row of a missed caller.
func missedRow(row, state string) string {
	return `INSERT INTO missed_row (id, number, also, site, queue, kind, opened_at, last_at, attempts, longest_ms, due_day, ring_day, again_at,
		recording, owner, tries, first_day, tried_at, result, note, state, closed_at, closed_day, closed_by)
		VALUES ('` + row + `', '` + row + `', '', 'gz', '', 'abandoned', 1, 1, 1, 9000, '', '', 0, '', '', 0, '', 0, '', '', '` + state + `', 5, '1970-01-01', '1001')`
}

func strayRecording(t *testing.T, h *House) {
	t.Helper()
	dir := filepath.Join(h.o.Data, "recordings")
	check(t, os.MkdirAll(dir, 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "REC3.01DOCTOR.gz.krec"), []byte("sound"), 0o600))
}

func contactOf(name string) string { return "01DOCTOR" + name }

// sound tells a whole call with the day of the agent who took it, spoilt or not, and gives the contact.
func sound(t *testing.T, h *House, name string, spoil func([]ledger.Fact) []ledger.Fact) string {
	t.Helper()
	facts := wholeCall(contactOf(name), name, h.clock.Now().Add(-time.Hour).UnixMilli())
	if spoil != nil {
		facts = spoil(facts)
	}
	check(t, h.ledger.Append(t.Context(), facts...))
	return contactOf(name)
}

// wholeCall is a call of two minutes: 10 s in the queue, 4 s of them ringing, 100 s of talk with 20 s on hold, and
// the agent's states from sign-in to sign-out.
func wholeCall(of, agent string, at int64) []ledger.Fact {
	c, a, q := id.Contact(of), id.User(agent), id.Queue("general")
	entered, rang, answered, over := at, at+6000, at+10_000, at+130_000
	call := func(at int64, b event.Body) ledger.Fact {
		return ledger.Fact{At: at, Kind: b.Kind(), Subject: of, Place: "gz", Body: ledger.Body(b)}
	}
	states := func(at int64, b event.Body) ledger.Fact {
		return ledger.Fact{At: at, Kind: b.Kind(), Subject: agent, Place: "gz", Body: ledger.Body(b)}
	}
	change := func(at int64, was, now event.AgentState, ms int64, with id.Contact) ledger.Fact {
		return states(at, event.AgentChanged{State: now, Was: was, WasSince: at - ms, WasMs: ms, Contact: with, Queue: q, EnteredAt: entered, By: "brain"})
	}
	return []ledger.Fact{
		states(at-10_000, event.AgentSignedIn{}),
		change(at-10_000, event.SignedOut, event.Ready, 0, ""),
		call(at, event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: "013900000137", To: "12366", Number: "12366"}),
		call(at, event.LegStarted{Leg: id.Leg(of + "-c"), Role: "caller"}),
		call(at, event.LegAnswered{Leg: id.Leg(of + "-c")}),
		call(entered, event.ContactQueued{Queue: q, EnteredAt: entered, First: true, Caller: "013900000137"}),
		call(rang, event.ContactOffered{Offer: id.Offer(of), Queue: q, Agent: a, EnteredAt: entered}),
		change(rang, event.Ready, event.Ringing, 16_000, ""),
		call(rang, event.LegStarted{Leg: id.Leg(of + "-a"), Role: "agent", Agent: a, Queue: q}),
		call(answered, event.LegAnswered{Leg: id.Leg(of + "-a")}),
		call(answered, event.ContactAnswered{Offer: id.Offer(of), Queue: q, Agent: a, EnteredAt: entered, WaitMs: 10_000}),
		change(answered, event.Ringing, event.Talking, 4000, ""),
		call(over, event.LegEnded{Leg: id.Leg(of + "-a"), Role: "agent", Agent: a, Queue: q, EnteredAt: entered, RingMs: 4000, TalkMs: 100_000, HoldMs: 20_000}),
		call(over, event.LegEnded{Leg: id.Leg(of + "-c"), Role: "caller", TalkMs: 130_000}),
		call(over, event.ContactEnded{By: contact.ByCaller, Outcome: contact.Answered, Ms: 130_000}),
		change(over, event.Talking, event.Wrapup, 120_000, c),
		change(over+30_000, event.Wrapup, event.Ready, 30_000, c),
		change(over+40_000, event.Ready, event.SignedOut, 10_000, ""),
		states(over+40_000, event.AgentSignedOut{Ms: 180_000}),
	}
}

// is finds a fact by its kind and a word more: a leg's role, the state that was.
func is(f ledger.Fact, what string) bool {
	kind, more, _ := strings.Cut(what, " ")
	return f.Kind == kind && (more == "" || strings.Contains(string(f.Body), `"role":"`+more+`"`) || strings.Contains(string(f.Body), `"was":"`+more+`"`))
}

func without(what string) func([]ledger.Fact) []ledger.Fact {
	return func(facts []ledger.Fact) []ledger.Fact {
		i := slices.IndexFunc(facts, func(f ledger.Fact) bool { return is(f, what) })
		return slices.Delete(facts, i, i+1)
	}
}

func twice(what string) func([]ledger.Fact) []ledger.Fact {
	return func(facts []ledger.Fact) []ledger.Fact {
		i := slices.IndexFunc(facts, func(f ledger.Fact) bool { return is(f, what) })
		return slices.Insert(facts, i, facts[i])
	}
}

func changed[T any](what string, how func(T) event.Body) func([]ledger.Fact) []ledger.Fact {
	return func(facts []ledger.Fact) []ledger.Fact {
		i := slices.IndexFunc(facts, func(f ledger.Fact) bool { return is(f, what) })
		var b T
		if err := json.Unmarshal(facts[i].Body, &b); err != nil {
			panic(err) // written a moment ago
		}
		facts[i].Body = ledger.Body(how(b))
		return facts
	}
}
