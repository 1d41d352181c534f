package section

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Rights of the file as a whole; each section has its own besides.
const (
	Manage right.Right = "platform.config.manage" // apply a file
	See    right.Right = "platform.config.see"    // export one
)

// Rights lists the rights this package asks for.
func Rights() []right.Right { return []right.Right{Manage, See} }

// Routes registers the API of the configuration. Routes of a section ask for the right of that section, at the
// site of the item, inside the handler.
func (b *Book) Routes(api *web.API) {
	web.Get(api, "/api/v1/config", right.Own, "Sections of the configuration", b.handleList(api))
	web.Get(api, "/api/v1/config/{section}", right.Own, "Items of a section", b.handleItems)
	web.Put(api, "/api/v1/config/{section}/{code}", right.Own, "Create or replace an item", b.handlePut(api), web.MaxBody(maxTable))
	web.Delete(api, "/api/v1/config/{section}/{code}", right.Own, "Remove an item", b.handleDrop(api))
	web.Get(api, "/api/v1/config/{section}/{code}/history", right.Own, "Former states of an item, newest first", b.handleHistory)
	web.Post(api, "/api/v1/config/{section}/import", right.Own, "Import items from XLSX or CSV", b.handleImport(api), web.MaxBody(maxTable+maxLine))
	web.Post(api, "/api/v1/apply", Manage, "Apply a configuration file", b.handleApply(api), web.MaxBody(maxFile))
	web.Get(api, "/api/v1/export", See, "The whole configuration as a file", b.handleExport, web.Audited())
}

// Listing is a section as the pages see it.
type Listing struct {
	Key     string      `json:"key"`
	Order   int         `json:"order"`
	Title   string      `json:"title"`
	Right   right.Right `json:"right"`
	IDField string      `json:"id_field"`
	Single  bool        `json:"single"`
	Fixed   bool        `json:"fixed" doc:"items cannot be removed"`
	Schema  any         `json:"schema" doc:"JSON Schema of an item"`
}

type listOut struct{ Body []Listing }

func (b *Book) handleList(api *web.API) func(context.Context, *struct{}) (*listOut, error) {
	return func(ctx context.Context, _ *struct{}) (*listOut, error) {
		out := &listOut{Body: []Listing{}}
		say := b.titles(api, web.Locale(ctx))
		for _, s := range b.sections {
			if web.May(ctx, s.see, "") != nil {
				continue
			}
			l := Listing{Key: s.key, Order: s.order, Title: say("section." + s.key), Right: s.right, IDField: s.idField, Single: s.single, Fixed: s.drop == nil || s.single}
			l.Schema = titled(s.schema, "section."+s.key, say)
			if l.Title == "" {
				l.Title = s.key
			}
			out.Body = append(out.Body, l)
		}
		return out, nil
	}
}

// titles gives the text of a key, "" when there is none.
func (b *Book) titles(api *web.API, locale string) func(key string) string {
	return func(key string) string {
		if !api.Texts().Has(locale, key) {
			return ""
		}
		return api.Texts().Say(locale, key, nil)
	}
}

// titled gives the schema with the titles of its fields, texts `section.<key>.<field>`.
func titled(s *Schema, key string, say func(string) string) *Schema {
	if s == nil {
		return nil
	}
	out := *s
	out.Title = say(key)
	out.Items, out.Values = titled(s.Items, key, say), titled(s.Values, key, say)
	if s.Properties != nil {
		out.Properties = Fields{}
		for name, p := range s.Properties {
			out.Properties[name] = titled(p, key+"."+name, say)
		}
	}
	return &out
}

type sectionIn struct {
	Section string `path:"section" maxLength:"64"`
}

type itemsOut struct {
	Body struct {
		Items    []json.RawMessage `json:"items"`
		Version  int64             `json:"version" doc:"give it back with a change: who comes second is told"`
		Versions map[string]int64  `json:"versions" doc:"when each item was changed last"`
	}
}

