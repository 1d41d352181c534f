package calls

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// baresip is a desk phone by somebody else: it registers, answers by itself, plays a tone and records what it hears.
type baresip struct {
	dir string // its files: what it hears is dump-…-dec.wav
	log bytes.Buffer
	cmd *exec.Cmd
}

const baresipConfig = `poll_method epoll
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path .
module_tmp uuid.so
module_tmp account.so
module_app menu.so
audio_player aubridge,nowhere
audio_source aufile,tone.wav
audio_alert aufile,/dev/null
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
`

// startBaresip starts baresip as a desk phone that sends a tone and writes down what it hears.
func startBaresip(t *testing.T, account string, tone float64) *baresip {
	t.Helper()
	return runBaresip(t, baresipConfig, account+"\n", tone)
}

// runBaresip starts baresip with the two files of its folder. Where it listens is said beside them: in a network
// of its own, and at a port of its own.
func runBaresip(t *testing.T, config, accounts string, tone float64) *baresip {
	t.Helper()
	dir := t.TempDir()
	b := &baresip{dir: dir}
	ip := "127.0.0.1"
	if os.Getenv(inside) != "" {
		ip = "10.77.0.1"
	}
	port, err := house.FreePort("udp")
	must(t, err)
	config = fmt.Sprintf("sip_listen %s:%d\n%s", ip, port, config)
	for name, content := range map[string][]byte{
		"config": []byte(config), "accounts": []byte(accounts), "contacts": nil, "tone.wav": toneWAV(tone, 60*time.Second),
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	b.cmd = exec.Command("baresip", "-f", dir, "-v")
	b.cmd.Dir = dir
	b.cmd.Stdout, b.cmd.Stderr = &b.log, &b.log
	must(t, b.cmd.Start())
	t.Cleanup(func() {
		b.stop()
		if t.Failed() {
			t.Log("baresip said:\n" + tail(b.log.String(), 40))
		}
	})
	return b
}

// stop ends baresip in good order, so that its recording is whole.
func (b *baresip) stop() {
	if b.cmd.ProcessState != nil {
		return
	}
	_ = b.cmd.Process.Signal(os.Interrupt) // it may have ended by itself
	done := make(chan struct{})
	go func() {
		_ = b.cmd.Wait() // its status says nothing
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = b.cmd.Process.Kill() // as above
		<-done
	}
}

// heard gives the WAV file of what came out of the handset.
func (b *baresip) heard(t *testing.T) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(b.dir, "*-dec.wav"))
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("baresip has written %d files of what it heard", len(files))
	}
	wav, err := os.ReadFile(files[0])
	must(t, err)
	return wav
}

// toneWAV is a sine in 8 kHz, 16 bit, mono.
func toneWAV(hz float64, length time.Duration) []byte {
	n := int(length.Seconds() * 8000)
	var b bytes.Buffer
	b.WriteString("RIFF")
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // into memory: cannot fail
	put(uint32(36 + 2*n))
	b.WriteString("WAVEfmt ")
	put(uint32(16))
	put([]uint16{1, 1})
	put([]uint32{8000, 16000})
	put([]uint16{2, 16})
	b.WriteString("data")
	put(uint32(2 * n))
	for i := range n {
		put(int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/8000)))
	}
	return b.Bytes()
}

// TestFirstCall is a call from the street to a desk phone by others, in the menu by keys, with sound both ways, and
// everything the house says of it afterwards.
func TestFirstCall(t *testing.T) {
	s := stage(t, 1)
	b := startBaresip(t, fmt.Sprintf("<sip:8001@%s>;auth_user=8001;auth_pass=%s;answermode=auto;audio_codecs=pcma;regint=60", s.h.SIP, house.Password), 880)
	a := &agent{s: s, user: "1001"}
	var err error
	a.Client, err = s.h.Login(s.ctx, "1001")
	must(t, err)
	must(t, a.Ready(s.ctx, "8001"))
	s.eventually("baresip has registered and 1001 is ready", func() bool {
		d := a.desk()
		return d.Endpoint.Registered && d.State.State == "ready"
	})

	c := s.call("12366", 440)
	time.Sleep(500 * time.Millisecond)
	c.Media.Press("1")
	time.Sleep(time.Second)
	c.Media.Press("1")
	contact := a.talks()
	s.hears(c.Media, 880, "baresip")
	time.Sleep(3 * time.Second)
	c.Hangup(s.ctx)
	s.eventually("wrap-up", func() bool { return a.state() == "wrapup" })
	must(t, a.WrapUp(s.ctx, contact, "0101"))
	b.stop()

	sound, err := ua.Channels(b.heard(t))
	must(t, err)
	if share, level := ua.Loudest(sound[0], 440); share < 0.9 {
		t.Errorf("baresip hears the caller at %.2f, %.0f dB", share, level)
	}
	st := s.story(c.number, "recorded and wrapped up", func(st *story) bool { return len(st.Recordings) == 1 && st.Wrapup != nil })
	if st.Contact.ID != contact || st.Contact.Outcome != "answered" || st.Contact.Queue != "iit" || st.Contact.Topic != "0101" {
		t.Errorf("the contact: %+v", st.Contact)
	}
	if len(st.Legs) != 2 || len(st.Ladder) < 10 || len(st.Offers) != 1 || len(st.Offers[0].Trace) < 20 {
		t.Errorf("%d legs, %d lines of signalling, offers %s", len(st.Legs), len(st.Ladder), st.results())
	}
	legsAddUp(s, st)
	eachOnItsOwnChannel(s, st)
	agree(s, st)
	s.doctor()
}

