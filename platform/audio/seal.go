package audio

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The file of a recording: a header, chunks of one second that are each sealed by AES-256-GCM with the file's own
// random key, and a sealed summary at the end. Chunks have one size, so any second is found by arithmetic, and a
// file that was cut off (kill -9, a full disk) can be read up to its last whole chunk.
//
//	 0  "KAPOKREC"                     40  key id, 16 bytes, filled with zeros
//	 8  version (1)          uint16    56  nonce prefix, 8 bytes
//	10  channels (2)         uint16    64  nonce of the wrapped key, 12 bytes
//	12  rate (8000)          uint32    76  the file's key under the master key, 32+16 bytes
//	16  samples in a chunk   uint32   124  chunk 0: 16,000 bytes A-law, left and right by turns, +16 tag
//	20  reserved             uint32        chunk 1 …
//	24  start in unix-ms     uint64        summary: JSON +16 tag, its length uint32, "KEND"
//	32  random, 8 bytes
//
// Everything before the wrapped key is its additional data, so that no header field can be changed unseen. The nonce
// of chunk n is prefix and n, that of the summary prefix and 0xFFFFFFFF. The start stands in the header as well as in the
// summary, for a file that has none.
const (
	recMagic   = "KAPOKREC"
	recEnd     = "KEND"
	recVersion = 1
	headSize   = 124
	idSize     = 16
	tagSize    = 16
	// chunkSamples is the length of a chunk: one second.
	chunkSamples = Rate
	chunkBytes   = 2 * chunkSamples
	sealedSize   = chunkBytes + tagSize
	maxSummary   = 1 << 20
)

// ErrRecording means that a file is no recording, or that the key does not fit it.
var ErrRecording = errors.New("audio: the recording cannot be opened; the file is damaged or the key is not the one it was sealed with")

// Keys finds the 32-byte master key with the id that a recording was sealed with.
type Keys func(id string) ([]byte, error)

// seal is the cipher of one file.
type seal struct {
	aead   cipher.AEAD
	prefix [8]byte
}

func gcm(key []byte) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("audio: a recording key has 32 bytes, not %d", len(key))
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("audio: recording key: %w", err)
	}
	return cipher.NewGCM(b)
}

// newSeal makes a file's key and its header.
func newSeal(master []byte, keyID string, started time.Time) (*seal, []byte, error) {
	if len(keyID) > idSize || strings.ContainsRune(keyID, 0) {
		return nil, nil, fmt.Errorf("audio: the key id %q has more than %d bytes", keyID, idSize)
	}
	h := make([]byte, headSize)
	be := binary.BigEndian
	copy(h, recMagic)
	be.PutUint16(h[8:], recVersion)
	be.PutUint16(h[10:], 2)
	be.PutUint32(h[12:], Rate)
	be.PutUint32(h[16:], chunkSamples)
	be.PutUint64(h[24:], uint64(started.UnixMilli()))
	_, _ = rand.Read(h[32:40])
	_, _ = rand.Read(h[56:64])
	var key [32]byte
	_, _ = rand.Read(key[:])
	if err := wrap(h, key[:], master, keyID); err != nil {
		return nil, nil, err
	}
	s := &seal{prefix: [8]byte(h[56:64])}
	var err error
	s.aead, err = gcm(key[:])
	return s, h, err
}

// wrap puts the file's key into the header under a master key.
func wrap(h, key, master []byte, keyID string) error {
	m, err := gcm(master)
	if err != nil {
		return err
	}
	clear(h[40:56])
	copy(h[40:56], keyID)
	_, _ = rand.Read(h[64:76])
	m.Seal(h[76:76], h[64:76], key, h[:64])
	return nil
}

// unwrap reads the header and finds the file's key.
func unwrap(h []byte, keys Keys) (key []byte, err error) {
	be := binary.BigEndian
	if len(h) != headSize || string(h[:8]) != recMagic || be.Uint16(h[8:]) != recVersion || be.Uint16(h[10:]) != 2 ||
		be.Uint32(h[12:]) != Rate || be.Uint32(h[16:]) != chunkSamples {
		return nil, fmt.Errorf("%w (header)", ErrRecording)
	}
	id := string(bytes.TrimRight(h[40:56], "\x00"))
	master, err := keys(id)
	if err != nil {
		return nil, fmt.Errorf("audio: recording key %q: %w", id, err)
	}
	m, err := gcm(master)
	if err != nil {
		return nil, err
	}
	if key, err = m.Open(nil, h[64:76], h[76:headSize], h[:64]); err != nil {
		return nil, fmt.Errorf("%w (key %q)", ErrRecording, id)
	}
	return key, nil
}

func (s *seal) nonce(n uint32) []byte {
	return binary.BigEndian.AppendUint32(s.prefix[:len(s.prefix):len(s.prefix)], n)
}

// lock seals a chunk or the summary (n = 0xFFFFFFFF) onto dst.
func (s *seal) lock(dst []byte, n uint32, plain []byte) []byte {
	return s.aead.Seal(dst, s.nonce(n), plain, nil)
}

// unlock opens what lock made.
func (s *seal) unlock(dst []byte, n uint32, sealed []byte) ([]byte, error) {
	b, err := s.aead.Open(dst, s.nonce(n), sealed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w (second %d)", ErrRecording, n)
	}
	return b, nil
}

// chunkAt gives the place of a chunk in the file.
func chunkAt(n int) int64 { return headSize + int64(n)*sealedSize }
