// Package tally is the arithmetic of the reports, without a database: facts go into contacts, a contact says
// what it adds to which figures, and measures divide sums of figures. The fold that fills the tables, the
// wallboard's live state, the drill-down and the tests that recount all use it, so they cannot disagree.
//
// What a contact adds is a pure function of the contact (Figures). A fold therefore takes the figures of a
// contact before and after a batch of facts and books the difference: facts may come in any order, and a late
// one re-states its interval exactly.
//
// Attribution: everything of a queue visit, its handling time included, counts in the quarter-hour the visit
// began; everything of the contact as a whole in the quarter-hour it started; a caller in the quarter-hour of
// the day's first request; an agent's state time where it was spent. So no rate of an interval exceeds 1.
package tally
