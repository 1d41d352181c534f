package sip

import (
	"context"
	"fmt"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// PingPhone asks a registered device by OPTIONS whether it is there (RFC 3261 §11). Any answer, a refusal too, says
// that its line is up; the error says that none came within the time.
func (s *Server) PingPhone(ctx context.Context, b Binding, within time.Duration) error {
	_, err := s.askOnce(ctx, b.Flow, &wire.Request{
		Method: "OPTIONS", URI: b.Contact.String(), From: "<sip:ping@" + s.registrar.cfg.Realm + ">", To: "<" + b.Contact.String() + ">",
		Headers: []Header{{Name: "Accept", Value: "application/sdp"}},
	}, nil, within)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", b.User, err)
	}
	return nil
}
