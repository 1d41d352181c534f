package report

import (
	"encoding/json"
	"strings"

	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/core/taxid"
)

// hiding says how each member of a fact's body that is a person's own is shown to who may not see it. core/phone and
// core/taxid hold the rules.
var hiding = map[string]func(string) string{
	"from": phone.Mask, "caller": phone.Mask, "peer": phone.Mask, "tax_id": taxid.Mask, "name": maskName,
}

// maskBody hides the private members of a fact's body. What is no JSON object is left out.
func maskBody(body json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return json.RawMessage("{}")
	}
	var role string
	_ = json.Unmarshal(members["role"], &role) // most facts have none
	for k, v := range members {
		var s string
		hide, private := hiding[k]
		if !private || k == "peer" && ourEnd(role) || json.Unmarshal(v, &s) != nil {
			continue
		}
		members[k] = quote(hide(s))
	}
	b, err := json.Marshal(members)
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}

// ourEnd says whether a leg of the role leads to an endpoint of the house, whose name is no secret.
func ourEnd(role string) bool { return role == "agent" || role == "consult" || role == "supervisor" }

// maskPeer hides the far end of a leg when it is a person's.
func maskPeer(role, peer string) string {
	if ourEnd(role) {
		return peer
	}
	return phone.Mask(peer)
}

// maskName keeps the first sign of a name.
func maskName(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i] + "**"
		}
	}
	return s
}

func quote(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil { // a string always can
		return json.RawMessage(`""`)
	}
	return b
}

// maskText hides the number in free text, in the forms signalling writes it.
func maskText(text, number string) string {
	if len(number) < 7 {
		return text
	}
	hidden := phone.Mask(number)
	bare := strings.TrimPrefix(strings.TrimPrefix(number, "+86"), "0")
	return strings.ReplaceAll(strings.ReplaceAll(text, number, hidden), bare, hidden)
}
