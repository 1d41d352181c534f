package ua

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // STUN's MESSAGE-INTEGRITY (RFC 8489 §14.5)
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/srtp/v3"
)

// TabMedia is a browser's sound: the controlling side of ICE towards a lite peer (RFC 8445), DTLS client, SRTP.
type TabMedia struct {
	conn       *net.UDPConn
	cert       tls.Certificate
	ufrag, pwd string
	theirs     struct{ ufrag, pwd string }
	to         netip.AddrPort
	tone       float64
	shakes     chan []byte
	checked    chan struct{}
	once       sync.Once
	stop       context.Context //nolint:containedctx // the media's own life
	end        context.CancelFunc
	work       sync.WaitGroup
	mute       atomic.Bool
	packets    atomic.Int64
	suite      string // set before connect ends

	mu    sync.Mutex
	in    *srtp.Context
	out   *srtp.Context
	heard []int16
}

// newTabMedia reads an offer of the house.
func newTabMedia(ctx context.Context, ip, offer string, tone float64) (*TabMedia, error) {
	m := &TabMedia{tone: tone, ufrag: token()[:8], pwd: token() + token(), shakes: make(chan []byte, 64), checked: make(chan struct{})}
	for _, l := range strings.Split(offer, "\n") {
		l = strings.TrimSpace(l)
		if v, ok := strings.CutPrefix(l, "a=ice-ufrag:"); ok {
			m.theirs.ufrag = v
		} else if v, ok := strings.CutPrefix(l, "a=ice-pwd:"); ok {
			m.theirs.pwd = v
		} else if strings.HasPrefix(l, "a=candidate:") && !m.to.IsValid() {
			if f := strings.Fields(l); len(f) > 5 {
				m.to, _ = netip.ParseAddrPort(f[4] + ":" + f[5])
			}
		}
	}
	if !m.to.IsValid() || m.theirs.pwd == "" {
		return nil, errors.New("the offer has no ICE")
	}
	var err error
	if m.cert, err = selfsign.GenerateSelfSigned(); err != nil {
		return nil, err
	}
	if m.conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)}); err != nil {
		return nil, err
	}
	m.stop, m.end = context.WithCancel(ctx)
	m.work.Go(m.listen)
	m.work.Go(m.check)
	return m, nil
}

// describe answers: we are the DTLS client.
func (m *TabMedia) describe() string {
	sum := sha256.Sum256(m.cert.Certificate[0])
	print := strings.ToUpper(strings.TrimRight(strings.ReplaceAll(fmt.Sprintf("% x", sum), " ", ":"), ":"))
	a := m.conn.LocalAddr().(*net.UDPAddr)
	return fmt.Sprintf("v=0\r\no=- 1 2 IN IP4 %[1]s\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio %[2]d UDP/TLS/RTP/SAVPF 8\r\nc=IN IP4 %[1]s\r\n"+
		"a=ice-ufrag:%[3]s\r\na=ice-pwd:%[4]s\r\na=fingerprint:sha-256 %[5]s\r\na=setup:active\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\n"+
		"a=candidate:1 1 udp 2130706431 %[1]s %[2]d typ host\r\n", a.IP, a.Port, m.ufrag, m.pwd, print)
}

func (m *TabMedia) write(b []byte) error {
	if m.mute.Load() {
		return nil
	}
	_, err := m.conn.WriteToUDPAddrPort(b, m.to)
	return err
}

// check sends connectivity checks that nominate (RFC 8445 §7.1), and consent afterwards (RFC 7675).
func (m *TabMedia) check() {
	for pause := 50 * time.Millisecond; ; {
		_ = m.write(m.binding())
		select {
		case <-m.checked:
			pause = 2 * time.Second
		default:
		}
		select {
		case <-time.After(pause):
		case <-m.stop.Done():
			return
		}
	}
}

// binding is a Binding request with USERNAME, PRIORITY, ICE-CONTROLLING, USE-CANDIDATE, MESSAGE-INTEGRITY, FINGERPRINT.
func (m *TabMedia) binding() []byte {
	b := append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, token()[:12]...)
	attribute := func(kind uint16, v []byte) {
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, kind), uint16(len(v)))
		b = append(b, v...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	length := func(more int) { binary.BigEndian.PutUint16(b[2:], uint16(len(b)-20+more)) }
	attribute(0x0006, []byte(m.theirs.ufrag+":"+m.ufrag))
	attribute(0x0024, []byte{0x6e, 0xff, 0xff, 0xff})
	attribute(0x802a, []byte(m.pwd[:8]))
	attribute(0x0025, nil)
	length(24)
	h := hmac.New(sha1.New, []byte(m.theirs.pwd))
	h.Write(b)
	attribute(0x0008, h.Sum(nil))
	length(8)
	attribute(0x8028, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)^0x5354554e))
	return b
}

