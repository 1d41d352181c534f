package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/web"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

const manage right.Right = "routing.queue.manage"

// shop is a module with a route of every kind.
type shop struct{ secret error }

type thing struct {
	Code  string   `json:"code" minLength:"2" maxLength:"8"`
	Kind  string   `json:"kind" enum:"red,blue"`
	Count int      `json:"count" minimum:"1" maximum:"9"`
	Tags  []string `json:"tags,omitempty" maxItems:"2"`
}

type listOut struct {
	Body struct {
		Items []thing           `json:"items"`
		By    map[string]string `json:"by"`
	}
}

func (s *shop) Routes(api *web.API) {
	type none struct{}
	web.Get(api, "/api/v1/shop/things", right.Own, "Things", func(context.Context, *none) (*listOut, error) {
		return &listOut{}, nil
	})
	web.Post(api, "/api/v1/shop/things", manage, "Make a thing", func(ctx context.Context, in *struct{ Body thing }) (*struct{ Body thing }, error) {
		web.Note(ctx, "made", in.Body.Code)
		return &struct{ Body thing }{in.Body}, nil
	})
	web.Delete(api, "/api/v1/shop/{site}/things/{code}", manage, "Drop a thing", func(ctx context.Context, in *struct {
		Site string `path:"site"`
		Code string `path:"code"`
	},
	) (*none, error) {
		if err := web.May(ctx, manage, id.Site(in.Site)); err != nil {
			return nil, err
		}
		if in.Code == "gone" {
			return nil, fault.New(fault.NotFound, "shop.thing.missing", "code", in.Code)
		}
		return &none{}, nil
	})
	web.Get(api, "/api/v1/shop/things/{code}/secret", manage, "Reveal", func(context.Context, *struct {
		Code string `path:"code"`
	},
	) (*struct{ Body string }, error) {
		return &struct{ Body string }{"revealed"}, s.secret
	}, web.Audited())
	web.Get(api, "/api/v1/shop/broken", right.Public, "Broken", func(context.Context, *none) (*none, error) {
		return nil, errors.New("the password is hunter2")
	})
	web.Get(api, "/api/v1/shop/panic", right.Public, "Panics", func(context.Context, *none) (*none, error) {
		panic("oh")
	})
	web.Post(api, "/api/v1/shop/knock", right.Public, "Limited", func(context.Context, *none) (*none, error) {
		return &none{}, nil
	}, web.Limit(1, 2))
	api.Handle("GET /api/v1/shop/raw/{code}", manage, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.Fail(w, r, fault.New(fault.Conflict, "shop.thing.busy"))
	}), web.Audited())
}

func TestRoutes(t *testing.T) {
	b := webtest.New(t, &shop{})
	b.Tree("gz", "gd")
	b.Tree("gz-th", "gz")
	b.Tree("sz", "gd")
	b.Run(
		webtest.Scenario{Name: "nobody is asked to sign in", URL: "/api/v1/shop/things", Status: 401, Code: "web.session.missing", Want: []string{"请重新登录"}},
		webtest.Scenario{Name: "a bad token is told so", By: b.Bearer("nonsense"), URL: "/api/v1/shop/things", Status: 401, Code: "web.token.invalid"},
		webtest.Scenario{Name: "empty lists and maps are not null", As: "none", URL: "/api/v1/shop/things", Status: 200, JSON: `{"items":[],"by":{}}`},
		webtest.Scenario{Name: "a role without the right is refused", As: "agent", Method: "POST", URL: "/api/v1/shop/things", Body: `{"code":"ab","kind":"red","count":1}`, Status: 403, Code: "web.right.missing", Want: []string{`"right":"routing.queue.manage"`}},
		webtest.Scenario{Name: "with the right it is done", As: "manager", Method: "POST", URL: "/api/v1/shop/things", Body: `{"code":"ab","kind":"red","count":1}`, Status: 200, Want: []string{`"code":"ab"`}},
		webtest.Scenario{Name: "own site", As: "manager", Method: "DELETE", URL: "/api/v1/shop/gz/things/a", Status: 204},
		webtest.Scenario{Name: "a site below", As: "manager", Method: "DELETE", URL: "/api/v1/shop/gz-th/things/a", Status: 204},
		webtest.Scenario{Name: "a site above", As: "manager", Method: "DELETE", URL: "/api/v1/shop/gd/things/a", Status: 403, Code: "web.right.missing"},
		webtest.Scenario{Name: "a site beside", As: "manager", Method: "DELETE", URL: "/api/v1/shop/sz/things/a", Status: 403, Code: "web.right.missing"},
		webtest.Scenario{Name: "a fault keeps code and params", As: "manager", Method: "DELETE", URL: "/api/v1/shop/gz/things/gone", Status: 404, Code: "shop.thing.missing", Want: []string{`"params":{"code":"gone"}`, `"detail":"shop.thing.missing"`, "urn:kapok:fault:shop.thing.missing"}},
		webtest.Scenario{Name: "a raw handler fails alike", As: "manager", URL: "/api/v1/shop/raw/x", Status: 409, Code: "shop.thing.busy"},
		webtest.Scenario{Name: "our mistakes are not told", URL: "/api/v1/shop/broken", Status: 500, Code: "web.internal.failed", Not: []string{"hunter2"}},
		webtest.Scenario{Name: "nor are panics", URL: "/api/v1/shop/panic", Status: 500, Code: "web.internal.failed"},
		webtest.Scenario{Name: "an unknown route is a problem too", URL: "/api/v1/nothing", Status: 404, Code: "web.route.unknown"},
		webtest.Scenario{Name: "in English", As: "agent", Opts: []webtest.Option{webtest.English()}, Method: "POST", URL: "/api/v1/shop/things", Body: `{}`, Status: 403, Want: []string{"You do not hold the right"}},
	)
	if n := b.CheckRoutes(manage); n < 9 {
		t.Errorf("%d routes", n)
	}
}

