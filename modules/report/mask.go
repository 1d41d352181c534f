package report

import (
	"encoding/json"
	"strings"
)

// mask hides the middle of a telephone number: 0139****0137. Short ones (extensions, service numbers) stay.
func mask(number string) string {
	switch n := len(number); {
	case n >= 11:
		return number[:4] + "****" + number[n-4:]
	case n >= 7:
		return number[:2] + "****" + number[n-2:]
	}
	return number
}

// private are the members of facts' bodies that hold what only who may reveal sees.
var private = map[string]bool{"from": true, "caller": true, "peer": true, "tax_id": true, "name": true}

// maskBody hides the private members of a fact's body. What is no JSON object is left out.
func maskBody(body json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return json.RawMessage("{}")
	}
	for k, v := range members {
		var s string
		if private[k] && json.Unmarshal(v, &s) == nil {
			members[k] = quote(maskAny(s))
		}
	}
	b, err := json.Marshal(members)
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}

// maskAny hides a number as mask does and keeps of other words the first sign.
func maskAny(s string) string {
	if strings.Trim(s, "0123456789+") == "" || len(s) >= 15 && len(s) <= 20 {
		return mask(s)
	}
	if s == "browser" || s == "" {
		return s
	}
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
	bare := strings.TrimPrefix(strings.TrimPrefix(number, "+86"), "0")
	return strings.ReplaceAll(strings.ReplaceAll(text, number, mask(number)), bare, mask(number))
}
