package identity

import (
	"context"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

func putPreferences(ctx context.Context, tx *db.Tx, person entente.PersonID, p Preferences) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_preference (person, language, zone, rows) VALUES ($1, $2, $3, $4)
		ON CONFLICT (person) DO UPDATE SET language = excluded.language, zone = excluded.zone, rows = excluded.rows`,
		person, p.Language, p.Zone, p.Rows)
	return err
}

func preferencesOf(ctx context.Context, tx *db.Tx, email string) (Preferences, error) {
	found, err := orNone(db.One(ctx, tx, func(row db.Scanner) (p Preferences, err error) {
		return p, row.Scan(&p.Language, &p.Zone, &p.Rows)
	}, `SELECT l.language, l.zone, l.rows FROM identity_preference l JOIN identity_person p ON p.id = l.person WHERE p.email = $1`, email))
	if err != nil || found == nil {
		return Preferences{}, err
	}
	return *found, nil
}

// viewsOf reads the person's own views and those that are shared; of all lists if
// list is empty.
func viewsOf(ctx context.Context, tx *db.Tx, org entente.OrgID, person entente.PersonID, list string) ([]View, error) {
	return db.All(ctx, tx, func(row db.Scanner) (v View, err error) {
		var shared, mine, standard bool
		var created int64
		err = row.Scan(&v.ID, &v.List, &v.Name, &v.Query, &shared, &v.By, &created, &mine, &standard)
		v.Shared, v.Mine, v.Standard, v.Created = shared, mine, standard, db.Time(created)
		return v, err
	}, `SELECT v.id, v.list, v.name, v.query, v.shared, coalesce(p.name, ''), v.created_at,
			CASE WHEN v.person = $2 THEN 1 ELSE 0 END, CASE WHEN s.view IS NULL THEN 0 ELSE 1 END
		FROM identity_view v
		LEFT JOIN identity_person p ON p.id = v.person
		LEFT JOIN identity_view_standard s ON s.org = v.org AND s.person = $2 AND s.list = v.list AND s.view = v.id
		WHERE v.org = $1 AND (v.person = $2 OR v.shared = 1) AND ($3 = '' OR v.list = $3)
		ORDER BY v.list, lower(v.name), v.id`, org, person, list)
}

func insertView(ctx context.Context, tx *db.Tx, org entente.OrgID, person entente.PersonID, v View) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_view (org, id, person, list, name, query, shared, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, org, v.ID, person, v.List, v.Name, v.Query, v.Shared, db.Millis(v.Created))
	return err
}

func updateView(ctx context.Context, tx *db.Tx, org entente.OrgID, v View) error {
	_, err := tx.Exec(ctx, "UPDATE identity_view SET name = $3, query = $4, shared = $5 WHERE org = $1 AND id = $2", org, v.ID, v.Name, v.Query, v.Shared)
	return err
}

func deleteView(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) error {
	_, err := tx.Exec(ctx, "DELETE FROM identity_view WHERE org = $1 AND id = $2", org, id)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "DELETE FROM identity_view_standard WHERE org = $1 AND view = $2", org, id)
	return err
}

// dropStandards takes a view that is not shared any more from everybody but its maker.
func dropStandards(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) error {
	_, err := tx.Exec(ctx, `DELETE FROM identity_view_standard WHERE org = $1 AND view = $2
		AND person <> (SELECT person FROM identity_view WHERE org = $1 AND id = $2)`, org, id)
	return err
}

func setStandard(ctx context.Context, tx *db.Tx, org entente.OrgID, person entente.PersonID, list, id string) error {
	if id == "" {
		_, err := tx.Exec(ctx, "DELETE FROM identity_view_standard WHERE org = $1 AND person = $2 AND list = $3", org, person, list)
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO identity_view_standard (org, person, list, view) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org, person, list) DO UPDATE SET view = excluded.view`, org, person, list, id)
	return err
}

// deleteViewsOf takes away what only a member who leaves has seen; what they shared
// stays.
func deleteViewsOf(ctx context.Context, tx *db.Tx, org entente.OrgID, person entente.PersonID) error {
	_, err := tx.Exec(ctx, "DELETE FROM identity_view WHERE org = $1 AND person = $2 AND shared = 0", org, person)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "DELETE FROM identity_view_standard WHERE org = $1 AND person = $2", org, person)
	return err
}
