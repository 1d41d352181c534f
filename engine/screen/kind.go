package screen

// Kind is what a call is about.
type Kind string

// The kinds, in the order ties are broken: an operator can tell a fault or the law from a step, so operation is first.
const (
	Operation Kind = "operation" // 操作: how is it done in the system
	Fault     Kind = "fault"     // 系统故障: the system does not do what it should
	Policy    Kind = "policy"    // 政策: what does the law say
)

// Kinds gives every kind.
func Kinds() []Kind { return []Kind{Operation, Fault, Policy} }

// Known reports whether k is one of the kinds.
func (k Kind) Known() bool { return k == Operation || k == Fault || k == Policy }
