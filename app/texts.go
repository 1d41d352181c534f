package app

import (
	"embed"
	"io/fs"

	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/modules/alert"
	"github.com/kapok-hotline/kapok/modules/caller"
	"github.com/kapok-hotline/kapok/modules/customer"
	"github.com/kapok-hotline/kapok/modules/desk"
	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/modules/missed"
	"github.com/kapok-hotline/kapok/modules/outbound"
	"github.com/kapok-hotline/kapok/modules/report"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/modules/voice"
	"github.com/kapok-hotline/kapok/platform/calendar"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/web"
)

//go:embed texts/*.json
var textFiles embed.FS

// houseTexts gives the sentences that no module brings: those of app itself, of the configuration and of flows.
func houseTexts() []fs.FS {
	own, err := fs.Sub(textFiles, "texts")
	if err != nil {
		panic("app: own texts: " + err.Error()) // embedded at build time
	}
	return []fs.FS{own, section.Texts(), flow.Texts()}
}

// ownTexts gives every sentence of the program without a house: for what a command says on the terminal.
// A module's texts are in the program, so a module that was never made has them too.
func ownTexts() []fs.FS {
	out := append(web.OwnTexts(), houseTexts()...)
	out = append(out, calendar.Texts())
	for _, m := range []hasTexts{
		(*identity.Module)(nil), (*customer.Module)(nil), (*report.Module)(nil), (*routing.Module)(nil),
		(*voice.Module)(nil), (*desk.Module)(nil), (*alert.Module)(nil), (*missed.Module)(nil), (*outbound.Module)(nil), (*caller.Module)(nil),
	} {
		out = append(out, m.Texts())
	}
	return out
}
