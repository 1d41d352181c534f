package acd

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/kapok-hotline/kapok/core/id"
)

// need is a Need with its skill interned.
type need struct {
	skill        int32
	level, floor uint8
}

// class is a set of waiting contacts that the same agents may take: one queue at one relax level and with one
// number of open rings, one channel, the same extra needs and, where a ring asks for it, the same own site.
// Eligibility is computed once for a class and a profile, never for a contact and an agent.
type class struct {
	live    bool
	pinned  bool // belongs to the plain grid of its queue; others are dropped when unused
	channel uint8
	relax   uint8
	ring    uint8
	queue   int32
	site    int32  // the contacts' own site when a ring opens to it, else none
	needs   []need // of the queue and the contacts, as relaxed
	key     string // in Brain.classKeys; "" when pinned
	refs    int    // contacts in it, or whose last class it is
	heap    heap   // waiting contacts by order key
	fits    bitset // eligible profiles
	staff   int    // signed-in agents of eligible profiles
	here    int    // of these, who are not away
	since   int64  // when staff became 0
}

// profile is a set of agents who may take the same contacts: same skills, sites and queue list.
type profile struct {
	live   bool
	key    string
	skills []need // level = mastery
	sites  []int32
	queues []int32 // nil = all
	refs   int     // signed-in agents
	here   int     // of these, who are not away
	idle   [MaxChannels]heap
	fits   bitset // classes
}

// refusal says why a profile may not take a class: the first rule it breaks.
type refusal struct {
	why   Refusal
	skill int32
}

// judge tests eligibility: queue list, site, then each need.
func judge(k *class, p *profile, q *queue) refusal {
	if p.queues != nil && !slices.Contains(p.queues, k.queue) {
		return refusal{NotInQueue, none}
	}
	if !q.opensTo(k, p.sites) {
		return refusal{NotInRing, none}
	}
	for _, n := range k.needs {
		i := slices.IndexFunc(p.skills, func(s need) bool { return s.skill == n.skill })
		if i < 0 {
			return refusal{NoSkill, n.skill}
		}
		if p.skills[i].level < n.level {
			return refusal{LowLevel, n.skill}
		}
	}
	return refusal{Eligible, none}
}

// classFor returns the class the contact belongs to at a relax level with so many rings open.
func (b *Brain) classFor(c *contact, d *details, relax, ring uint8) int32 {
	q := &b.queues[c.queue]
	site := none // the details are only looked at when they matter
	if ring >= q.ownFrom {
		site = d.site
	}
	if c.plain && site == none {
		at := &q.plain[(int(c.channel)*(MaxLevel+1)+int(relax))*len(q.rings)+int(ring)]
		if *at == none {
			*at = b.addClass(class{pinned: true, channel: c.channel, relax: relax, ring: ring, queue: c.queue, site: none, needs: relaxed(q.needs, nil, relax)})
		}
		return *at
	}
	key := binary.AppendVarint(b.scratch[:0], int64(c.queue))
	key = binary.AppendVarint(key, int64(q.version)) // an older configuration's classes are not found again
	key = append(key, c.channel, relax, ring)
	key = binary.AppendVarint(key, int64(site))
	for _, n := range d.needs {
		key = append(binary.AppendVarint(key, int64(n.skill)), n.level, n.floor)
	}
	b.scratch = key
	if k, ok := b.classKeys[string(key)]; ok {
		return k
	}
	k := b.addClass(class{
		channel: c.channel, relax: relax, ring: ring, queue: c.queue, site: site,
		needs: relaxed(q.needs, d.needs, relax), key: string(key),
	})
	b.classKeys[b.classes[k].key] = k
	return k
}

