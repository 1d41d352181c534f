package flow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/span"
)

// node checks one node by itself: its kind, that it has the fields of its kind and no others, their values
// and the names it uses from outside.
func (c *compiler) node(n *Node) {
	has := given(n)
	allowed := fields(n.Kind)
	if allowed == nil {
		c.refuse(n.ID, "kind", "field.value", "value", string(n.Kind))
		return
	}
	for _, f := range allowed {
		if name, must := strings.CutSuffix(f, "*"); must && !slices.Contains(has, name) {
			c.refuse(n.ID, name, "field.missing", "kind", string(n.Kind), "field", name)
		}
	}
	for _, f := range has {
		if !slices.Contains(allowed, f) && !slices.Contains(allowed, f+"*") {
			c.refuse(n.ID, f, "field.foreign", "kind", string(n.Kind), "field", f)
		}
	}
	c.prompts(n)
	c.times(n)
	switch n.Kind {
	case MenuKind:
		c.keys(n)
	case ListenKind:
		c.keys(n)
		c.listen(n)
	case GatherKind:
		c.gather(n)
	case SayKind:
		c.oneOf(n.ID, "say", string(n.Say), "digits", "number", "time", "date", "duration", "position", "money")
	case HoursKind:
		c.known(n.ID, "calendar", "calendar", n.Calendar, c.env.Calendars)
	case SetKind:
		c.vars(n)
	case BranchKind:
		c.cases(n)
	case CityKind:
		c.cityNode(n)
	case QueueKind:
		c.queue(n)
	case TransferKind:
		c.transfer(n)
	case VoicemailKind:
		c.messageNode(n)
	case HangupKind:
		c.oneOf(n.ID, "outcome", string(n.Outcome), "", "served", "left", "turned", "failed")
	}
}

func (c *compiler) prompts(n *Node) {
	asks := n.Kind == PlayKind || n.Kind == MenuKind || n.Kind == ListenKind || n.Kind == GatherKind
	field := "text"
	if c.voice() {
		field = "prompts"
	}
	if asks && len(n.Prompts) == 0 && n.Text == "" {
		c.refuse(n.ID, field, "prompt.none", "kind", string(n.Kind))
	}
	for i, p := range n.Prompts {
		if p == "" {
			c.refuse(n.ID, index("prompts", i), "prompt.none", "kind", string(n.Kind))
		}
		c.known(n.ID, index("prompts", i), "prompt", p, c.env.Prompts)
	}
	c.known(n.ID, "timeout_prompt", "prompt", n.TimeoutPrompt, c.env.Prompts)
	c.known(n.ID, "invalid_prompt", "prompt", n.InvalidPrompt, c.env.Prompts)
	c.known(n.ID, "keys_prompt", "prompt", n.KeysPrompt, c.env.Prompts)
}

func (c *compiler) voice() bool { return c.g.Medium == "" || c.g.Medium == contact.Phone }

// listen wants a way by keys: nobody is to depend on a machine that understands them.
func (c *compiler) listen(n *Node) {
	if c.voice() && n.KeysPrompt == "" {
		c.refuse(n.ID, "keys_prompt", "listen.keys")
	}
	if !varName(n.Var) && n.Var != "" {
		c.refuse(n.ID, "var", "var.form", "var", n.Var)
	}
}

func (c *compiler) times(n *Node) {
	within := func(field string, s span.Span, least, most time.Duration) {
		if s != 0 && (s.D() < least || s.D() > most) {
			c.refuse(n.ID, field, "field.range", "least", span.Span(least).String(), "most", span.Span(most).String())
		}
	}
	within("first", n.First, time.Second, time.Minute)
	within("inter", n.Inter, time.Second, 20*time.Second)
	if n.Retries != nil && (*n.Retries < 0 || *n.Retries > 5) {
		c.refuse(n.ID, "retries", "field.range", "least", 0, "most", 5)
	}
}

func (c *compiler) keys(n *Node) {
	seen := map[string]int{}
	for i, k := range n.Keys {
		if len(k.Key) != 1 || !strings.Contains("0123456789*#", k.Key) {
			c.refuse(n.ID, index("keys", i)+".key", "key.form", "key", k.Key)
		}
		for _, w := range append([]string{k.Key}, k.Words...) {
			w = plain(w)
			if w == "" {
				c.refuse(n.ID, index("keys", i), "field.missing", "kind", string(n.Kind), "field", "words")
			} else if first, double := seen[w]; double && first != i {
				c.refuse(n.ID, index("keys", i), "key.double", "key", w)
			}
			seen[w] = i
		}
		if k.To == "" {
			c.refuse(n.ID, index("keys", i)+".to", "field.missing", "kind", string(n.Kind), "field", "to")
		}
	}
}