func TestInputFlaws(t *testing.T) {
	b := webtest.New(t, &shop{})
	post := func(name, body, code, field string, more ...string) webtest.Scenario {
		return webtest.Scenario{
			Name: name, As: "manager", Method: "POST", URL: "/api/v1/shop/things", Body: body, Code: code,
			Want: append(more, `"field":"`+field+`"`),
		}
	}
	b.Run(
		post("missing", `{"kind":"red","count":1}`, "web.input.required", "code", "请填写 code"),
		post("unknown", `{"code":"ab","kind":"red","count":1,"colour":1}`, "web.input.unknown", "colour"),
		post("too short", `{"code":"a","kind":"red","count":1}`, "web.input.too_short", "code", "至少 2 个"),
		post("too long", `{"code":"abcdefghi","kind":"red","count":1}`, "web.input.too_long", "code"),
		post("not allowed", `{"code":"ab","kind":"green","count":1}`, "web.input.not_allowed", "kind", "red, blue"),
		post("too small", `{"code":"ab","kind":"red","count":0}`, "web.input.too_small", "count"),
		post("too big", `{"code":"ab","kind":"red","count":10}`, "web.input.too_big", "count"),
		post("wrong type", `{"code":"ab","kind":"red","count":"x"}`, "web.input.type", "count"),
		post("too many", `{"code":"ab","kind":"red","count":1,"tags":["a","b","c"]}`, "web.input.too_many", "tags"),
		webtest.Scenario{Name: "several at once", As: "manager", Method: "POST", URL: "/api/v1/shop/things", Body: `{"code":"a","kind":"x","count":1}`, Status: 422, Want: []string{`"errors":[`, "too_short", "not_allowed"}},
		webtest.Scenario{Name: "no JSON", As: "manager", Method: "POST", URL: "/api/v1/shop/things", Body: `{"code"`, Status: 400, Code: "web.input.unreadable"},
		webtest.Scenario{Name: "no body", As: "manager", Method: "POST", URL: "/api/v1/shop/things", Status: 400, Code: "web.input.required"},
		webtest.Scenario{Name: "a body too large", As: "manager", Method: "POST", URL: "/api/v1/shop/things", Body: bytes.Repeat([]byte("x"), 1<<20+5), Status: 413, Code: "web.body.too_large"},
	)
}

