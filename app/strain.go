package app

// bearableFacts is how many facts may wait for the disk before new calls are limited: about a second's writing. A call
// leaves some twenty; what waits is written after the rush and would make the calls after it slow.
const bearableFacts = 10_000

// Callers take a media port pair each and those who talk a second one, for the agent. From commonPorts on new calls are
// limited, and mostPorts is the most that callers may hold: were all taken by those who wait, no agent could be rung.
const (
	commonPorts = 0.6
	mostPorts   = 0.7
)

// strain says how much of what calls need has been used up or put off: 1 is as much as is borne well, 2 all.
func (h *House) strain() float64 {
	waiting, _ := h.journal.Waiting()
	return max(float64(waiting)/bearableFacts, portStrain(h.voice.Calls(), int(h.o.RTPFirst), int(h.o.RTPLast)))
}

// portStrain is 1 when the calls hold commonPorts of the range's pairs, and 2 at mostPorts.
func portStrain(calls, first, last int) float64 {
	pairs := (last - first + 1) / 2
	if first == 0 || pairs <= 0 {
		return 0 // the system picks: there is no bound of ours
	}
	return max(0, 1+(float64(calls)/float64(pairs)-commonPorts)/(mostPorts-commonPorts))
}