// relaxed joins the needs of a queue and a contact, the stronger where both name a skill, and lowers them.
func relaxed(queue, own []need, by uint8) []need {
	out := slices.Clone(queue)
	for _, n := range own {
		if i := slices.IndexFunc(out, func(o need) bool { return o.skill == n.skill }); i >= 0 {
			out[i].level, out[i].floor = max(out[i].level, n.level), max(out[i].floor, n.floor)
		} else {
			out = append(out, n)
		}
	}
	for i, n := range out {
		out[i].level = max(n.floor, n.level-min(n.level, by))
	}
	return out
}

func (b *Brain) addClass(k class) int32 {
	if b.classIdle > classKeep {
		b.sweepClasses()
	}
	i := int32(len(b.classes))
	if n := len(b.freeClasses); n > 0 {
		i, b.freeClasses = b.freeClasses[n-1], b.freeClasses[:n-1]
		k.heap, k.fits = b.classes[i].heap, b.classes[i].fits[:0]
		b.classes[i] = k
	} else {
		b.classes = append(b.classes, k)
		b.demand.grow(len(b.classes))
	}
	c := &b.classes[i]
	c.live, c.since = true, b.now
	if !c.pinned {
		b.classIdle++
	}
	for j := range b.profiles {
		p := &b.profiles[j]
		if p.live && judge(c, p, &b.queues[c.queue]).why == Eligible {
			c.fits.add(int32(j))
			p.fits.add(i)
			c.staff += p.refs
			c.here += p.here
		}
	}
	return i
}

func (b *Brain) dropClass(i int32) {
	k := &b.classes[i]
	for w, set := range k.fits {
		for ; set != 0; set &= set - 1 {
			b.profiles[w<<6+bits.TrailingZeros64(set)].fits.remove(i)
		}
	}
	if k.key != "" {
		delete(b.classKeys, k.key)
	}
	k.live, k.key, k.needs = false, "", nil
	b.freeClasses = append(b.freeClasses, i)
}

// classKeep and profileKeep are how many unused classes and profiles are kept for the next who needs them.
const (
	classKeep   = 4096
	profileKeep = 4096
)

func (b *Brain) sweepClasses() {
	for i := range b.classes {
		if k := &b.classes[i]; k.live && !k.pinned && k.refs == 0 {
			b.dropClass(int32(i))
		}
	}
	b.classIdle = 0
}

// holdClass and freeClass count the contacts that refer to a class.
func (b *Brain) holdClass(i int32) {
	k := &b.classes[i]
	if k.refs == 0 && !k.pinned {
		b.classIdle--
	}
	k.refs++
}

func (b *Brain) freeClass(i int32) {
	k := &b.classes[i]
	k.refs--
	if k.refs > 0 {
		return
	}
	switch {
	case !k.pinned:
		b.classIdle++
	case b.queues[k.queue].stale(k, i):
		b.dropClass(i)
	}
}

// profileFor interns the agent's abilities.
func (b *Brain) profileFor(a *Agent) int32 {
	var p profile
	for _, s := range a.Skills {
		n := need{skill: b.names.of(string(s.Skill)), level: min(s.Level, MaxLevel)}
		if i := slices.IndexFunc(p.skills, func(o need) bool { return o.skill == n.skill }); i >= 0 {
			p.skills[i].level = max(p.skills[i].level, n.level)
		} else {
			p.skills = append(p.skills, n)
		}
	}
	slices.SortFunc(p.skills, func(x, y need) int { return int(x.skill - y.skill) })
	p.sites = interned(&b.names, a.Sites)
	if len(a.Queues) > 0 {
		p.queues = []int32{}
		for _, q := range a.Queues {
			p.queues = append(p.queues, b.queueSlot(q))
		}
		slices.Sort(p.queues)
		p.queues = slices.Compact(p.queues)
	}
	key := binary.AppendVarint(b.scratch[:0], int64(len(p.skills)))
	for _, s := range p.skills {
		key = append(binary.AppendVarint(key, int64(s.skill)), s.level)
	}
	key = binary.AppendVarint(key, int64(len(p.sites)))
	for _, s := range append(slices.Clone(p.sites), p.queues...) {
		key = binary.AppendVarint(key, int64(s))
	}
	b.scratch = key
	if i, ok := b.profileKeys[string(key)]; ok {
		return i
	}
	p.key = string(key)
	return b.addProfile(p)
}

