package routing

import (
	"maps"
	"slices"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/platform/section"
)

// textWeight is what a contact in writing weighs where nobody says otherwise: an agent carries three.
const textWeight = 30

// media gives what the brain tells apart.
func media() []contact.Medium {
	return []contact.Medium{contact.Phone, contact.Chat, contact.WeChat, contact.Weibo, contact.SMS, contact.Question}
}

// weight is what a contact of a medium weighs of the 100 an agent carries at once.
func (r Rules) weight(m contact.Medium) int {
	if w := r.Weights[string(m)]; w > 0 {
		return w
	}
	if m == contact.Phone {
		return phoneWeight
	}
	return textWeight
}

// checkWeights wants known media, and weights an agent can carry.
func checkWeights(r Rules) (out []section.Problem) {
	for _, name := range slices.Sorted(maps.Keys(r.Weights)) {
		if w := r.Weights[name]; !slices.Contains(media(), contact.Medium(name)) || w < 1 || w > phoneWeight {
			out = append(out, section.Complaint("weights."+name, "routing.weight.wrong", "medium", name))
		}
	}
	return out
}
