// Package screen says what a call to the line of the electronic tax bureau is about before an agent has it: the
// system does not work, somebody does not know how to do a thing in it, or wants to know what the law says.
//
// Four things speak for a kind, and their points (natural logarithms of how much likelier they make it) add up: words
// with weights people set (words.go), which count for nothing in a clause that waves them off ("the system shows no
// error", negate.go); pairs of characters, a naive Bayes model learnt of the training families of package corpus
// (weights_gen.go, made by go generate); the key pressed; and what the caller came for before. Each can be missing:
// without a recogniser of speech a telephone call has only the key and the history. Result says why, so that an
// agent and a test can see it.
//
// It is pure: no files, no network, no clock.
package screen

//go:generate go run ./train -o weights_gen.go
