package house

import (
	"context"
	"net/http"
	"net/url"
)

// Browser is what a page needs to register the agent's browser.
type Browser struct {
	URL                 string
	Header              http.Header
	User, Secret, Realm string
}

// Browser signs the agent in at the browser and gives what it registers with.
func (c *Client) Browser(ctx context.Context) (b Browser, err error) {
	var desk struct {
		SIP struct {
			User   string `json:"user"`
			Secret string `json:"secret"`
			Realm  string `json:"realm"`
			Path   string `json:"ws_path"`
		} `json:"sip"`
	}
	if err := c.Post(ctx, "/desk/signin", map[string]string{"endpoint": "browser"}, &desk); err != nil {
		return b, err
	}
	b = Browser{URL: "ws://" + c.h.HTTP + desk.SIP.Path, Header: http.Header{}, User: desk.SIP.User, Secret: desk.SIP.Secret, Realm: desk.SIP.Realm}
	at, err := url.Parse("http://" + c.h.HTTP + "/")
	if err != nil {
		return b, err
	}
	for _, k := range c.http.Jar.Cookies(at) {
		b.Header.Add("Cookie", k.Name+"="+k.Value)
	}
	return b, nil
}
