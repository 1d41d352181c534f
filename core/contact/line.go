package contact

// ToLine is another queue of the line the person called: they were sorted wrongly, and keep the place they had. Code
// is the queue's.
const ToLine TargetKind = "line"
