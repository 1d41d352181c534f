package desk

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// centre is a city centre of 33 phone seats and 14 other posts.
type centre struct{}

func (centre) Seats() (out []Workplace) {
	for i := range 33 {
		out = append(out, Workplace{
			Code: id.Seat(fmt.Sprintf("A%02d", i+1)), Site: "gz", Zone: "A", Kind: "phone", Row: i/11 + 1, Col: i%11 + 1,
			Port: fmt.Sprintf("A-%02d", i+1), Headset: fmt.Sprintf("H%02d", i+1), Phone: id.Phone(fmt.Sprintf("80%02d", i+1)),
		})
	}
	for i := range 14 {
		out = append(out, Workplace{Code: id.Seat(fmt.Sprintf("P%02d", i+1)), Site: "gz", Zone: "B", Kind: "post", Row: 1, Col: i + 1})
	}
	return out
}

func (c centre) Seat(code id.Seat) (Workplace, bool) {
	for _, w := range c.Seats() {
		if w.Code == code {
			return w, true
		}
	}
	return Workplace{}, false
}

// TestRowA3: the map shows 33 phone seats and 14 other posts, with zone, port, headset, phone and who is there in what
// state; a move to a free seat takes login, phone and rights along, a leader swaps two, both in the states they were
// in; nobody who talks is moved; nobody takes another's seat.
func TestRowA3(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	b.m.deps.Seats = centre{}
	leader, agent := b.As("leader"), b.As("agent") // the bench's users are called as their roles
	live := func() map[id.Seat]SeatView {
		t.Helper()
		var got struct{ Seats []SeatView }
		leader.Get("/api/v1/seats/live").OK().Into(&got)
		out := map[id.Seat]SeatView{}
		kinds := map[string]int{}
		for _, s := range got.Seats {
			out[s.Code] = s
			kinds[s.Kind]++
		}
		if kinds["phone"] != 33 || kinds["post"] != 14 {
			t.Fatalf("the map has %v", kinds)
		}
		return out
	}
	if s := live()["A12"]; s.Zone != "A" || s.Row != 2 || s.Col != 1 || s.Port != "A-12" || s.Headset != "H12" || s.Phone != "8012" || s.User != "" {
		t.Errorf("A12 is %+v", s)
	}
	in := func(u id.User, p id.Phone, state event.AgentState, reason string) {
		b.Post(b.now(), "gz", string(u), string(u), event.AgentSignedIn{Endpoint: contact.Endpoint{Agent: u, Phone: p}})
		b.change(u, state, reason, "")
	}
	at := func(u id.User, seat id.Seat, state event.AgentState) {
		t.Helper()
		deadline := time.Now().Add(5 * time.Second)
		for {
			s := live()[seat]
			if s.User == u && (u == "" || s.State == state) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("at %s is %q %s, want %q %s", seat, s.User, s.State, u, state)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	in("1001", "8001", event.Ready, "")
	in("1002", "8002", event.Away, "REST")
	in("1003", "8003", event.Talking, "")
	at("1001", "A01", event.Ready)
	at("1003", "A03", event.Talking)

	began := time.Now()
	leader.Post("/api/v1/seats/A02/sit", map[string]any{"user": "1001"}).OK()
	at("1001", "A02", event.Ready)
	at("1002", "A01", event.Away)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a swap takes %v", took)
	}
	b.mu.Lock()
	said := strings.Join(b.said, ", ")
	b.mu.Unlock()
	if want := "sign out 1001, sign out 1002, sign in 1001 8002, want ready, sign in 1002 8001, want REST"; said != want {
		t.Errorf("a swap is %s", said)
	}
	if s := leader.Post("/api/v1/seats/A03/sit", map[string]any{"user": "1001"}).Status; s != http.StatusConflict {
		t.Errorf("to the seat of who talks: %d", s)
	}
	at("1001", "A02", event.Ready)
	if s := agent.Post("/api/v1/seats/A10/sit", map[string]any{"user": "1001"}).Status; s != http.StatusForbidden {
		t.Errorf("an agent moves another: %d", s)
	}
	if s := agent.Post("/api/v1/seats/A02/sit", map[string]any{}).Status; s != http.StatusConflict {
		t.Errorf("an agent takes another's seat: %d", s)
	}
	agent.Post("/api/v1/seats/A33/sit", map[string]any{}).OK() // hot-desking: signs in there
	if s := live()["A33"]; s.User == "" || s.State != event.Away {
		t.Errorf("A33 is %+v", s)
	}
	if s := agent.Post("/api/v1/seats/P01/sit", map[string]any{}).Status; s != http.StatusNotFound {
		t.Errorf("a post takes calls: %d", s)
	}
	if b.m.seatOf("8007") != "A07" || b.m.seatOf("") != "" {
		t.Error("a phone does not tell its seat")
	}
}

// TestSwapThatFails: where the second of two cannot be seated, both are back where they were.
func TestSwapThatFails(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	b.m.deps.Seats = centre{}
	stub := &stubborn{bench: b}
	b.m.deps.Brain = stub
	var moves []move
	for i, u := range []id.User{"1001", "1002"} {
		p := id.Phone(fmt.Sprintf("800%d", i+1))
		b.Post(b.now(), "gz", string(u), "", event.AgentSignedIn{Endpoint: contact.Endpoint{Agent: u, Phone: p}})
		b.change(u, event.Ready, "", "")
		moves = append(moves, move{
			user: u, site: "gz", from: seat{endpoint: contact.Endpoint{Agent: u, Phone: p}, state: event.Ready},
			to: contact.Endpoint{Agent: u, Phone: id.Phone(fmt.Sprintf("800%d", 2-i))},
		})
	}
	stub.refuse = "1002 8001"
	if err := b.m.carry(t.Context(), moves); fault.CodeOf(err) != "routing.phone.taken" {
		t.Fatalf("%v", err)
	}
	b.mu.Lock()
	said := strings.Join(b.said, ", ")
	b.mu.Unlock()
	if !strings.HasSuffix(said, "sign out 1001, sign in 1001 8001, want ready, sign in 1002 8002, want ready") {
		t.Errorf("said %s", said)
	}
}

// stubborn is a brain that refuses one sign-in.
type stubborn struct {
	*bench
	refuse string
}

func (s *stubborn) SignIn(ctx context.Context, u id.User, site id.Site, at contact.Endpoint, place id.Seat, up func() bool) error {
	if s.refuse == string(u)+" "+string(at.Phone) {
		return fault.New(fault.Conflict, "routing.phone.taken")
	}
	return s.bench.SignIn(ctx, u, site, at, place, up)
}