// eachOnItsOwnChannel downloads the recording as a team leader does: the caller is on the left, the agent on the
// right, and neither on the other.
func eachOnItsOwnChannel(s *scene, st *story) {
	s.t.Helper()
	r := st.Recordings[0]
	if r.Missing != "" || r.LeftDB < -40 || r.RightDB < -40 {
		s.t.Errorf("the recording: %+v", r)
	}
	wav, err := s.leader.Raw(s.ctx, "GET", "/recordings/"+r.ID+"/sound", nil)
	must(s.t, err)
	sound, err := ua.Channels(wav)
	must(s.t, err)
	if len(sound) != 2 {
		s.t.Fatalf("the recording has %d channels", len(sound))
	}
	for i, hz := range []float64{440, 880} {
		own, level := ua.Loudest(sound[i], hz)
		other, _ := ua.Loudest(sound[i], 1320-hz)
		if own < 0.9 || other > 0.05 {
			s.t.Errorf("channel %d: %.2f of its own voice at %.0f dB, %.2f of the other", i, own, level, other)
		}
	}
}

// agree compares the contact with the interval report, the wallboard and the contact list.
func agree(s *scene, st *story) {
	s.t.Helper()
	var wall struct {
		RateToday *float64 `json:"rate_today"`
		Queues    []struct {
			Code     string `json:"code"`
			Entered  int    `json:"entered"`
			Answered int    `json:"answered"`
		} `json:"queues"`
		Waiting int `json:"waiting"`
	}
	must(s.t, s.leader.Get(s.ctx, "/wallboard?site=gz", &wall))
	if wall.RateToday == nil || *wall.RateToday != 1 || wall.Waiting != 0 {
		s.t.Errorf("the wallboard: rate %v, waiting %d", wall.RateToday, wall.Waiting)
	}
	for _, q := range wall.Queues {
		if q.Code == "iit" && (q.Entered != 1 || q.Answered != 1) {
			s.t.Errorf("the wallboard has %+v", q)
		}
	}
	zone, err := time.LoadLocation("Asia/Shanghai")
	must(s.t, err)
	day := time.Now().In(zone).Format(time.DateOnly)
	for _, by := range []string{"queue", "agent", "site"} {
		var report struct {
			Rows []struct {
				Key      string              `json:"key"`
				Measures map[string]*float64 `json:"measures"`
			} `json:"rows"`
			Totals struct {
				Measures map[string]*float64 `json:"measures"`
			} `json:"totals"`
		}
		must(s.t, s.leader.Get(s.ctx, "/reports/interval?by="+by+"&step=15&from="+day+"&to="+day, &report))
		want := map[string]string{"queue": "iit", "agent": "1001", "site": "gz"}[by]
		found := false
		for _, r := range report.Rows {
			found = found || r.Key == want
		}
		if !found {
			s.t.Errorf("the report by %s has no row %s: %+v", by, want, report.Rows)
		}
		if v := report.Totals.Measures["JTL"]; by != "agent" && (v == nil || *v != 1) {
			s.t.Errorf("the report by %s says JTL %v", by, v)
		}
	}
	csv, err := s.leader.Raw(s.ctx, "GET", "/reports/interval/export?by=queue&step=day&from="+day+"&to="+day, nil)
	must(s.t, err)
	if !strings.Contains(string(csv), "个人所得税") {
		s.t.Errorf("the export lacks the queue:\n%s", csv)
	}
	if st.Contact.TalkMs < 3000 || st.Contact.LengthMs < st.Contact.TalkMs {
		s.t.Errorf("talk %d ms of %d", st.Contact.TalkMs, st.Contact.LengthMs)
	}
}