func (m *TabMedia) listen() {
	b := make([]byte, 2000)
	for {
		n, _, err := m.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if m.stop.Err() != nil {
				return
			}
			continue
		}
		p := append([]byte(nil), b[:n]...)
		switch {
		case n < 2 || m.mute.Load():
		case p[0] < 4:
			if p[0] == 1 && p[1] == 1 { // success
				m.once.Do(func() { close(m.checked) })
			}
		case p[0] >= 20 && p[0] < 64:
			select {
			case m.shakes <- p:
			default:
			}
		case p[1]&0x7f == 8:
			m.hear(p)
		}
	}
}

func (m *TabMedia) hear(p []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.in == nil {
		return
	}
	d, err := m.in.DecryptRTP(nil, p, nil)
	if err != nil || len(d) < 13 {
		return
	}
	m.packets.Add(1)
	for _, v := range d[12+4*int(d[0]&15):] {
		m.heard = append(m.heard, fromALaw(v))
	}
	m.heard = m.heard[max(0, len(m.heard)-memory):]
}

// Packets gives how many packets have come and could be decrypted.
func (m *TabMedia) Packets() int64 { return m.packets.Load() }

// Suite gives what the sound is encrypted with, once the call stands.
func (m *TabMedia) Suite() string { return m.suite }

// Heard gives the samples heard in the last d.
func (m *TabMedia) Heard(d time.Duration) []int16 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]int16(nil), m.heard[max(0, len(m.heard)-int(d.Seconds()*rate)):]...)
}

// connect waits for ICE, shakes hands and begins to speak.
func (m *TabMedia) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	select {
	case <-m.checked:
	case <-ctx.Done():
		return ctx.Err()
	}
	conn, err := dtls.ClientWithOptions(tabConn{m}, net.UDPAddrFromAddrPort(m.to), dtls.WithCertificates(m.cert), dtls.WithInsecureSkipVerify(true),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80), dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret))
	if err != nil {
		return err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	state, ok1 := conn.ConnectionState()
	profile, ok2 := conn.SelectedSRTPProtectionProfile()
	if !ok1 || !ok2 {
		return errors.New("no keys were agreed on")
	}
	c := &srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := c.ExtractSessionKeysFromDTLS(&state, true); err != nil {
		return err
	}
	in, err1 := srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile)
	out, err2 := srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	m.suite = c.Profile.String()
	m.mu.Lock()
	m.in, m.out = in, out
	m.mu.Unlock()
	m.work.Go(m.speak)
	return nil
}

func (m *TabMedia) speak() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	p := make([]byte, 12+packet)
	p[0], p[1] = 0x80, 8
	binary.BigEndian.PutUint32(p[8:], 4242)
	for n := uint32(0); ; n++ {
		select {
		case <-tick.C:
		case <-m.stop.Done():
			return
		}
		binary.BigEndian.PutUint16(p[2:], uint16(n)) //nolint:gosec // it wraps
		binary.BigEndian.PutUint32(p[4:], n*packet)
		for i := range packet {
			p[12+i] = toALaw(int16(8000 * math.Sin(2*math.Pi*m.tone*float64(int(n)*packet+i)/rate)))
		}
		if e, err := m.out.EncryptRTP(nil, p, nil); err == nil {
			_ = m.write(e)
		}
	}
}

// Close ends it without a word.
func (m *TabMedia) Close() {
	m.end()
	_ = m.conn.Close()
	m.work.Wait()
}

// tabConn feeds DTLS from the demultiplexer.
type tabConn struct{ m *TabMedia }

func (c tabConn) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case s := <-c.m.shakes:
		return copy(p, s), net.UDPAddrFromAddrPort(c.m.to), nil
	case <-c.m.stop.Done():
		return 0, nil, net.ErrClosed
	}
}
func (c tabConn) WriteTo(p []byte, _ net.Addr) (int, error) { return len(p), c.m.write(p) }
func (c tabConn) Close() error                              { return nil }
func (c tabConn) LocalAddr() net.Addr                       { return c.m.conn.LocalAddr() }
func (c tabConn) SetDeadline(time.Time) error               { return nil }
func (c tabConn) SetReadDeadline(time.Time) error           { return nil }
func (c tabConn) SetWriteDeadline(time.Time) error          { return nil }
