package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// ear hears what comes to the telephones: a program that measures each packet's delay, counts it and drops it, because
// sockets that took 400,000 packets a second would need the core that sends them.
type ear struct {
	delays *ebpf.Map
	prog   *ebpf.Program
	link   link.Link
	memory []byte
}

const (
	earGrain = 10 * time.Microsecond
	earSteps = 8192             // the last is for all longer delays
	earMagic = 14 + 20 + 8 + 12 // behind the RTP header: whose packet it is
	earStamp = earMagic + 8     // when it was sent, ns of the monotonic clock, in the machine's order
)

func newEar(in *place, device string) (e *ear, err error) {
	e = &ear{}
	e.delays, err = ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: earSteps, Flags: 1 << 10})
	if err != nil {
		return nil, err
	}
	if e.memory, err = syscall.Mmap(e.delays.FD(), 0, 8*earSteps, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED); err != nil {
		return nil, errors.Join(err, e.close())
	}
	e.prog, err = ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SchedCLS, AttachType: ebpf.AttachTCXIngress, License: "Apache-2.0", Instructions: e.program()})
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	err = in.do(func() error {
		i, err := net.InterfaceByName(device)
		if err != nil {
			return err
		}
		e.link, err = link.AttachTCX(link.TCXOptions{Interface: i.Index, Program: e.prog, Attach: ebpf.AttachTCXIngress})
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the ear: %w", err), e.close())
	}
	return e, nil
}

// program counts packets of ours by delay and drops them; it lets everything else pass.
func (e *ear) program() asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R6, asm.R1, 76, asm.Word), // data
		asm.LoadMem(asm.R2, asm.R1, 80, asm.Word), // its end
		asm.Mov.Reg(asm.R3, asm.R6),
		asm.Add.Imm(asm.R3, earStamp+8),
		asm.JGT.Reg(asm.R3, asm.R2, "pass"),
		asm.LoadMem(asm.R1, asm.R6, earMagic, asm.Word),
		asm.JNE.Imm(asm.R1, speech, "pass"),
		asm.FnKtimeGetNs.Call(),
		asm.LoadMem(asm.R1, asm.R6, earStamp, asm.DWord),
		asm.Sub.Reg(asm.R0, asm.R1),
		asm.Div.Imm(asm.R0, int32(earGrain)),
		asm.JLT.Imm(asm.R0, earSteps, "in reach"),
		asm.Mov.Imm(asm.R0, earSteps-1),
		asm.StoreMem(asm.RFP, -4, asm.R0, asm.Word).WithSymbol("in reach"),
		asm.LoadMapPtr(asm.R1, e.delays.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "drop"),
		asm.Mov.Imm(asm.R1, 1),
		asm.AddAtomic.Mem(asm.R0, asm.R1, asm.DWord, 0),
		asm.Mov.Imm(asm.R0, 2).WithSymbol("drop"),
		asm.Return(),
		asm.Mov.Imm(asm.R0, -1).WithSymbol("pass"),
		asm.Return(),
	}
}

// counts gives how many packets have been heard, by delay.
func (e *ear) counts() (c [earSteps]uint64) {
	for i := range c {
		c[i] = *(*uint64)(unsafe.Pointer(&e.memory[8*i])) //nolint:gosec // of a page, and of the kernel's writing
	}
	return c
}

// since gives what was heard after an earlier look.
func (e *ear) since(before [earSteps]uint64) (n uint64, p50, p99 time.Duration) {
	now := e.counts()
	for i := range now {
		now[i] -= before[i]
		n += now[i]
	}
	quantile := func(q float64) time.Duration {
		sum := uint64(0)
		for i := range now {
			if sum += now[i]; float64(sum) > q*float64(n) {
				return time.Duration(i+1) * earGrain
			}
		}
		return earSteps * earGrain
	}
	return n, quantile(0.5), quantile(0.99)
}

func (e *ear) close() (err error) {
	if e.link != nil {
		err = e.link.Close()
	}
	if e.prog != nil {
		err = errors.Join(err, e.prog.Close())
	}
	if e.memory != nil {
		err = errors.Join(err, syscall.Munmap(e.memory))
	}
	return errors.Join(err, e.delays.Close())
}
