// Package section makes configuration one thing with three faces: a file, an API and generated pages. A module
// declares a section (queues, skills, trunks …) by a Go struct and four functions; the Book does the rest:
// strict reading with line numbers and nearest names, checks across sections, differences, one transaction,
// a version number and the message that it changed. See DESIGN.md.
package section
