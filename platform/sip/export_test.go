package sip

import "time"

// Feign has the server believe that what is ready waits for a processor as long as f says. Call it before Start.
func (s *Server) Feign(f func() (delay time.Duration, busy float64)) {
	s.overload.sense = func(time.Duration) (time.Duration, float64) { return f() }
}
