// Package flow is the one graph language of the house: phone menus, WeChat menus and the chat assistant are
// graphs of thirteen kinds of node. Compile refuses a graph that could lose or circle a person; Start and Next
// walk it. The package is pure: no goroutine, no clock, no file; the channel does what an Action says, writes
// its steps as facts and comes back with the outcome. See DESIGN.md.
package flow
