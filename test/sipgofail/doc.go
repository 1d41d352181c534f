// Package sipgofail shows failures of the SIP library sipgo v1.7.2 that platform/sip must not have. A test passes
// when the failure shows; when a newer version has mended it, the test fails and the reason to do it ourselves is to
// be thought over. platform/sip has a test of the same number that shows the right behaviour. Failure 7 (ACK and BYE
// overtake each other) is a matter of chance and therefore not here.
package sipgofail
