package kernel

import (
	"encoding/binary"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// Where things stand in the kernel's description of a packet (struct __sk_buff, linux/bpf.h).
const (
	skbLen      = 0
	skbType     = 4
	skbProtocol = 16
	skbVLAN     = 20
	skbIfindex  = 40
	skbData     = 76
	skbEnd      = 80
	skbGSO      = 176
)

// Where things stand in a packet: Ethernet, IPv4 without options, UDP, RTP.
const (
	atIP      = 14
	atTOS     = atIP + 1
	atTotal   = atIP + 2
	atFrag    = atIP + 6
	atTTL     = atIP + 8
	atProto   = atIP + 9
	atIPSum   = atIP + 10
	atFrom    = atIP + 12
	atTo      = atIP + 16
	atUDP     = atIP + 20
	atPorts   = atUDP // source and destination
	atDest    = atUDP + 2
	atUDPLen  = atUDP + 4
	atUDPSum  = atUDP + 6
	atRTP     = atUDP + 8
	atSeq     = atRTP + 2
	atTime    = atRTP + 4
	atSSRC    = atRTP + 8
	atPayload = atRTP + 12
)

// Where things stand in a slot (Slot; held together by a test).
const (
	slotState    = 0
	slotWhy      = 4
	slotFrom     = 8
	slotTo       = 12
	slotPort     = 16
	slotKind     = 18
	slotSSRC     = 20
	slotNewFrom  = 24
	slotNewTo    = 28
	slotNewPorts = 32
	slotNewSSRC  = 36
	slotSeqOff   = 40
	slotNewKind  = 42
	slotTimeOff  = 44
	slotOut      = 48
	slotFirst    = 52
	slotPackets  = 64
	slotOctets   = 72
	slotHeard    = 80
	slotAdvanced = 88
	slotHighest  = 96
	slotTime     = 100
	slotTransit  = 104
	slotJitter   = 108
	slotWindow   = 112
	slotRate     = 120
	slotFlooded  = 124
	slotSize     = 128
)

// Where the program keeps things on its stack.
const (
	keepIndex   = -4
	keepOldRTP  = -32 // ports, then the RTP header
	keepNewRTP  = -48
	keepOldIP   = -64 // addresses, then two words of the IP header
	keepNewIP   = -80
	keepOctets  = -88
	keepSeqStep = -96
	keepTimeAdv = -104
	keepTime    = -112
	keepSeq     = -120
	keepPseudo  = -128 // differences of check sums
	keepIPDiff  = -136
	keepRTPDiff = -144
)

// Registers that outlive calls of the kernel's helpers.
const (
	skb    = asm.R6
	packet = asm.R7
	slot   = asm.R8
	now    = asm.R9
	reason = asm.R5 // lives only between two calls
)

// What the program may say of a packet (linux/bpf.h, enum tcx_action_base).
const (
	tcxNext = -1 // as if the program were not there
	tcxDrop = 2
)

const (
	jumpSeq  = 500      // numbers further away are a new numbering: the process judges them (sender.go, receiver.go)
	jumpTime = 5 * 8000 // and so are timestamps that leave the wall clock by more
	mostData = 1200     // bytes of payload
	dscpEF   = 0xB8     // as the sockets of media have it
	pseudo   = 1 << 4   // BPF_F_PSEUDO_HDR
	mangled0 = 1 << 5   // BPF_F_MARK_MANGLED_0: no check sum stays none, and none becomes none
)

// program writes the relay. slots has one slot for each even port from first on.
func program(slots *ebpf.Map, first uint16) asm.Instructions {
	c := &code{}
	c.onlyRTPOverIPv4()
	c.findSlot(slots, first)
	c.enter()
	c.judge()
	c.count()
	c.prepare()
	c.rewrite()
	c.send()
	c.ends()
	return c.list
}

// onlyRTPOverIPv4 leaves alone whatever cannot be a packet of a telephone, as cheaply as can be: all traffic of the machine
// comes by here.
func (c *code) onlyRTPOverIPv4() {
	c.add(asm.Mov.Reg(skb, asm.R1))
	c.load(asm.R1, skb, skbProtocol, asm.Word)
	c.unless(asm.R1, be16(0x0800), "next")
	for _, field := range []int16{skbVLAN, skbType, skbGSO} { // a tag, somebody else's frame, a bundle of packets
		c.load(asm.R1, skb, field, asm.Word)
		c.unless(asm.R1, 0, "next")
	}
	c.within("next")
	c.load(asm.R1, packet, atProto, asm.Byte)
	c.unless(asm.R1, 17, "next")
	c.load(asm.R1, packet, atIP, asm.Byte)
	c.unless(asm.R1, 0x45, "next") // options
	c.load(asm.R1, packet, atFrag, asm.Half)
	c.add(asm.And.Imm(asm.R1, be16(0x3fff)))
	c.unless(asm.R1, 0, "next") // a fragment
}

// within puts the packet's beginning into its register and makes sure that all headers are there.
func (c *code) within(otherwise string) {
	c.load(packet, skb, skbData, asm.Word)
	c.load(asm.R2, skb, skbEnd, asm.Word)
	c.add(asm.Mov.Reg(asm.R3, packet), asm.Add.Imm(asm.R3, atPayload+1), asm.JGT.Reg(asm.R3, asm.R2, otherwise))
}

// findSlot looks the destination port up.
func (c *code) findSlot(slots *ebpf.Map, first uint16) {
	c.load(asm.R1, packet, atDest, asm.Half)
	c.add(asm.HostTo(asm.BE, asm.R1, asm.Half), asm.Sub.Imm(asm.R1, int32(first)))
	c.add(asm.JSLT.Imm(asm.R1, 0, "next"), asm.JSet.Imm(asm.R1, 1, "next")) // RTCP has the odd ones
	c.add(asm.RSh.Imm(asm.R1, 1))
	c.store(asm.RFP, keepIndex, asm.R1, asm.Word)
	c.add(asm.LoadMapPtr(asm.R1, slots.FD()), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, keepIndex))
	c.call(asm.FnMapLookupElem)
	c.add(asm.JEq.Imm(asm.R0, 0, "next"), asm.Mov.Reg(slot, asm.R0))
	c.load(asm.R1, slot, slotState, asm.Word)
	c.add(asm.JSet.Imm(asm.R1, owned, "enter"), asm.Ja.Label("next"))
}

