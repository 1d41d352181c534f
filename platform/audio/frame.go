// Package audio makes, mixes and records telephone sound: G.711, WAV, prompts and music on one shared 20 ms tick,
// a mixer for listening and conferences, and a sealed stereo recorder. It knows nothing of RTP sockets or of
// signalling: sound comes and goes as a Frame, and everything that takes frames is a Sink. See DESIGN.md.
package audio

import "time"

// Rate is the sample rate of everything here, in Hz.
const Rate = 8000

// FrameTime is the length of the frames made here.
const FrameTime = 20 * time.Millisecond

// FrameSamples is the number of samples (and, in G.711, of bytes) in FrameTime.
const FrameSamples = 160

// Codec says how a frame's payload is to be read.
type Codec uint8

// The payloads that travel. Event is a telephone-event (RFC 4733), four bytes, not sound.
const (
	PCMA Codec = iota
	PCMU
	Event
)

// String gives the codec's name in SDP.
func (c Codec) String() string {
	return [...]string{"PCMA", "PCMU", "telephone-event", "?"}[c&3]
}

// Source is the identity of a stream: frames with the same *Source and Epoch have sequence numbers and
// timestamps that belong together. A receiver that sees another one makes its own numbering go on (RFC 3550 §5.1).
type Source struct{ Name string }

// Frame is one packet of sound. A frame and its payload are lent for the time of the call they are passed to:
// a Sink copies what it keeps. Nothing is allocated per packet.
type Frame struct {
	Source  *Source
	Epoch   uint32 // changes when the source begins a new numbering (an SSRC, a new prompt)
	Codec   Codec
	Marker  bool
	Seq     uint16
	Time    uint32    // in samples, of the source's own clock
	At      time.Time // when it arrived or was made
	Payload []byte
}

// Sink takes frames. Write is called on a media goroutine and must not block; an error is counted by the caller.
type Sink interface {
	Write(f *Frame) error
}

// SinkFunc makes a function a Sink.
type SinkFunc func(f *Frame) error

// Write calls the function.
func (s SinkFunc) Write(f *Frame) error { return s(f) }

// Tee gives a Sink that hands each frame to all of the sinks in order; the error is the first one's.
func Tee(sinks ...Sink) Sink {
	return SinkFunc(func(f *Frame) error {
		var first error
		for i, s := range sinks {
			if err := s.Write(f); i == 0 {
				first = err
			}
		}
		return first
	})
}
