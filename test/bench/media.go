package main

// stream is one direction of a call's speech, sent by a pump.
type stream struct{}

func (s *stream) start(int) {}
func (s *stream) stop()     {}
