package routing

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// Row A6: a contact that was sorted wrongly is served in its new queue before all that came after it, and a full queue
// takes it, too.
func TestRowA6KeepsItsPlace(t *testing.T) {
	h := newHouse(t)
	first := h.clock.Now()
	h.enter("general", "wrong") // with nobody signed in it waits, as it would at the agent's
	h.pass(time.Second)
	for _, c := range []id.Contact{"c1", "c2", "c3"} { // vat is full with three
		h.enter("vat", c)
		h.pass(time.Second)
	}
	must(t, h.Enter(t.Context(), "vat", Entry{
		Contact: "wrong", Medium: contact.Phone, Site: "gz", Caller: "0wrong", At: h.clock.Now(), Since: first, Keep: true,
	}))
	s, ok, err := h.Place(t.Context(), "wrong")
	if err != nil || !ok || s.Ahead != 0 {
		t.Errorf("%d wait before it (%v %v)", s.Ahead, ok, err)
	}
	h.signIn("a")
	if r := h.rung("a"); r.offer.Contact != "wrong" || r.offer.Queue != "vat" {
		t.Errorf("offered %s of %s", r.offer.Contact, r.offer.Queue)
	}
}