func (b *Book) handleItems(ctx context.Context, in *sectionIn) (*itemsOut, error) {
	s, err := b.seen(ctx, in.Section)
	if err != nil {
		return nil, err
	}
	out := &itemsOut{}
	out.Body.Items, out.Body.Versions = []json.RawMessage{}, map[string]int64{}
	err = b.cfg.DB.Tx(ctx, func(tx *store.Tx) error {
		list, err := s.load(ctx, tx)
		if err != nil {
			return err
		}
		for _, it := range list {
			if it.site == "" || web.May(ctx, s.see, it.site) == nil {
				out.Body.Items = append(out.Body.Items, it.body)
			}
		}
		if out.Body.Version, err = version(ctx, tx); err != nil {
			return err
		}
		return store.Each(ctx, tx, `SELECT code, version FROM section_item WHERE section = ?`, scanVersion,
			func(v itemVersion) error {
				out.Body.Versions[v.code] = v.version
				return nil
			}, s.key)
	})
	return out, err
}

type itemVersion struct {
	code    string
	version int64
}

func scanVersion(r store.Scanner) (v itemVersion, err error) {
	return v, r.Scan(&v.code, &v.version)
}

// seen gives a section the caller may see.
func (b *Book) seen(ctx context.Context, key string) (Section, error) {
	s, ok := b.section(key)
	if !ok {
		return s, fault.New(fault.NotFound, "section.section.unknown", "key", key)
	}
	return s, web.May(ctx, s.see, "")
}

// options makes the options of a request.
func options(ctx context.Context, since int64) Options {
	return Options{
		By: string(web.Principal(ctx).User), Since: since,
		May: func(_ string, r right.Right, site id.Site) error { return web.May(ctx, r, site) },
	}
}

type putIn struct {
	Section string `path:"section" maxLength:"64"`
	Code    string `path:"code" maxLength:"64"`
	Version int64  `query:"version" doc:"the version the item was read at; 0 or none: overwrite"`
	Body    json.RawMessage
}

type resultOut struct{ Body Result }

func (b *Book) handlePut(api *web.API) func(context.Context, *putIn) (*resultOut, error) {
	return func(ctx context.Context, in *putIn) (*resultOut, error) {
		s, err := b.seen(ctx, in.Section)
		if err == nil {
			err = web.May(ctx, s.right, "")
		}
		if err != nil {
			return nil, err
		}
		res, err := b.Put(ctx, in.Section, in.Code, in.Body, options(ctx, in.Version))
		return b.answer(ctx, api, res, err)
	}
}

type dropIn struct {
	Section string `path:"section" maxLength:"64"`
	Code    string `path:"code" maxLength:"64"`
	Version int64  `query:"version"`
}

func (b *Book) handleDrop(api *web.API) func(context.Context, *dropIn) (*resultOut, error) {
	return func(ctx context.Context, in *dropIn) (*resultOut, error) {
		s, err := b.seen(ctx, in.Section)
		if err == nil {
			err = web.May(ctx, s.right, "")
		}
		if err != nil {
			return nil, err
		}
		res, err := b.Drop(ctx, in.Section, in.Code, options(ctx, in.Version))
		return b.answer(ctx, api, res, err)
	}
}

// answer turns the problems of a single item into an error answer that lists them all.
func (b *Book) answer(ctx context.Context, api *web.API, res Result, err error) (*resultOut, error) {
	if err != nil {
		return nil, err
	}
	note(ctx, res)
	if len(res.Problems) == 0 {
		return &resultOut{Body: res}, nil
	}
	b.say(ctx, api, res.Problems)
	first := res.Problems[0]
	p := &web.Problem{
		Type: "urn:kapok:fault:" + first.Code, Title: api.Texts().Say(web.Locale(ctx), "fault.kind.invalid", nil),
		Status: http.StatusUnprocessableEntity, Code: first.Code, Field: first.Path, Params: first.Params, Detail: first.Text,
		Log: web.OriginOf(ctx).Request,
	}
	for _, x := range res.Problems {
		p.Errors = append(p.Errors, web.Flaw{Code: x.Code, Field: x.Path, Params: x.Params, Detail: x.Text})
	}
	return nil, p
}

