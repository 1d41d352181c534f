package ua

import (
	"encoding/binary"
	"fmt"
)

// Channels reads a WAV file of 16 bits, or in A-law, and gives the samples by channel. A file whose length was never filled in is read
// to its end.
func Channels(wav []byte) (out [][]int16, err error) {
	if len(wav) < 44 || string(wav[:4]) != "RIFF" {
		return nil, fmt.Errorf("%d bytes are no WAV file", len(wav))
	}
	var format, count, bits uint16
	for at := 12; at+8 <= len(wav); {
		kind, size := string(wav[at:at+4]), int(binary.LittleEndian.Uint32(wav[at+4:]))
		body := wav[at+8:]
		if kind == "data" {
			if size > 0 && size < len(body) {
				body = body[:size]
			}
			return split(body, format, count, bits)
		}
		if kind == "fmt " {
			format, count, bits = binary.LittleEndian.Uint16(body), binary.LittleEndian.Uint16(body[2:]), binary.LittleEndian.Uint16(body[14:])
		}
		at += 8 + size + size%2
	}
	return nil, fmt.Errorf("the WAV file has no sound")
}

func split(body []byte, format, count, bits uint16) ([][]int16, error) {
	out := make([][]int16, count)
	switch {
	case format == 1 && bits == 16, format == 0xfffe && bits == 16:
		for i := 0; i+1 < len(body); i += 2 {
			c := i / 2 % int(count)
			out[c] = append(out[c], int16(binary.LittleEndian.Uint16(body[i:])))
		}
	case format == 6:
		for i, v := range body {
			c := i % int(count)
			out[c] = append(out[c], ALaw(v))
		}
	default:
		return nil, fmt.Errorf("a WAV file of format %d with %d bits", format, bits)
	}
	return out, nil
}

// Loudest gives the greatest share a tone has in any second of the sound.
func Loudest(samples []int16, hz float64) (share, level float64) {
	const second = 8000
	for at := 0; at+second <= len(samples); at += second / 4 {
		if s, l := Share(samples[at:at+second], hz); s > share && l > -40 {
			share, level = s, l
		}
	}
	return share, level
}