// enter says that a run is under way, so that who takes the slot back waits for it, and looks again whose it is. Packets
// of strangers go to the process, which knows what to make of them; the slot stays.
func (c *code) enter() {
	c.label("enter")
	c.add(asm.Mov.Imm(asm.R1, run))
	c.atomic(asm.FetchAdd, slotState, asm.R1)
	c.add(asm.JSet.Imm(asm.R1, owned, "entered"), asm.Ja.Label("leave"))
	c.label("entered")
	for _, f := range []struct {
		inPacket, inSlot int16
		size             asm.Size
	}{{atFrom, slotFrom, asm.Word}, {atTo, slotTo, asm.Word}, {atPorts, slotPort, asm.Half}} {
		c.load(asm.R1, packet, f.inPacket, f.size)
		c.load(asm.R2, slot, f.inSlot, f.size)
		c.add(asm.JNE.Reg(asm.R1, asm.R2, "leave"))
	}
}

// judge decides whether the peer's packet is one like the one before. If not, the slot is given back before the
// process sees the packet, so that what follows stays behind it.
func (c *code) judge() {
	c.load(asm.R1, packet, atRTP, asm.Byte)
	c.add(asm.Mov.Reg(asm.R2, asm.R1), asm.RSh.Imm(asm.R2, 6))
	c.unless(asm.R2, 2, "leave") // no RTP: STUN, keep-alives
	c.load(asm.R3, packet, atRTP+1, asm.Byte)
	c.add(asm.JLT.Imm(asm.R3, 192, "media"), asm.JLE.Imm(asm.R3, 223, "leave")) // RTCP on the same port (RFC 5761 §4)
	c.label("media")
	c.because(ByForm)
	c.unless(asm.R1, 0x80, "give back")
	c.because(ByKind)
	c.load(asm.R4, slot, slotKind, asm.Byte)
	c.add(asm.And.Imm(asm.R3, 0x7f), asm.JNE.Reg(asm.R3, asm.R4, "give back"))

	// What came over the loopback goes back over it, with the route it has; everything else leaves by an interface.
	c.because(ByWay)
	c.load(asm.R1, skb, skbIfindex, asm.Word)
	c.load(asm.R2, slot, slotOut, asm.Word)
	c.add(asm.JNE.Imm(asm.R2, 0, "abroad"))
	c.unless(asm.R1, loopback, "give back")
	c.add(asm.Ja.Label("way known"))
	c.label("abroad")
	c.add(asm.JEq.Imm(asm.R1, loopback, "give back"))
	c.label("way known")

	c.because(BySize)
	c.load(asm.R1, packet, atTotal, asm.Half)
	c.load(asm.R2, packet, atUDPLen, asm.Half)
	c.load(asm.R3, skb, skbLen, asm.Word)
	c.add(asm.HostTo(asm.BE, asm.R1, asm.Half), asm.HostTo(asm.BE, asm.R2, asm.Half), asm.Sub.Imm(asm.R3, atIP))
	c.add(asm.JNE.Reg(asm.R1, asm.R3, "give back"), asm.Sub.Imm(asm.R1, 20), asm.JNE.Reg(asm.R1, asm.R2, "give back"))
	c.add(asm.Sub.Imm(asm.R1, 20), asm.JSLT.Imm(asm.R1, 1, "give back"), asm.JSGT.Imm(asm.R1, mostData, "give back"))
	c.store(asm.RFP, keepOctets, asm.R1, asm.DWord)

	c.because(ByHops)
	c.load(asm.R1, packet, atTTL, asm.Byte)
	c.add(asm.JLE.Imm(asm.R1, 1, "give back"))
	c.because(BySource)
	c.load(asm.R1, packet, atSSRC, asm.Word)
	c.load(asm.R2, slot, slotSSRC, asm.Word)
	c.add(asm.JNE.Reg(asm.R1, asm.R2, "give back"))
	c.judgeNumber()
	c.judgeTime()
	c.judgeRate()
}

