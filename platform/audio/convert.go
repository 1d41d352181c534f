package audio

// The standard gives its own conversion between the laws (ITU-T G.711 §3.3, tables 3 and 4), which differs from
// decoding and encoding in a few places so that a tandem conversion loses as little as possible. The tables below are
// the positive half; the sign bit is carried over.

// uToAHalf is G.711 table 3: the A-law decoder output number for each µ-law decoder output number.
func uToAHalf() [128]byte {
	return [128]byte{
		1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8,
		9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
		25, 27, 29, 31, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44,
		46, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
		64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79,
		80, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96,
		97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112,
		113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128,
	}
}

// aToUHalf is G.711 table 4: the µ-law decoder output number for each A-law decoder output number.
func aToUHalf() [128]byte {
	return [128]byte{
		1, 3, 5, 7, 9, 11, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23,
		24, 25, 26, 27, 28, 29, 30, 31, 32, 32, 33, 33, 34, 34, 35, 35,
		36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 48, 49, 49,
		50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 64,
		65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80,
		80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95,
		96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,
		112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127,
	}
}

func uToA(u byte) byte {
	half := uToAHalf()
	n := half[^u&0x7f] - 1 // µ-law numbers its values with all bits turned over
	return (u & 0x80) | (n ^ 0x55)
}

func aToU(a byte) byte {
	half := aToUHalf()
	n := half[(a^0x55)&0x7f]
	return (a & 0x80) | (^n & 0x7f)
}
