package kernel

import "github.com/cilium/ebpf/asm"

// code is a program that is being written, a step at a time.
type code struct {
	list asm.Instructions
	name string // label of the next instruction
}

func (c *code) add(list ...asm.Instruction) {
	for _, i := range list {
		if c.name != "" {
			i, c.name = i.WithSymbol(c.name), ""
		}
		c.list = append(c.list, i)
	}
}

// label names the place of the next instruction.
func (c *code) label(name string) { c.name = name }

func (c *code) load(dst, base asm.Register, at int16, size asm.Size) {
	c.add(asm.LoadMem(dst, base, at, size))
}

func (c *code) store(base asm.Register, at int16, src asm.Register, size asm.Size) {
	c.add(asm.StoreMem(base, at, src, size))
}

// copy puts a field of the packet or the slot on the stack. R2 is used.
func (c *code) copy(keep int16, base asm.Register, at int16, size asm.Size) {
	c.load(asm.R2, base, at, size)
	c.store(asm.RFP, keep, asm.R2, size)
}

// put writes from the stack into the packet. R1 is used.
func (c *code) put(at, keep int16, size asm.Size) {
	c.load(asm.R1, asm.RFP, keep, size)
	c.store(packet, at, asm.R1, size)
}

// unless jumps away when a register does not hold a value.
func (c *code) unless(r asm.Register, value int32, otherwise string) {
	c.add(asm.JNE.Imm(r, value, otherwise))
}

// because says what the slot is given back for if the next test says so.
func (c *code) because(w Why) { c.add(asm.Mov.Imm(reason, int32(w))) }

func (c *code) call(f asm.BuiltinFunc) { c.add(f.Call()) }

// increase adds to a counter of 64 bits in the slot. R1 is used.
func (c *code) increase(at int16, by int32) {
	c.load(asm.R1, slot, at, asm.DWord)
	c.add(asm.Add.Imm(asm.R1, by))
	c.store(slot, at, asm.R1, asm.DWord)
}

// leave says that the run with the slot is over.
func (c *code) leave() {
	c.add(asm.Mov.Imm(asm.R1, -run))
	c.atomic(asm.AddAtomic, slotState, asm.R1)
}

// atomic changes 32 bits of the slot; an operation that fetches puts the old value into src. cilium/ebpf 0.22 writes the
// operation only into its own form of the instruction and zero, which is an addition, into the kernel's: it is said
// here a second time.
func (c *code) atomic(op asm.AtomicOp, at int16, src asm.Register) {
	i := op.Mem(slot, src, asm.Word, at)
	i.Constant = int64(op >> 8)
	c.add(i)
}

// difference works out what a change of bytes on the stack does to a check sum, and keeps it there.
func (c *code) difference(was, is int16, bytes int32, keep int16) {
	c.add(asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, int32(was)), asm.Mov.Imm(asm.R2, bytes))
	c.add(asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, int32(is)), asm.Mov.Imm(asm.R4, bytes))
	c.add(asm.Mov.Imm(asm.R5, 0))
	c.call(asm.FnCsumDiff)
	c.store(asm.RFP, keep, asm.R0, asm.DWord)
}

// correct applies a difference to a check sum of the packet. Afterwards pointers into the packet are void.
func (c *code) correct(helper asm.BuiltinFunc, at int32, keep int16, flags int32) {
	c.add(asm.Mov.Reg(asm.R1, skb), asm.Mov.Imm(asm.R2, at), asm.Mov.Imm(asm.R3, 0))
	c.load(asm.R4, asm.RFP, keep, asm.DWord)
	c.add(asm.Mov.Imm(asm.R5, flags))
	c.call(helper)
}