func TestAudit(t *testing.T) {
	s := &shop{}
	b := webtest.New(t, s)
	b.As("manager").Post("/api/v1/shop/things", `{"code":"ab","kind":"red","count":1}`).OK()
	b.As("agent").Post("/api/v1/shop/things", `{"code":"ab","kind":"red","count":1}`)
	b.As("manager").Get("/api/v1/shop/things").OK()
	s.secret = fault.New(fault.NotFound, "shop.thing.missing")
	b.As("manager").Get("/api/v1/shop/things/x/secret").Fails(404, "shop.thing.missing")
	b.As("agent").Get("/api/v1/shop/raw/y").Fails(403, "web.right.missing")
	b.As("manager").Delete("/api/v1/shop/gz/things/gone")
	var got []string
	for _, e := range b.Audit() {
		j, _ := json.Marshal([]any{e.Subject, e.Detail})
		got = append(got, strings.Join([]string{string(e.Caller.User), e.Action, e.Outcome, string(j)}, " "))
	}
	want := []string{
		`manager-1 POST /api/v1/shop/things ok [null,{"made":"ab"}]`,
		`agent-1 POST /api/v1/shop/things web.right.missing [null,null]`,
		`manager-1 GET /api/v1/shop/things/{code}/secret ok [{"code":"x"},null]`,
		`agent-1 GET /api/v1/shop/raw/{code} web.right.missing [{"code":"y"},null]`,
		`manager-1 DELETE /api/v1/shop/{site}/things/{code} shop.thing.missing [{"code":"gone","site":"gz"},null]`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the audit holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

type brokenAuditor struct{}

func (brokenAuditor) Write(context.Context, web.Entry) error { return errors.New("disk full") }

func TestNothingIsShownThatCannotBeAudited(t *testing.T) {
	b := webtest.New(t, &shop{})
	b.Server.Record(brokenAuditor{})
	b.Run(
		webtest.Scenario{Name: "look", As: "manager", URL: "/api/v1/shop/things/x/secret", Status: 503, Code: "web.audit.failed", Not: []string{"revealed"}},
		webtest.Scenario{Name: "raw look", As: "manager", URL: "/api/v1/shop/raw/x", Status: 503, Code: "web.audit.failed"},
		webtest.Scenario{Name: "change", As: "manager", Method: "POST", URL: "/api/v1/shop/things", Body: `{"code":"ab","kind":"red","count":1}`, Status: 503, Code: "web.audit.failed"},
	)
}

func TestLimit(t *testing.T) {
	b := webtest.New(t, &shop{})
	for range 2 {
		b.As("").Post("/api/v1/shop/knock", nil).OK()
	}
	a := b.As("").Post("/api/v1/shop/knock", nil).Fails(429, "web.limit.reached")
	if a.Header.Get("Retry-After") == "" {
		t.Error("nobody says how long to wait")
	}
}

func TestHeaders(t *testing.T) {
	b := webtest.New(t, &shop{})
	a := b.As("none").Get("/api/v1/shop/things").OK()
	for k, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "Content-Type": "application/json",
	} {
		if got := a.Header.Get(k); got != want {
			t.Errorf("%s: %q, want %q", k, got, want)
		}
	}
	csp := a.Header.Get("Content-Security-Policy")
	for _, want := range []string{"connect-src 'self' ws: wss:", "media-src 'self' blob:", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy lacks %q: %s", want, csp)
		}
	}
	if len(a.Header.Get("X-Request-Id")) != 10 {
		t.Errorf("request id %q", a.Header.Get("X-Request-Id"))
	}
}

func TestOtherSitesPagesAreRefused(t *testing.T) {
	b := webtest.New(t, &shop{})
	c := b.As("manager")
	c.Header = http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}
	c.Post("/api/v1/shop/things", `{"code":"ab","kind":"red","count":1}`).Fails(403, "web.origin.foreign")
	c.Header = http.Header{"Origin": {"https://evil.example"}, "Upgrade": {"websocket"}, "Connection": {"Upgrade"}}
	c.Get("/api/v1/socket").Fails(403, "web.origin.foreign")
}

func TestOpenAPI(t *testing.T) {
	b := webtest.New(t, &shop{})
	var doc struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	b.As("").Get("/api/openapi.json").OK().Into(&doc)
	op := string(doc.Paths["/api/v1/shop/things"]["post"])
	for _, want := range []string{`"operationId":"post-shop-things"`, `"x-right":"routing.queue.manage"`, `application/problem+json`} {
		if !strings.Contains(op, want) {
			t.Errorf("the description of a route lacks %s: %s", want, op)
		}
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("OpenAPI %s", doc.OpenAPI)
	}
}

func TestHealthAndMetrics(t *testing.T) {
	b := webtest.New(t, &shop{})
	var ill error
	b.Server.Check("database", func(context.Context) error { return ill })
	b.As("").Get("/healthz").OK()
	ill = errors.New("disk full")
	outside := b.As("")
	outside.Header = http.Header{"X-Forwarded-For": {"203.0.113.9"}}
	b.Run(
		webtest.Scenario{Name: "this machine sees what is wrong", URL: "/healthz", Status: 503, Want: []string{`"part":"database"`, "disk full"}},
		webtest.Scenario{Name: "others see that something is", By: outside, URL: "/healthz", Status: 503, JSON: `{"ok":false}`},
		webtest.Scenario{Name: "figures for this machine", URL: "/metrics", Status: 200, Want: []string{"kapok_http_requests_total", "kapok_http_sockets 0"}},
		webtest.Scenario{Name: "not for others", By: outside, URL: "/metrics", Status: 403},
	)
}
