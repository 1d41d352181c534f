package customer

// The questions of the screen pop and of the look-ups. A test asks both databases how they would answer each:
// by an index, never by reading a whole table, for the tables hold tens of millions of rows.
const (
	// sqlOwner: kind, value.
	sqlOwner = `SELECT person FROM customer_identifier WHERE kind = ? AND value = ? ORDER BY at DESC, person LIMIT 1`
	// sqlTax: person, kind.
	sqlTax = `SELECT value FROM customer_identifier WHERE person = ? AND kind = ? ORDER BY at DESC, value LIMIT 1`
	// sqlPerson: id.
	sqlPerson = `SELECT id, name, kind, first_at, last_at, contacts FROM customer_person WHERE id = ?`
	// sqlIdentifiers: person.
	sqlIdentifiers = `SELECT kind, value, at FROM customer_identifier WHERE person = ? ORDER BY kind, at DESC, value LIMIT 100`
	// sqlToday: kind, value, at.
	sqlToday = `SELECT COUNT(*) FROM customer_contact WHERE kind = ? AND value = ? AND at >= ?`
	// sqlByValue: kind, value, at, limit.
	sqlByValue = `SELECT ` + pastColumns + ` FROM customer_contact WHERE kind = ? AND value = ? AND at < ? ORDER BY at DESC, contact DESC LIMIT ?`
	// sqlByPerson: person, at, limit.
	sqlByPerson = `SELECT ` + pastColumns + ` FROM customer_contact WHERE person = ? AND at < ? ORDER BY at DESC, contact DESC LIMIT ?`
	// sqlByGrams: first pair, last pair, pattern, before person, limit.
	sqlByGrams = `SELECT p.id, p.name, p.kind, p.first_at, p.last_at, p.contacts FROM customer_gram a
		JOIN customer_gram b ON b.gram = ? AND b.person = a.person
		JOIN customer_person p ON p.id = a.person
		WHERE a.gram = ? AND a.person < ? AND lower(p.name) LIKE ? ESCAPE '\' ORDER BY a.person DESC LIMIT ?`
	// sqlByKey: kind, value, before person, limit.
	sqlByKey = `SELECT p.id, p.name, p.kind, p.first_at, p.last_at, p.contacts FROM customer_identifier i
		JOIN customer_person p ON p.id = i.person
		WHERE i.kind = ? AND i.value = ? AND i.person < ? ORDER BY i.person DESC LIMIT ?`
	// sqlNewest: at, id, limit.
	sqlNewest = `SELECT id, name, kind, first_at, last_at, contacts FROM customer_person
		WHERE (last_at, id) < (?, ?) ORDER BY last_at DESC, id DESC LIMIT ?`

	pastColumns = `contact, at, medium, kind, value, queue, agent, outcome, topic, tax_type, question, answer`
)
