package web

import (
	"fmt"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// mostFoundRows bounds what atHead keeps, in rows over all organisations.
const mostFoundRows = 10_000

// headQuestion is one question of one person about the organisation as of an event of its
// journal.
type headQuestion struct {
	org    entente.OrgID
	head   int64
	minute int64 // for what changes by time alone
	person entente.PersonID
	role   entente.Role
	what   string
}

// headAnswer is what was answered.
type headAnswer[T any] struct {
	rows  T
	total int
}

// atHead answers a question of a visitor from what was answered before, for as long as
// nothing has happened in the journal, and for a minute at most. What it gives is
// shared between visits and never changed.
func atHead[T any](v *visit, what string, question any, ask func() (rows T, total, size int, err error)) (T, int, error) {
	var head int64
	err := v.DB.Read(v.r.Context(), func(tx *db.Tx) (err error) {
		head, err = journal.Head(v.r.Context(), tx, v.actor.Org)
		return err
	})
	if err != nil {
		var none T
		return none, 0, err
	}
	key := headQuestion{v.actor.Org, head, time.Now().Unix() / 60, v.actor.Person, v.actor.Role, fmt.Sprintf("%s %+v", what, question)}
	answer, err := v.answers.get(key, func() (any, int, error) {
		rows, total, size, err := ask()
		return headAnswer[T]{rows, total}, size + 1, err
	})
	if err != nil {
		var none T
		return none, 0, err
	}
	of := answer.(headAnswer[T])
	return of.rows, of.total, nil
}

// listAtHead is atHead for a part of a list.
func listAtHead[T any](v *visit, what string, question any, ask func() ([]T, int, error)) ([]T, int, error) {
	return atHead(v, what, question, func() ([]T, int, int, error) {
		rows, total, err := ask()
		return rows, total, len(rows), err
	})
}
