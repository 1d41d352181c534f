package contact

// The outcomes that come of calling people back.
const (
	Promised  Outcome = "promised"  // the person waited, and is to be called back
	Unreached Outcome = "unreached" // a call of ours that nobody answered
)
