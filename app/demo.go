package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/app/demo"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/conf"
	"github.com/kapok-hotline/kapok/sim/callers"
)

const demoHelp = `
kapok demo [--fresh] [--callers=false] [--speed N] [--agents N] [--days N] [flags of kapok serve]
  A whole hotline in one process: a bureau of 33 agents, 150 days of invented history, and simulated callers and
  agents on loopback. Sign in with one click from this machine; agents 1001 to 1004 are left free for people.
  The folder is kept; the history is loaded once. A loading that was broken off goes on at the next start.

  --fresh          empty the demo's folder and begin anew (only a folder that kapok demo made)
  --callers=false  no simulated callers and agents
  --speed N        so many times the calls, each so much shorter; 0.1 to 20 (default 1)
  --agents N       simulated agents, 0 to 33 (default 29)
  --days N         days of history, 0 to 150 (default 150)
  --data DIR       data folder (default ./kapok-demo)
  All else is as with kapok serve, see ` + "`kapok serve --help`" + `.

Examples:
  kapok demo
  kapok demo --fresh --speed 3
  kapok demo --callers=false --days 0 --data /tmp/quiet --http 127.0.0.1:9090`

const (
	demoSeed   = 12366
	demoData   = "./kapok-demo"
	demoZone   = "Asia/Shanghai"
	demoRobots = 29
	demoPeak   = 440.0 // calls in the hour from 10:00: some 22 talks at once
)

// demoOptions are the demo's own flags and the process's.
type demoOptions struct {
	cfg     conf.Config
	fresh   bool
	callers bool
	speed   float64
	agents  int
	days    int
}

