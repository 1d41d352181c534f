package ua

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// TabConfig says where a browser tab registers, as whom, and from which address of this machine.
type TabConfig struct {
	URL                 string // ws://host/sip
	Header              http.Header
	User, Secret, Realm string
	IP                  string
}

// Tab is an agent's browser: SIP over a WebSocket (RFC 7118), sound by ICE, DTLS and SRTP. It answers every call by
// itself, as a page does with one that is brought back, sends a tone and measures what it hears.
type Tab struct {
	cfg    TabConfig
	ws     *websocket.Conn
	ctx    context.Context //nolint:containedctx // the tab's own life
	end    context.CancelFunc
	work   sync.WaitGroup
	tone   float64
	host   string
	talks  chan *TabMedia
	mu     sync.Mutex
	answer chan *Message // to REGISTER
	mute   bool          // the network is gone: nothing goes out any more
	media  []*TabMedia
}

// OpenTab connects and registers; from then on calls are answered with a tone of so many Hz.
func OpenTab(ctx context.Context, cfg TabConfig, tone float64) (*Tab, error) {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(cfg.IP)}}
	ws, resp, err := websocket.Dial(ctx, cfg.URL, &websocket.DialOptions{ //nolint:bodyclose // the library closes it
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}, HTTPHeader: cfg.Header, Subprotocols: []string{"sip"},
	})
	if err != nil {
		if resp != nil {
			err = fmt.Errorf("%s: %w", resp.Status, err)
		}
		return nil, err
	}
	ws.SetReadLimit(1 << 16)
	t := &Tab{cfg: cfg, ws: ws, tone: tone, host: token() + ".invalid", talks: make(chan *TabMedia, 4), answer: make(chan *Message, 4)}
	t.ctx, t.end = context.WithCancel(context.Background())
	t.work.Go(t.read)
	if err := t.register(ctx); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Talks gives the sound of each call when it stands.
func (t *Tab) Talks() <-chan *TabMedia { return t.talks }

// Vanish is the loss of the network: sockets stay as they are, and nothing goes out any more.
func (t *Tab) Vanish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mute = true
	for _, m := range t.media {
		m.mute.Store(true)
	}
}

// Close ends the tab.
func (t *Tab) Close() {
	t.end()
	_ = t.ws.CloseNow()
	t.mu.Lock()
	media := t.media
	t.media = nil
	t.mu.Unlock()
	for _, m := range media {
		m.Close()
	}
	t.work.Wait()
}

func (t *Tab) send(text string) error {
	t.mu.Lock()
	mute := t.mute
	t.mu.Unlock()
	if mute {
		return nil
	}
	return t.ws.Write(t.ctx, websocket.MessageText, []byte(text))
}

func (t *Tab) read() {
	for {
		_, b, err := t.ws.Read(t.ctx)
		if err != nil {
			return
		}
		m := parse(string(b))
		switch {
		case m.Code() >= 200 && strings.HasSuffix(m.Get("CSeq"), "REGISTER"):
			select {
			case t.answer <- m:
			default:
			}
		case m.Method() == "INVITE":
			t.work.Go(func() { t.lift(m) })
		case m.Method() != "" && m.Method() != "ACK":
			_ = t.send(m.reply(200, "OK", t.host, ""))
		}
	}
}

func (t *Tab) contact() string { return fmt.Sprintf("<sip:%s@%s;transport=ws>", t.cfg.User, t.host) }

func (t *Tab) register(ctx context.Context) error {
	p := Phone{User: t.cfg.User, Password: t.cfg.Secret}
	callID, from, auth := token(), token(), ""
	for seq := 1; seq < 4; seq++ {
		s := fmt.Sprintf("REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/WS %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n", t.cfg.Realm, t.host, token())
		s += fmt.Sprintf("From: <sip:%s@%s>;tag=%s\r\nTo: <sip:%s@%s>\r\n", t.cfg.User, t.cfg.Realm, from, t.cfg.User, t.cfg.Realm)
		s += fmt.Sprintf("Call-ID: %s\r\nCSeq: %d REGISTER\r\nContact: %s;expires=120\r\n%sContent-Length: 0\r\n\r\n", callID, seq, t.contact(), auth)
		if err := t.send(s); err != nil {
			return err
		}
		select {
		case m := <-t.answer:
			if m.Code() == 200 {
				return nil
			}
			var err error
			if auth, err = p.authorize(m, "REGISTER", "sip:"+t.cfg.Realm); err != nil || m.Code() != 401 {
				return errors.Join(err, &Refused{m.Code(), m.Start})
			}
		case <-time.After(giveUp):
			return ErrSilence
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.New("the registrar never takes the secret")
}

// lift answers a call and brings its sound up.
func (t *Tab) lift(invite *Message) {
	m, err := newTabMedia(t.ctx, t.cfg.IP, invite.Body, t.tone)
	if err != nil {
		_ = t.send(invite.reply(488, "Not Acceptable Here", t.host, "", "Warning: 399 tab \""+err.Error()+"\""))
		return
	}
	t.mu.Lock()
	t.media = append(t.media, m)
	m.mute.Store(t.mute)
	t.mu.Unlock()
	if err := t.send(invite.reply(200, "OK", t.host, m.describe(), "Contact: "+t.contact())); err != nil {
		return
	}
	if err := m.connect(t.ctx); err != nil {
		return
	}
	select {
	case t.talks <- m:
	default:
	}
}