// judgeNumber refuses sequence numbers that jump.
func (c *code) judgeNumber() {
	c.because(ByNumber)
	c.load(asm.R1, packet, atSeq, asm.Half)
	c.load(asm.R2, slot, slotHighest, asm.Word)
	c.add(asm.HostTo(asm.BE, asm.R1, asm.Half))
	c.store(asm.RFP, keepSeq, asm.R1, asm.DWord)
	c.add(asm.Sub.Reg(asm.R1, asm.R2), asm.LSh.Imm(asm.R1, 48), asm.ArSh.Imm(asm.R1, 48)) // as int16
	c.add(asm.JSGT.Imm(asm.R1, jumpSeq, "give back"), asm.JSLT.Imm(asm.R1, -jumpSeq, "give back"))
	c.store(asm.RFP, keepSeqStep, asm.R1, asm.DWord)
}

// judgeTime refuses timestamps that do not go with the clock.
func (c *code) judgeTime() {
	c.call(asm.FnKtimeGetNs)
	c.add(asm.Mov.Reg(now, asm.R0))
	c.because(ByTime)
	c.load(asm.R1, packet, atTime, asm.Word)
	c.load(asm.R2, slot, slotTime, asm.Word)
	c.add(asm.HostTo(asm.BE, asm.R1, asm.Word))
	c.store(asm.RFP, keepTime, asm.R1, asm.DWord)
	c.add(asm.Sub.Reg(asm.R1, asm.R2), asm.LSh.Imm(asm.R1, 32), asm.ArSh.Imm(asm.R1, 32)) // as int32
	c.store(asm.RFP, keepTimeAdv, asm.R1, asm.DWord)
	c.load(asm.R2, slot, slotAdvanced, asm.DWord)
	c.add(asm.Mov.Reg(asm.R3, now), asm.Sub.Reg(asm.R3, asm.R2), asm.Div.Imm(asm.R3, int32(time.Second/8000)), asm.Sub.Reg(asm.R1, asm.R3))
	c.add(asm.JSGT.Imm(asm.R1, jumpTime, "give back"), asm.JSLT.Imm(asm.R1, -jumpTime, "give back"))
}

// judgeRate drops what is more than a call can have.
func (c *code) judgeRate() {
	c.load(asm.R1, slot, slotWindow, asm.DWord)
	c.add(asm.Mov.Reg(asm.R2, now), asm.Sub.Reg(asm.R2, asm.R1), asm.JLT.Imm(asm.R2, int32(time.Second), "same second"))
	c.store(slot, slotWindow, now, asm.DWord)
	c.add(asm.StoreImm(slot, slotRate, 0, asm.Word))
	c.label("same second")
	c.load(asm.R1, slot, slotRate, asm.Word)
	c.add(asm.Add.Imm(asm.R1, 1))
	c.store(slot, slotRate, asm.R1, asm.Word)
	c.add(asm.JGT.Imm(asm.R1, MaxRate, "flood"))
}