func (c *compiler) gather(n *Node) {
	if !varName(n.Var) && n.Var != "" {
		c.refuse(n.ID, "var", "var.form", "var", n.Var)
	}
	if n.Max < 0 || n.Max > 32 || n.Min < 0 || n.Min > n.Max {
		c.refuse(n.ID, "max", "field.range", "least", max(n.Min, 1), "most", 32)
	}
	if n.Stop != "" && (len(n.Stop) != 1 || !strings.Contains("0123456789*#", n.Stop)) {
		c.refuse(n.ID, "stop", "key.form", "key", n.Stop)
	}
	c.oneOf(n.ID, "check", string(n.Check), "", "area_code", "mobile", "phone")
}

func (c *compiler) vars(n *Node) {
	if len(n.Set) > MaxVars {
		c.refuse(n.ID, "set", "field.range", "least", 1, "most", MaxVars)
	}
	for name, value := range n.Set {
		if !varName(name) {
			c.refuse(n.ID, "set", "var.form", "var", name)
		}
		if len(value) > MaxValue {
			c.refuse(n.ID, "set", "field.range", "least", 0, "most", fmt.Sprint(MaxValue, " bytes"))
		}
	}
}

func (c *compiler) cases(n *Node) {
	for i, k := range n.Cases {
		at := index("cases", i)
		if !varName(k.Var) {
			c.refuse(n.ID, at+".var", "var.form", "var", k.Var)
		}
		if k.To == "" {
			c.refuse(n.ID, at+".to", "field.missing", "kind", string(n.Kind), "field", "to")
		}
		c.oneOf(n.ID, at+".op", string(k.Op), "", "is", "not", "prefix", "above", "below", "empty")
		switch k.Op {
		case Empty:
			if len(k.Values) > 0 {
				c.refuse(n.ID, at+".values", "field.foreign", "kind", "empty", "field", "values")
			}
		case Above, Below:
			if len(k.Values) != 1 {
				c.refuse(n.ID, at+".values", "case.number")
			} else if _, err := strconv.ParseFloat(k.Values[0], 64); err != nil {
				c.refuse(n.ID, at+".values", "case.number")
			}
		default:
			if len(k.Values) == 0 {
				c.refuse(n.ID, at+".values", "field.missing", "kind", string(n.Kind), "field", "values")
			}
		}
	}
}

func (c *compiler) queue(n *Node) {
	c.known(n.ID, "queue", "queue", string(n.Queue), c.env.Queues)
	if n.Priority < -9 || n.Priority > 9 {
		c.refuse(n.ID, "priority", "field.range", "least", -9, "most", 9)
	}
	for i, need := range n.Needs {
		at := index("needs", i)
		if need.Skill == "" {
			c.refuse(n.ID, at+".skill", "field.missing", "kind", string(n.Kind), "field", "skill")
		}
		c.known(n.ID, at+".skill", "skill", string(need.Skill), c.env.Skills)
		if need.Level < 0 || need.Level > 4 {
			c.refuse(n.ID, at+".level", "field.range", "least", 0, "most", 4)
		}
	}
}

func (c *compiler) transfer(n *Node) {
	if n.To == nil {
		return // said as a missing field
	}
	if n.To.Code == "" {
		c.refuse(n.ID, "to.code", "field.missing", "kind", string(n.Kind), "field", "code")
	}
	switch n.To.Kind {
	case contact.ToQueue:
		c.known(n.ID, "to.code", "queue", n.To.Code, c.env.Queues)
	case contact.ToFlow:
		c.known(n.ID, "to.code", "flow", n.To.Code, c.env.Flows)
	case contact.ToAgent:
		c.known(n.ID, "to.code", "user", n.To.Code, c.env.Users)
	case contact.ToNumber:
		if strings.Trim(n.To.Code, "0123456789+*#") != "" || len(n.To.Code) > 32 {
			c.refuse(n.ID, "to.code", "field.value", "value", n.To.Code)
		}
	default:
		c.refuse(n.ID, "to.kind", "field.value", "value", string(n.To.Kind))
	}
}

// known refuses a name that is not in the list; no list, or no name, is not asked about.
func (c *compiler) known(node, field, thing, name string, list []string) {
	if list != nil && name != "" && !slices.Contains(list, name) {
		c.refuse(node, field, thing+".unknown", "name", name)
	}
}

func (c *compiler) oneOf(node, field, value string, list ...string) {
	if !slices.Contains(list, value) {
		c.refuse(node, field, "field.value", "value", value)
	}
}
