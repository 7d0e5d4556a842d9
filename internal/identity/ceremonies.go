package identity

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// A ceremony is a proof that takes two requests: the node sets a task, the browser
// comes back with the answer. Its state lies in the database, since another replica
// may get the answer, and is taken out when the answer comes, so that each task can
// be answered once.

// maxCeremonies is how many one address can have under way: an office behind one
// address passes, a flood does not fill the table.
const maxCeremonies = 300

// start keeps the state of a ceremony and gives the secret under which it is found.
func (s *Service) start(ctx context.Context, kind string, p entente.PersonID, state any, c Client) (id string, err error) {
	data, err := json.Marshal(state)
	if err != nil {
		return "", err
	}
	id = newSecret()
	row := challengeRow{kind: kind, person: p, address: addressKey(c.Address), data: data}
	err = s.db.WriteNode(ctx, func(tx *db.Tx) error {
		n, err := countChallenges(ctx, tx, row.address)
		if err != nil {
			return err
		}
		if n >= maxCeremonies && row.address != "" {
			return entente.Unavailable("too many sign-ins are under way from your address; try again in %d minutes", int(ceremonyLife.Minutes()))
		}
		return insertChallenge(ctx, tx, hashed(id), row, s.now().Add(ceremonyLife))
	})
	return id, err
}

// finish takes the state of a ceremony out.
func (s *Service) finish(ctx context.Context, kind, id string, state any) (p entente.PersonID, err error) {
	var row *challengeRow
	err = s.db.WriteNode(ctx, func(tx *db.Tx) error {
		row, err = takeChallenge(ctx, tx, hashed(id), kind, s.now())
		return err
	})
	if err != nil {
		return "", err
	}
	if row == nil {
		return "", entente.Conflict("this took too long or was answered already; begin again")
	}
	if err := json.Unmarshal(row.data, state); err != nil {
		return "", fmt.Errorf("the state of a ceremony: %w", err)
	}
	return row.person, nil
}