// count keeps the tally of RFC 3550 appendix A, as receiver.go does.
func (c *code) count() {
	c.load(asm.R1, slot, slotPackets, asm.DWord)
	c.add(asm.JNE.Imm(asm.R1, 0, "not the first"))
	c.load(asm.R2, asm.RFP, keepSeq, asm.DWord)
	c.store(slot, slotFirst, asm.R2, asm.Half)
	c.label("not the first")
	c.increase(slotPackets, 1)
	c.load(asm.R1, slot, slotOctets, asm.DWord)
	c.load(asm.R2, asm.RFP, keepOctets, asm.DWord)
	c.add(asm.Add.Reg(asm.R1, asm.R2))
	c.store(slot, slotOctets, asm.R1, asm.DWord)
	c.store(slot, slotHeard, now, asm.DWord)

	c.load(asm.R1, asm.RFP, keepSeqStep, asm.DWord)
	c.add(asm.JSLE.Imm(asm.R1, 0, "not newer"))
	c.load(asm.R2, slot, slotHighest, asm.Word)
	c.add(asm.Add.Reg(asm.R2, asm.R1))
	c.store(slot, slotHighest, asm.R2, asm.Word)
	c.label("not newer")

	c.load(asm.R3, asm.RFP, keepTime, asm.DWord)
	c.load(asm.R1, asm.RFP, keepTimeAdv, asm.DWord)
	c.add(asm.JSLE.Imm(asm.R1, 0, "not later"))
	c.store(slot, slotTime, asm.R3, asm.Word)
	c.store(slot, slotAdvanced, now, asm.DWord)
	c.label("not later")

	// J += |D| − J/16, with J in sixteenths and D the change of the transit time. The first packet is left out: those
	// before it may have waited in the socket, which says nothing of the network.
	c.add(asm.Mov.Reg(asm.R1, now), asm.Div.Imm(asm.R1, int32(time.Second/8000)), asm.Sub.Reg(asm.R1, asm.R3))
	c.load(asm.R2, slot, slotTransit, asm.Word)
	c.store(slot, slotTransit, asm.R1, asm.Word)
	c.load(asm.R3, slot, slotPackets, asm.DWord)
	c.add(asm.JEq.Imm(asm.R3, 1, "counted"))
	c.add(asm.Sub.Reg(asm.R1, asm.R2), asm.LSh.Imm(asm.R1, 32), asm.ArSh.Imm(asm.R1, 32))
	c.add(asm.JSGE.Imm(asm.R1, 0, "positive"), asm.Neg.Imm(asm.R1, 0))
	c.label("positive")
	c.load(asm.R2, slot, slotJitter, asm.Word)
	c.add(asm.Mov.Reg(asm.R3, asm.R2), asm.RSh.Imm(asm.R3, 4), asm.Sub.Reg(asm.R2, asm.R3), asm.Add.Reg(asm.R2, asm.R1))
	c.store(slot, slotJitter, asm.R2, asm.Word)
	c.label("counted")
}

