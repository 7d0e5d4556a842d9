package advisory

import (
	"context"
	"slices"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// Find gives advisories for a few words typed: those with a name that begins so,
// then those that hit us and hold all words; thorough, also any other that does. It
// says whether there are more than limit.
func (s *Service) Find(ctx context.Context, actor entente.Actor, text string, limit int, thorough bool) (list []Listed, more bool, err error) {
	if err := identity.Require(actor, identity.AdvisoryRead, identity.In(actor.Org)); err != nil {
		return nil, false, err
	}
	text = foldID(cleanText(text))
	if text == "" || limit <= 0 {
		return nil, false, nil
	}
	limit = min(limit, MaxPage)
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		list, more = nil, false
		steps := []func() ([]Listed, error){
			func() ([]Listed, error) { return groupsNamed(ctx, tx, actor.Org, text, limit+1) },
			func() ([]Listed, error) { return s.groupsTelling(ctx, tx, actor.Org, text, true, limit+1) },
		}
		if thorough {
			steps = append(steps, func() ([]Listed, error) { return s.groupsTelling(ctx, tx, actor.Org, text, false, limit+1) })
		}
		for _, step := range steps {
			if len(list) > limit {
				break
			}
			found, err := step()
			if err != nil {
				return err
			}
			for _, l := range found {
				if !slices.ContainsFunc(list, func(known Listed) bool { return known.ID == l.ID }) {
					list = append(list, l)
				}
			}
		}
		if len(list) > limit {
			list, more = list[:limit], true
		}
		return s.countProducts(ctx, tx, actor.Org, list)
	})
	return list, more, err
}

// afterAll sorts after every text that begins like the one that it is put behind.
const afterAll = "\U0010FFFF"

// groupsNamed finds groups by the beginning of a name, through the index of names.
func groupsNamed(ctx context.Context, tx *db.Tx, org entente.OrgID, prefix string, limit int) ([]Listed, error) {
	var list []Listed
	err := db.Each(ctx, tx, `SELECT `+groupColumns+` FROM advisory_alias a
		JOIN advisory_record r ON r.org = a.org AND r.id = a.record
		JOIN advisory_group g ON g.org = r.org AND g.id = r.member_of
		WHERE a.org = $1 AND a.folded >= $2 AND a.folded < $3 ORDER BY a.folded, a.record LIMIT $4`, func(row db.Scanner) error {
		l, err := scanListed(row)
		if err == nil && !slices.ContainsFunc(list, func(known Listed) bool { return known.ID == l.ID }) {
			list = append(list, l)
		}
		return err
	}, org, prefix, prefix+afterAll, int64(4*limit)) // a group has a few names that begin alike
	return list[:min(len(list), limit)], err
}

// wordsOf takes apart what was typed.
func wordsOf(text string) []string {
	words := strings.Fields(text)
	return words[:min(len(words), 6)]
}