// demoFlags takes the demo's own flags out of the arguments and leaves the rest to the process's.
func demoFlags(args []string) (o demoOptions, err error) {
	f := flag.NewFlagSet("demo", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.BoolVar(&o.fresh, "fresh", false, "")
	f.BoolVar(&o.callers, "callers", true, "")
	f.Float64Var(&o.speed, "speed", 1, "")
	f.IntVar(&o.agents, "agents", demoRobots, "")
	f.IntVar(&o.days, "days", demo.Days, "")
	var own, rest []string
	for i := 0; i < len(args); i++ {
		name, _, whole := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		known := f.Lookup(name)
		if known == nil || !strings.HasPrefix(args[i], "-") {
			rest = append(rest, args[i])
			continue
		}
		own = append(own, args[i])
		if flagged, ok := known.Value.(interface{ IsBoolFlag() bool }); (!ok || !flagged.IsBoolFlag()) && !whole && i+1 < len(args) {
			i++
			own = append(own, args[i])
		}
	}
	if err := f.Parse(own); err != nil {
		return o, fmt.Errorf("%w; `kapok demo --help` says more", err)
	}
	cfg, left, err := loadConfig(rest, demoData)
	if err == nil {
		err = alone(cfg)
	}
	switch {
	case err != nil:
		return o, err
	case len(left) > 0:
		return o, errUsage
	case o.speed < .1 || o.speed > 20:
		return o, errors.New("--speed: from 0.1 to 20")
	case o.agents < 0 || o.agents > 33:
		return o, errors.New("--agents: from 0 to 33")
	case o.days < 0 || o.days > demo.Days:
		return o, fmt.Errorf("--days: from 0 to %d", demo.Days)
	case o.callers && (cfg.HTTP == "" || cfg.SIP == ""):
		return o, errors.New("the simulated callers and agents need --http and --sip; give both, or --callers=false")
	}
	o.cfg = cfg
	return o, nil
}

func runDemo(ctx context.Context, c *call) error {
	o, err := demoFlags(c.args)
	if err != nil {
		return err
	}
	zone, err := clock.Zone(demoZone)
	if err != nil {
		return err
	}
	m, err := demoFolder(o, clock.System().Now().In(zone))
	if err != nil {
		return err
	}
	opened := options(o.cfg, c)
	opened.Demo = true
	h, err := Open(ctx, opened)
	if err != nil {
		return err
	}
	phones, err := h.prepareDemo(ctx, m, c)
	if err != nil {
		h.close()
		if ctx.Err() != nil {
			return errors.New(wordsFor(language()).brokenOff)
		}
		return err
	}
	return h.runWithTown(ctx, c, o, phones)
}

// runWithTown runs the house, and the callers within its life: at the end these go first, hang up and sign out, so
// that the house's books close in good order.
func (h *House) runWithTown(ctx context.Context, c *call, o demoOptions, phones map[string]string) error {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	visit, leave := context.WithCancel(ctx)
	defer leave()
	var ready atomic.Bool
	defer context.AfterFunc(ctx, func() {
		if !ready.Load() {
			stop()
		}
	})()
	var visitors sync.WaitGroup
	err := h.Run(life, func() {
		ready.Store(true)
		h.welcome(c)
		visitors.Go(func() {
			defer stop()
			if o.callers {
				h.visit(visit, o, phones)
			}
			<-visit.Done()
		})
	})
	leave()
	visitors.Wait()
	return err
}

// prepareDemo configures the bureau and loads its history, once; it gives the phones' passwords.
func (h *House) prepareDemo(ctx context.Context, m *marker, c *call) (map[string]string, error) {
	phones, err := h.demoBureau(ctx, m)
	if err != nil {
		return nil, err
	}
	if err := h.identity.Refresh(ctx); err != nil {
		return nil, err
	}
	if err := h.calendar.Reload(ctx); err != nil {
		return nil, err
	}
	if m.Loaded {
		return phones, nil
	}
	now := h.clock.Now
	p := progress{out: c.out, terminal: isTerminal(c.out), words: wordsFor(language()), began: now(), now: now}
	sum, err := h.loadHistory(ctx, m, p.tell)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(c.out, p.words.loaded+"\n", sum.Contacts, now().Sub(p.began).Seconds())
	return phones, nil
}

// demoBureau brings the configuration of the bureau into an empty house, with a password for each desk phone.
func (h *House) demoBureau(ctx context.Context, m *marker) (map[string]string, error) {
	all, err := demo.Phones()
	if err != nil {
		return nil, err
	}
	codes := make([]string, len(all))
	for i, p := range all {
		codes[i] = p.Code
	}
	phones, fresh, err := demoPhones(h.o.Data, codes)
	if err != nil || m.Bureau && !fresh {
		return phones, err
	}
	if !m.Bureau {
		if err := h.apply(ctx, demo.Bureau()); err != nil {
			return nil, err
		}
	}
	type phone struct {
		demo.Phone
		Password string `json:"password"`
	}
	secret := make([]phone, len(all))
	for i, p := range all {
		secret[i] = phone{p, phones[p.Code]}
	}
	file, err := json.Marshal(map[string]any{"phones": secret}) // JSON is YAML
	if err != nil {
		return nil, err
	}
	if err := h.apply(ctx, file); err != nil {
		return nil, err
	}
	m.Bureau = true
	return phones, m.write()
}

// visit lets the callers dial in and the simulated agents sit down, until ctx ends.
func (h *House) visit(ctx context.Context, o demoOptions, phones map[string]string) {
	town, err := h.town(o, phones)
	if err == nil {
		err = town.Run(ctx)
	}
	if err != nil {
		h.log.Error("there are no simulated callers", "err", err)
		return
	}
	s := town.Stats()
	h.log.Info("the simulated callers have stopped", "dialled", s.Dialled, "answered", s.Answered, "gave_up", s.GaveUp, "redialled", s.Redialled)
}

func (h *House) town(o demoOptions, phones map[string]string) (*callers.Town, error) {
	web, _ := h.web.Addrs()
	sip, err := netip.ParseAddrPort(reachable(fmt.Sprint(h.voice.SIP().Addr("udp"))))
	if err != nil {
		return nil, err
	}
	questions, err := demo.Questions()
	if err != nil {
		return nil, err
	}
	cfg := callers.Config{
		SIP: sip, HTTP: "http://" + reachable(web), Number: "12366", PerHour: demoPeak, Speed: o.speed, Begin: 10 * time.Hour, Crowds: true,
		Seed: uint64(h.clock.Now().UnixNano()), Log: h.log,
		Line: callers.Line{Number: "12365", Share: 0.12, Keys: "1223 0", Queues: []string{"etax_fault", "etax_operation", "etax_policy"}, MovedShare: 0.1},
	}
	for _, p := range demo.People(demoSeed, demo.PeopleCount, demo.Districts()) {
		cfg.People = append(cfg.People, callers.Person{Number: p.Number, TaxID: p.TaxID, Name: p.Firm, District: p.District})
	}
	for _, q := range questions {
		cfg.Notes = append(cfg.Notes, callers.Note{Queue: q.Queue, Topic: q.Topic, Tax: q.Tax, Question: q.Question, Answer: q.Answer})
	}
	for i := range o.agents {
		n := 5 + i // 1005 … 1033, then 1004 … 1001: these are left to people as long as can be
		if n > 33 {
			n = 33 - i
		}
		code := fmt.Sprintf("80%02d", n)
		cfg.Agents = append(cfg.Agents, callers.Agent{User: fmt.Sprintf("10%02d", n), Phone: code, Password: phones[code], Seat: fmt.Sprintf("A%02d", n)})
	}
	return callers.New(cfg)
}

// reachable puts loopback in the place of "all addresses".
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// isTerminal says whether somebody watches the output, so that a line may be written over.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
