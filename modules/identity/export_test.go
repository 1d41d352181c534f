package identity

// CheapHashes has new passwords hashed with little memory, for tests that are about something else.
func (m *Module) CheapHashes() {
	m.hasher.memory = 64
	m.hasher.dummy = m.hasher.encode([]byte("no such user ---"), make([]byte, argonKey))
}
