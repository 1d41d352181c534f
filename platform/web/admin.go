package web

import (
	"net/http"

	"github.com/kapok-hotline/kapok/core/right"
)

// SystemUser is who the admin socket's requests are from.
const SystemUser = "system"

// asSystem marks every request as the machine owner's: who can open the 0600 socket can read the data anyway.
func asSystem(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := Caller{System: true, Principal: right.Principal{User: SystemUser, Name: SystemUser, IP: "local"}}
		c.Locale = language(r.Header.Get("Accept-Language"))
		next.ServeHTTP(w, r.WithContext(As(r.Context(), c)))
	})
}
