// Package screen says what a call to the line of the electronic tax bureau is about before an agent has it: the
// system does not work, somebody does not know how to do a thing in it, or wants to know what the law says.
// It is pure: no files, no network, no clock. package corpus makes the calls it is judged by.
package screen
