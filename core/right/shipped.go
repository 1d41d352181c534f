package right

import "slices"

// All stands for every right there is, those of modules not yet thought of included. Only a role's list may hold
// it; whoever builds a Principal replaces it by the rights the modules declare.
const All Right = "*"

// Role is a set of rights with its names; a person holds roles within a subtree of sites.
type Role struct {
	Code   string
	Name   string // Chinese
	NameEN string
	Rights []Right
}

// Shipped gives the six roles every installation starts with. They are data from then on: a bureau may change
// their rights and add roles of its own.
func Shipped() []Role {
	return []Role{
		{Code: "admin", Name: "系统管理员", NameEN: "Administrator", Rights: []Right{All}},
		{Code: "leader", Name: "班长", NameEN: "Team leader", Rights: []Right{
			"desk.self.use", "desk.call.out", "desk.call.park", "desk.team.see", "desk.seat.manage", "routing.agent.manage",
			"desk.notice.post", "desk.state.force", "desk.session.force", "desk.call.release", "desk.skill.force",
			"alert.board.see", "alert.board.handle", "alert.surge.run",
			"missed.list.see", "missed.list.work", "missed.list.assign", "voice.callback.see", "voice.callback.manage",
			"outbound.list.use", "outbound.list.manage", "caller.mark.see", "caller.mark.ask", "caller.mark.approve",
			"desk.call.listen", "desk.call.whisper", "desk.call.barge", "desk.call.take_over",
			"report.wallboard.see", "report.interval.see", "report.interval.export", "report.contact.see",
			"voice.recording.play", "customer.person.see", "customer.number.reveal", "identity.user.see",
		}},
		{Code: "agent", Name: "坐席员", NameEN: "Agent", Rights: []Right{
			"desk.self.use", "desk.call.out", "desk.call.park", "outbound.list.use", "report.wallboard.see", "customer.person.see",
			"missed.list.see", "missed.list.work", "caller.mark.ask",
		}},
		{Code: "quality", Name: "质检员", NameEN: "Quality assessor", Rights: []Right{
			"report.wallboard.see", "report.interval.see", "report.contact.see",
			"voice.recording.play", "customer.person.see", "identity.user.see",
		}},
		{Code: "manager", Name: "热线负责人", NameEN: "Hotline manager", Rights: []Right{
			"alert.board.see", "alert.board.handle", "alert.rule.manage", "alert.surge.run",
			"missed.list.see", "missed.list.assign", "missed.rule.manage", "voice.callback.see", "voice.callback.manage",
			"outbound.list.manage", "caller.mark.see", "caller.mark.ask", "caller.mark.approve", "caller.rule.manage",
			"desk.notice.post", "desk.team.see", "desk.seat.manage", "desk.list.manage", "routing.queue.manage", "routing.agent.manage", "routing.skill.manage",
			"voice.flow.manage", "voice.prompt.manage", "voice.recording.play", "voice.recording.manage", "voice.call.abroad",
			"report.wallboard.see", "report.interval.see", "report.interval.export", "report.contact.see", "report.cost.manage",
			"customer.person.see", "customer.number.reveal", "platform.calendar.manage", "platform.holiday.manage",
			"identity.user.see", "identity.user.manage", "identity.audit.read", "platform.health.see",
		}},
		{Code: "integrator", Name: "集成人员", NameEN: "Integrator", Rights: []Right{
			"desk.list.manage", "routing.queue.manage", "routing.skill.manage",
			"voice.number.manage", "voice.trunk.manage", "voice.phone.manage", "voice.flow.manage", "voice.prompt.manage", "voice.speech.manage",
			"platform.calendar.manage", "platform.holiday.manage", "identity.site.manage", "identity.token.manage",
			"platform.health.see", "platform.config.manage", "platform.config.see",
		}},
	}
}

// Grant gives the rights of the shipped role with the code, All replaced by the given ones; nil for no such role.
func Grant(code string, all []Right) map[Right]bool {
	roles := Shipped()
	i := slices.IndexFunc(roles, func(r Role) bool { return r.Code == code })
	if i < 0 {
		return nil
	}
	return Expand(roles[i].Rights, all)
}

// Expand makes a set of a role's list, with All replaced by the given rights.
func Expand(list, all []Right) map[Right]bool {
	set := map[Right]bool{}
	for _, r := range list {
		if r != All {
			set[r] = true
			continue
		}
		for _, each := range all {
			set[each] = true
		}
	}
	return set
}