func (b *Brain) addProfile(p profile) int32 {
	if b.profileIdle > profileKeep {
		b.sweepProfiles()
	}
	i := int32(len(b.profiles))
	if n := len(b.freeProfiles); n > 0 {
		i, b.freeProfiles = b.freeProfiles[n-1], b.freeProfiles[:n-1]
		p.idle, p.fits = b.profiles[i].idle, b.profiles[i].fits[:0]
		b.profiles[i] = p
	} else {
		b.profiles = append(b.profiles, p)
		for ch := range b.supply {
			b.supply[ch].grow(len(b.profiles))
		}
	}
	n := &b.profiles[i]
	n.live = true
	b.profileIdle++
	b.profileKeys[n.key] = i
	for j := range b.classes {
		if k := &b.classes[j]; k.live && judge(k, n, &b.queues[k.queue]).why == Eligible {
			n.fits.add(int32(j))
			k.fits.add(i)
		}
	}
	return i
}

func (b *Brain) sweepProfiles() {
	for i := range b.profiles {
		p := &b.profiles[i]
		if !p.live || p.refs > 0 {
			continue
		}
		for w, set := range p.fits {
			for ; set != 0; set &= set - 1 {
				b.classes[w<<6+bits.TrailingZeros64(set)].fits.remove(int32(i))
			}
		}
		delete(b.profileKeys, p.key)
		p.live = false
		b.freeProfiles = append(b.freeProfiles, int32(i))
	}
	b.profileIdle = 0
}

// staff adds or takes away a signed-in agent of the profile. A contact whose last class loses its only agent, or
// gets one, has its no-agent clock set anew.
func (b *Brain) staff(profile int32, by int) {
	p := &b.profiles[profile]
	if p.refs == 0 {
		b.profileIdle--
	}
	p.refs += by
	if p.refs == 0 {
		b.profileIdle++
	}
	for w := range p.fits {
		for set := p.fits[w]; set != 0; set &= set - 1 {
			i := int32(w<<6 + bits.TrailingZeros64(set))
			k := &b.classes[i]
			k.staff += by
			if k.staff > 0 && (by < 0 || k.staff > by) {
				continue
			}
			if k.staff == 0 {
				k.since = b.now
			}
			q := &b.queues[k.queue]
			if k.refs == 0 || q.cfg.NoAgentRule == "" {
				continue
			}
			for _, c := range q.members {
				if b.contacts[c].last == i {
					b.armContact(c)
				}
			}
		}
	}
}

// attend counts an agent among those who are not away, or no more.
func (b *Brain) attend(ai int32, here bool) {
	a := &b.agents[ai]
	if a.counted == here {
		return
	}
	a.counted = here
	by := 1
	if !here {
		by = -1
	}
	p := &b.profiles[a.profile]
	p.here += by
	for w := range p.fits {
		for set := p.fits[w]; set != 0; set &= set - 1 {
			b.classes[w<<6+bits.TrailingZeros64(set)].here += by
		}
	}
}

// names interns the words of a configuration. They are never forgotten: their number is that of skills, sites
// and queues a hotline ever had while the brain lives.
type names struct {
	slot map[string]int32
	text []string
}

func (n *names) of(s string) int32 {
	i, ok := n.slot[s]
	if !ok {
		i = int32(len(n.text))
		n.slot[s] = i
		n.text = append(n.text, s)
	}
	return i
}

// interned returns the sorted set of numbers of the sites.
func interned(n *names, sites []id.Site) []int32 {
	var out []int32
	for _, s := range sites {
		out = append(out, n.of(string(s)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
