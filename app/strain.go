package app

// bearableFacts is how many facts may wait for the disk before new calls are limited: about a second's writing. A call
// leaves some twenty; what waits is written after the rush and would make the calls after it slow.
const bearableFacts = 10_000

// strain says how much of what may be put off has been.
func (h *House) strain() float64 {
	waiting, _ := h.posts.waits()
	return float64(waiting) / bearableFacts
}
