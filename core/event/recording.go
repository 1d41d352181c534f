package event

// RecordingErased is the proof that a recording of the contact was destroyed: what it was (its hash and length), why,
// and by whom (Actor; By is "retention" for a rule of the house). It is written before the file's key and the file go.
type RecordingErased struct {
	Recording string `json:"recording"`
	SHA256    string `json:"sha256,omitempty"` // of the sealed file, hex; empty: the file was missing
	Bytes     int64  `json:"bytes"`
	Ms        int64  `json:"ms"`
	Key       string `json:"key,omitempty"` // the master key its own key was under
	By        string `json:"by"`            // person, retention
	Class     string `json:"class,omitempty"`
	Why       string `json:"why"`
}

// RecordingKept says a recording was put under a legal hold, or taken off: while held no rule and nobody erases it.
type RecordingKept struct {
	Recording string `json:"recording"`
	Held      bool   `json:"held"`
	Why       string `json:"why"`
}

// RecordingPaused says nothing is recorded while something confidential is told.
type RecordingPaused struct {
	Recording string `json:"recording"`
}

// RecordingResumed says it is recorded again; Why is desk, moved (the talk ended), or deadline.
type RecordingResumed struct {
	Recording string `json:"recording"`
	Ms        int64  `json:"ms"`
	Why       string `json:"why"`
}

// RecordingRotated says recordings are sealed under another master key from now on; Subject is the key's id.
type RecordingRotated struct {
	Key string `json:"key"`
	Was string `json:"was"`
}

// RecordingRetired says a master key was destroyed: nothing was sealed under it any more. Subject is the key's id.
type RecordingRetired struct {
	Key string `json:"key"`
}

// Kinds of the further recording facts.
func (RecordingErased) Kind() string  { return "recording.erased" }
func (RecordingKept) Kind() string    { return "recording.kept" }
func (RecordingPaused) Kind() string  { return "recording.paused" }
func (RecordingResumed) Kind() string { return "recording.resumed" }
func (RecordingRotated) Kind() string { return "recording.rotated" }
func (RecordingRetired) Kind() string { return "recording.retired" }