// prepare writes the old and the new headers side by side and works out what that does to the check sums.
func (c *code) prepare() {
	for i := int16(0); i < 16; i += 4 { // ports, then the RTP header behind the lengths
		at := atPorts
		if i > 0 {
			at = atRTP - 4
		}
		c.load(asm.R1, packet, int16(at)+i, asm.Word)
		c.store(asm.RFP, keepOldRTP+i, asm.R1, asm.Word)
	}
	c.copy(keepNewRTP, slot, slotNewPorts, asm.Word)
	c.copy(keepNewRTP+4, packet, atRTP, asm.Byte)
	c.load(asm.R1, packet, atRTP+1, asm.Byte) // the marker stays
	c.load(asm.R2, slot, slotNewKind, asm.Byte)
	c.add(asm.And.Imm(asm.R1, 0x80), asm.Or.Reg(asm.R1, asm.R2))
	c.store(asm.RFP, keepNewRTP+5, asm.R1, asm.Byte)
	c.load(asm.R1, asm.RFP, keepSeq, asm.DWord)
	c.load(asm.R2, slot, slotSeqOff, asm.Half)
	c.add(asm.Add.Reg(asm.R1, asm.R2), asm.HostTo(asm.BE, asm.R1, asm.Half))
	c.store(asm.RFP, keepNewRTP+6, asm.R1, asm.Half)
	c.load(asm.R1, asm.RFP, keepTime, asm.DWord)
	c.load(asm.R2, slot, slotTimeOff, asm.Word)
	c.add(asm.Add.Reg(asm.R1, asm.R2), asm.HostTo(asm.BE, asm.R1, asm.Word))
	c.store(asm.RFP, keepNewRTP+8, asm.R1, asm.Word)
	c.copy(keepNewRTP+12, slot, slotNewSSRC, asm.Word)

	c.copy(keepOldIP, packet, atFrom, asm.Word)
	c.copy(keepOldIP+4, packet, atTo, asm.Word)
	c.copy(keepOldIP+8, packet, atIP, asm.Word)
	c.copy(keepOldIP+12, packet, atTTL, asm.Half) // time to live and protocol
	c.copy(keepNewIP, slot, slotNewFrom, asm.Word)
	c.copy(keepNewIP+4, slot, slotNewTo, asm.Word)
	c.copy(keepNewIP+8, packet, atIP, asm.Word)
	c.add(asm.StoreImm(asm.RFP, keepNewIP+9, dscpEF, asm.Byte))
	c.copy(keepNewIP+12, packet, atTTL, asm.Half)
	c.load(asm.R1, asm.RFP, keepNewIP+12, asm.Byte)
	c.add(asm.Sub.Imm(asm.R1, 1)) // a router's due: packets that go round end
	c.store(asm.RFP, keepNewIP+12, asm.R1, asm.Byte)
	c.add(asm.StoreImm(asm.RFP, keepOldIP+14, 0, asm.Half), asm.StoreImm(asm.RFP, keepNewIP+14, 0, asm.Half))

	c.difference(keepOldIP, keepNewIP, 8, keepPseudo)
	c.difference(keepOldIP, keepNewIP, 16, keepIPDiff)
	c.difference(keepOldRTP, keepNewRTP, 16, keepRTPDiff)
}

// rewrite puts the new headers into the packet.
func (c *code) rewrite() {
	c.correct(asm.FnL3CsumReplace, atIPSum, keepIPDiff, 0)
	c.correct(asm.FnL4CsumReplace, atUDPSum, keepPseudo, pseudo|mangled0)
	c.correct(asm.FnL4CsumReplace, atUDPSum, keepRTPDiff, mangled0)
	c.within("drop") // the helpers may have moved the packet
	c.put(atTOS, keepNewIP+9, asm.Byte)
	c.put(atTTL, keepNewIP+12, asm.Byte)
	c.put(atFrom, keepNewIP, asm.Word)
	c.put(atTo, keepNewIP+4, asm.Word)
	c.put(atPorts, keepNewRTP, asm.Word)
	for i := int16(0); i < 12; i += 4 {
		c.put(atRTP+i, keepNewRTP+4+i, asm.Word)
	}
}

// send ends the run and lets the packet go: on to a socket of this machine, or out of an interface to the neighbour that
// the route says.
func (c *code) send() {
	c.load(packet, slot, slotOut, asm.Word)
	c.leave()
	c.add(asm.JEq.Imm(packet, 0, "next"), asm.Mov.Reg(asm.R1, packet))
	c.add(asm.Mov.Imm(asm.R2, 0), asm.Mov.Imm(asm.R3, 0), asm.Mov.Imm(asm.R4, 0))
	c.call(asm.FnRedirectNeigh)
	c.add(asm.Return())
}

// ends are the other ways out.
func (c *code) ends() {
	c.label("give back")
	c.store(slot, slotWhy, reason, asm.Word)
	c.add(asm.Mov.Imm32(asm.R1, ^owned))
	c.atomic(asm.AndAtomic, slotState, asm.R1)
	c.label("leave")
	c.leave()
	c.label("next")
	c.add(asm.Mov.Imm(asm.R0, tcxNext), asm.Return())
	c.label("flood")
	c.load(asm.R1, slot, slotFlooded, asm.Word)
	c.add(asm.Add.Imm(asm.R1, 1))
	c.store(slot, slotFlooded, asm.R1, asm.Word)
	c.label("drop")
	c.leave()
	c.add(asm.Mov.Imm(asm.R0, tcxDrop), asm.Return())
}

// be16 gives a number as it looks when a packet's two bytes are read in the machine's order.
func be16(v uint16) int32 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], v)
	return int32(binary.NativeEndian.Uint16(b[:]))
}
