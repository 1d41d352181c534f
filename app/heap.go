package app

import "runtime"

// heapRoom is address space that stands in the heap and is never touched, so it takes no memory. The collector runs
// when the heap has doubled: beside the small heap of a bureau's calls that would be many times a second under load,
// for a tenth of the processor. A large heap is doubled as before.
const heapRoom = 48 << 20

// roomyHeap takes the room; release gives it back.
func roomyHeap() (release func()) {
	room := make([]byte, heapRoom)
	return func() { runtime.KeepAlive(room) }
}