// say fills in the sentences in the caller's language.
func (b *Book) say(ctx context.Context, api *web.API, list []Problem) {
	for i := range list {
		list[i].Text = api.Texts().Say(web.Locale(ctx), "fault."+list[i].Code, list[i].Params)
	}
}

// note puts what changed into the request's audit entry.
func note(ctx context.Context, res Result) {
	if !res.Applied {
		return
	}
	const most = 20
	for i, c := range res.Changes {
		if i == most {
			web.Note(ctx, "more", len(res.Changes)-most)
			break
		}
		web.Note(ctx, c.Section+"["+c.Code+"]", map[string]any{
			"kind": c.Kind, "fields": c.Fields, "before": json.RawMessage(c.Before), "after": json.RawMessage(c.After),
		})
	}
	web.Note(ctx, "version", res.Version)
}

type applyIn struct {
	DryRun  bool   `query:"dry_run" doc:"say what would change, and change nothing"`
	Prune   bool   `query:"prune" doc:"remove the items the file does not name, of the sections it names"`
	RawBody []byte `contentType:"application/yaml"`
}

func (b *Book) handleApply(api *web.API) func(context.Context, *applyIn) (*resultOut, error) {
	return func(ctx context.Context, in *applyIn) (*resultOut, error) {
		o := options(ctx, 0)
		o.DryRun, o.Prune = in.DryRun, in.Prune
		o.May = func(_ string, _ right.Right, site id.Site) error { return web.May(ctx, Manage, site) }
		res, err := b.Apply(ctx, in.RawBody, o)
		if err != nil {
			return nil, err
		}
		note(ctx, res)
		b.say(ctx, api, res.Problems)
		return &resultOut{Body: res}, nil
	}
}

type exportOut struct {
	Type string `header:"Content-Type"`
	Name string `header:"Content-Disposition"`
	Body []byte
}

func (b *Book) handleExport(ctx context.Context, _ *struct{}) (*exportOut, error) {
	out, err := b.Export(ctx)
	return &exportOut{Type: "application/yaml; charset=utf-8", Name: `attachment; filename="bureau.yaml"`, Body: out}, err
}

type importIn struct {
	Section string `path:"section" maxLength:"64"`
	DryRun  bool   `query:"dry_run"`
	Type    string `header:"Content-Type"`
	RawBody []byte `contentType:"application/octet-stream"`
}

func (b *Book) handleImport(api *web.API) func(context.Context, *importIn) (*resultOut, error) {
	return func(ctx context.Context, in *importIn) (*resultOut, error) {
		s, err := b.seen(ctx, in.Section)
		if err == nil {
			err = web.May(ctx, s.right, "")
		}
		if err != nil {
			return nil, err
		}
		file, err := upload(in.Type, in.RawBody)
		if err != nil {
			return nil, fault.New(fault.Invalid, "section.table.format", "reason", err.Error()).Because(err)
		}
		o := options(ctx, 0)
		o.DryRun = in.DryRun
		res, err := b.Import(ctx, in.Section, file, b.fieldOf(api, s), o)
		if err != nil {
			return nil, err
		}
		note(ctx, res)
		b.say(ctx, api, res.Problems)
		return &resultOut{Body: res}, nil
	}
}

// fieldOf reads column titles in any language.
func (b *Book) fieldOf(api *web.API, s Section) Titles {
	return func(title string) string {
		for _, lang := range web.Languages() {
			say := b.titles(api, lang)
			for _, name := range s.schema.Order {
				if t := say("section." + s.key + "." + name); t != "" && strings.EqualFold(t, title) {
					return name
				}
			}
		}
		return ""
	}
}

// upload gives the file of a request: its body, or the first file of a form.
func upload(contentType string, body []byte) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		return body, nil
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the form has no file")
		}
		if err != nil {
			return nil, err
		}
		if part.FileName() != "" {
			return io.ReadAll(io.LimitReader(part, maxTable+1))
		}
	}
}
