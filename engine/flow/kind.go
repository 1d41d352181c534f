package flow

import (
	"reflect"
	"slices"
	"strings"
)

// fields says which fields a kind has; a trailing * marks one that must be given. Every kind has the common
// ones besides.
func fields(k Kind) []string {
	ask := []string{"prompts", "text", "text_en", "first", "retries", "timeout*", "invalid*", "timeout_prompt", "invalid_prompt", "inter"}
	switch k {
	case PlayKind:
		return []string{"prompts", "text", "text_en", "interruptible", "next*"}
	case MenuKind:
		return append(ask, "keys*", "bypass")
	case ListenKind:
		return append(ask, "keys*", "bypass", "keys_prompt", "var", "heard")
	case GatherKind:
		return append(ask, "var*", "min", "max*", "stop", "check", "next*")
	case SayKind:
		return []string{"say*", "value*", "next*"}
	case HoursKind:
		return []string{"calendar", "open*", "closed*", "lunch", "holiday"}
	case SetKind:
		return []string{"set*", "next*"}
	case BranchKind:
		return []string{"cases*", "else*"}
	case CityKind:
		return []string{"var", "next*", "elsewhere*", "unknown*"}
	case QueueKind:
		return []string{"queue*", "by_city", "priority", "needs", "failed"}
	case TransferKind:
		return []string{"to*", "failed"}
	case VoicemailKind:
		return []string{"prompts", "limit", "silence", "stop", "next*"}
	case HangupKind:
		return []string{"outcome", "cause"}
	}
	return nil
}

// given lists the fields of the node that are set, by their YAML names, the common ones left out.
func given(n *Node) []string {
	var out []string
	v := reflect.ValueOf(*n)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if v.Field(i).IsZero() || slices.Contains([]string{"id", "kind", "name", "name_en", "served"}, name) {
			continue
		}
		out = append(out, name)
	}
	return out
}
