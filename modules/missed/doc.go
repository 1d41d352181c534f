// Package missed keeps the people who called and did not reach anybody: who gave up waiting, was turned away, left a
// spoken message, or was promised a call that never came, and has not been spoken with since. They are a worklist, one
// row a number, folded from the ledger's facts alone. See DESIGN.md.
package missed
