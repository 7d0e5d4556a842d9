package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// Settings of the node.

func readSetting(ctx context.Context, tx *db.Tx, key string) (string, error) {
	v, err := db.One(ctx, tx, db.Value[string], "SELECT value FROM identity_node_setting WHERE key = $1", key)
	if errors.Is(err, db.ErrNoRow) {
		return "", nil
	}
	return v, err
}

func insertSetting(ctx context.Context, tx *db.Tx, key, value string) error {
	_, err := tx.Exec(ctx, "INSERT INTO identity_node_setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", key, value)
	return err
}

func writeSetting(ctx context.Context, tx *db.Tx, key, value string) error {
	_, err := tx.Exec(ctx, "INSERT INTO identity_node_setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	return err
}

// People.

const personColumns = "p.id, p.email, p.name, p.created_at"

func personInto(p *Person, created *int64) []any { return []any{&p.ID, &p.Email, &p.Name, created} }

func scanPerson(row db.Scanner) (p Person, err error) {
	var created int64
	err = row.Scan(personInto(&p, &created)...)
	p.Created = db.Time(created)
	return p, err
}

func personByEmail(ctx context.Context, tx *db.Tx, email string) (*Person, error) {
	return orNone(db.One(ctx, tx, scanPerson, "SELECT "+personColumns+" FROM identity_person p WHERE p.email = $1", email))
}

func personByID(ctx context.Context, tx *db.Tx, id entente.PersonID) (*Person, error) {
	return orNone(db.One(ctx, tx, scanPerson, "SELECT "+personColumns+" FROM identity_person p WHERE p.id = $1", id))
}

func insertPerson(ctx context.Context, tx *db.Tx, p Person) error {
	_, err := tx.Exec(ctx, "INSERT INTO identity_person (id, email, name, created_at, changed_at) VALUES ($1, $2, $3, $4, $4)",
		p.ID, p.Email, p.Name, db.Millis(p.Created))
	return err
}

func updatePerson(ctx context.Context, tx *db.Tx, p Person, now time.Time) error {
	_, err := tx.Exec(ctx, "UPDATE identity_person SET email = $2, name = $3, changed_at = $4 WHERE id = $1", p.ID, p.Email, p.Name, db.Millis(now))
	return err
}

// Credentials.

type credentialKind string

const (
	kindPassword credentialKind = "password"
	kindTOTP     credentialKind = "totp"
	kindTOTPNew  credentialKind = "totp-new" // not confirmed by a first code yet
	kindRecovery credentialKind = "recovery"
	kindPasskey  credentialKind = "passkey"

	single = "-" // the id of a credential of which a person has at most one
)

type credential struct {
	person  entente.PersonID
	kind    credentialKind
	id      string
	name    string
	data    []byte
	counter int64
	created time.Time
	used    time.Time
}

const credentialColumns = "person, kind, id, name, data, counter, created_at, used_at"

func scanCredential(row db.Scanner) (c credential, err error) {
	var created, used int64
	err = row.Scan(&c.person, &c.kind, &c.id, &c.name, &c.data, &c.counter, &created, &used)
	c.created, c.used = db.Time(created), db.Time(used)
	return c, err
}

func credentialOf(ctx context.Context, tx *db.Tx, p entente.PersonID, kind credentialKind, id string) (*credential, error) {
	return orNone(db.One(ctx, tx, scanCredential,
		"SELECT "+credentialColumns+" FROM identity_credential WHERE person = $1 AND kind = $2 AND id = $3", p, string(kind), id))
}

func credentialsOf(ctx context.Context, tx *db.Tx, p entente.PersonID, kind credentialKind) ([]credential, error) {
	return db.All(ctx, tx, scanCredential,
		"SELECT "+credentialColumns+" FROM identity_credential WHERE person = $1 AND kind = $2 ORDER BY created_at, id", p, string(kind))
}

// countCredentials counts what a person can sign in with by themselves.
func countCredentials(ctx context.Context, tx *db.Tx, p entente.PersonID) (int, error) {
	return db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM identity_credential WHERE person = $1 AND kind IN ('password', 'passkey')", p)
}

func putCredential(ctx context.Context, tx *db.Tx, c credential) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_credential (person, kind, id, name, data, counter, created_at, used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (person, kind, id) DO UPDATE SET name = excluded.name, data = excluded.data, counter = excluded.counter,
			created_at = excluded.created_at, used_at = excluded.used_at`,
		c.person, string(c.kind), c.id, c.name, c.data, c.counter, db.Millis(c.created), db.Millis(c.used))
	return err
}

func deleteCredential(ctx context.Context, tx *db.Tx, p entente.PersonID, kind credentialKind, id string) (int64, error) {
	return tx.Exec(ctx, "DELETE FROM identity_credential WHERE person = $1 AND kind = $2 AND id = $3", p, string(kind), id)
}

func deleteCredentials(ctx context.Context, tx *db.Tx, p entente.PersonID, kind credentialKind) (int64, error) {
	return tx.Exec(ctx, "DELETE FROM identity_credential WHERE person = $1 AND kind = $2", p, string(kind))
}

// Sessions.

type sessionRow struct {
	hash                           []byte
	id                             string
	person                         entente.PersonID
	only                           entente.OrgID
	method                         Method
	pending                        bool
	agent, address                 string
	created, seen, proven, expires time.Time
}

func insertSession(ctx context.Context, tx *db.Tx, r sessionRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_session
		(hash, id, person, only_org, method, pending, agent, address, created_at, seen_at, proven_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		r.hash, r.id, r.person, r.only, string(r.method), r.pending, r.agent, r.address,
		db.Millis(r.created), db.Millis(r.seen), db.Millis(r.proven), db.Millis(r.expires))
	return err
}

// trimSessions ends the sessions of a person beyond the most recent ones.
func trimSessions(ctx context.Context, tx *db.Tx, p entente.PersonID, keep int) error {
	_, err := tx.Exec(ctx, `DELETE FROM identity_session WHERE hash IN (
		SELECT hash FROM identity_session WHERE person = $1 ORDER BY created_at DESC, id LIMIT 1000 OFFSET $2)`, p, keep)
	return err
}

const sessionColumns = "s.id, s.only_org, s.method, s.pending, s.agent, s.address, s.created_at, s.seen_at, s.proven_at, s.expires_at"

type sessionTimes struct{ created, seen, proven, expires int64 }

func sessionInto(s *Session, t *sessionTimes) []any {
	return []any{&s.ID, &s.Only, &s.Method, &s.Pending, &s.Agent, &s.Address, &t.created, &t.seen, &t.proven, &t.expires}
}

func (t sessionTimes) set(s *Session) {
	s.Created, s.Seen, s.Proven, s.Expires = db.Time(t.created), db.Time(t.seen), db.Time(t.proven), db.Time(t.expires)
}

// readSession reads the session with its person and all memberships in one query,
// for it stands before every request.
func readSession(ctx context.Context, tx *db.Tx, hash []byte) (*Session, error) {
	var found *Session
	err := db.Each(ctx, tx, "SELECT "+sessionColumns+", "+personColumns+`,
			coalesce(m.org, ''), coalesce(o.name, ''), coalesce(m.role, ''), coalesce(m.scope, '[]'), coalesce(m.created_at, 0),
			coalesce(l.language, ''), coalesce(l.zone, ''), coalesce(l.rows, 0)
		FROM identity_session s
		JOIN identity_person p ON p.id = s.person
		LEFT JOIN identity_preference l ON l.person = s.person
		LEFT JOIN identity_member m ON m.person = s.person AND (s.only_org = '' OR m.org = s.only_org)
		LEFT JOIN identity_organisation o ON o.org = m.org
		WHERE s.hash = $1
		ORDER BY o.name, m.org`,
		func(row db.Scanner) error {
			var s Session
			var t sessionTimes
			var m Membership
			var created, since int64
			var scope string
			dest := append(sessionInto(&s, &t), personInto(&s.Person, &created)...)
			dest = append(dest, &m.Org, &m.OrgName, &m.Role, &scope, &since, &s.Preferences.Language, &s.Preferences.Zone, &s.Preferences.Rows)
			if err := row.Scan(dest...); err != nil {
				return err
			}
			if found == nil {
				t.set(&s)
				s.Person.Created = db.Time(created)
				found = &s
			}
			if m.Org == "" {
				return nil
			}
			m.Since = db.Time(since)
			if err := json.Unmarshal([]byte(scope), &m.Scope); err != nil {
				return fmt.Errorf("the scope of a member of %s: %w", m.Org, err)
			}
			found.Memberships = append(found.Memberships, m)
			return nil
		}, hash)
	return found, err
}

func sessionsOf(ctx context.Context, tx *db.Tx, p entente.PersonID, now, idle time.Time) ([]Session, error) {
	return db.All(ctx, tx, func(row db.Scanner) (s Session, err error) {
		var t sessionTimes
		err = row.Scan(sessionInto(&s, &t)...)
		t.set(&s)
		s.at = now
		return s, err
	}, "SELECT "+sessionColumns+` FROM identity_session s
		WHERE s.person = $1 AND s.pending = 0 AND s.expires_at > $2 AND s.seen_at > $3
		ORDER BY s.seen_at DESC, s.created_at DESC, s.id`, p, db.Millis(now), db.Millis(idle))
}

func deleteSession(ctx context.Context, tx *db.Tx, hash []byte) error {
	_, err := tx.Exec(ctx, "DELETE FROM identity_session WHERE hash = $1", hash)
	return err
}

func deleteSessionByID(ctx context.Context, tx *db.Tx, p entente.PersonID, id string) (int64, error) {
	return tx.Exec(ctx, "DELETE FROM identity_session WHERE person = $1 AND id = $2", p, id)
}

// deleteSessions ends all sessions of a person but one ("" for all).
func deleteSessions(ctx context.Context, tx *db.Tx, p entente.PersonID, except string) (int64, error) {
	return tx.Exec(ctx, "DELETE FROM identity_session WHERE person = $1 AND id <> $2", p, except)
}

// deleteSessionsOnly ends the sessions that single sign-on of one organisation opened.
func deleteSessionsOnly(ctx context.Context, tx *db.Tx, p entente.PersonID, org entente.OrgID) error {
	_, err := tx.Exec(ctx, "DELETE FROM identity_session WHERE person = $1 AND only_org = $2", p, org)
	return err
}

func touchSession(ctx context.Context, tx *db.Tx, hash []byte, at time.Time) error {
	_, err := tx.Exec(ctx, "UPDATE identity_session SET seen_at = $2 WHERE hash = $1 AND seen_at < $2", hash, db.Millis(at))
	return err
}

func proveSession(ctx context.Context, tx *db.Tx, hash []byte, at time.Time) (int64, error) {
	return tx.Exec(ctx, "UPDATE identity_session SET proven_at = $2 WHERE hash = $1 AND pending = 0", hash, db.Millis(at))
}

// Organisations and members.

func scanOrganisation(row db.Scanner) (o Organisation, err error) {
	var created int64
	err = row.Scan(&o.ID, &o.Name, &created)
	o.Created = db.Time(created)
	return o, err
}

func readOrganisation(ctx context.Context, tx *db.Tx, org entente.OrgID) (*Organisation, error) {
	return orNone(db.One(ctx, tx, scanOrganisation, "SELECT org, name, created_at FROM identity_organisation WHERE org = $1", org))
}

func allOrganisations(ctx context.Context, tx *db.Tx) ([]Organisation, error) {
	return db.All(ctx, tx, scanOrganisation, "SELECT org, name, created_at FROM identity_organisation ORDER BY org")
}

func insertOrganisation(ctx context.Context, tx *db.Tx, o Organisation) error {
	_, err := tx.Exec(ctx, "INSERT INTO identity_organisation (org, name, created_at) VALUES ($1, $2, $3)", o.ID, o.Name, db.Millis(o.Created))
	return err
}

func renameOrganisation(ctx context.Context, tx *db.Tx, org entente.OrgID, name string) error {
	_, err := tx.Exec(ctx, "UPDATE identity_organisation SET name = $2 WHERE org = $1", org, name)
	return err
}

const memberColumns = "m.role, m.scope, m.created_at, " + personColumns

func scanMember(row db.Scanner) (m Member, err error) {
	var since, created int64
	var scope string
	err = row.Scan(append([]any{&m.Role, &scope, &since}, personInto(&m.Person, &created)...)...)
	if err != nil {
		return m, err
	}
	m.Since, m.Person.Created = db.Time(since), db.Time(created)
	return m, json.Unmarshal([]byte(scope), &m.Scope)
}

func readMember(ctx context.Context, tx *db.Tx, org entente.OrgID, p entente.PersonID) (*Member, error) {
	return orNone(db.One(ctx, tx, scanMember, "SELECT "+memberColumns+` FROM identity_member m
		JOIN identity_person p ON p.id = m.person WHERE m.org = $1 AND m.person = $2`, org, p))
}

func membersOf(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]Member, error) {
	return db.All(ctx, tx, scanMember, "SELECT "+memberColumns+` FROM identity_member m
		JOIN identity_person p ON p.id = m.person WHERE m.org = $1 ORDER BY lower(p.name), p.email`, org)
}

func membershipsOf(ctx context.Context, tx *db.Tx, p entente.PersonID) ([]Membership, error) {
	return db.All(ctx, tx, func(row db.Scanner) (m Membership, err error) {
		var scope string
		var since int64
		if err = row.Scan(&m.Org, &m.OrgName, &m.Role, &scope, &since); err != nil {
			return m, err
		}
		m.Since = db.Time(since)
		return m, json.Unmarshal([]byte(scope), &m.Scope)
	}, `SELECT m.org, o.name, m.role, m.scope, m.created_at FROM identity_member m
		JOIN identity_organisation o ON o.org = m.org WHERE m.person = $1 ORDER BY o.name, m.org`, p)
}

func putMember(ctx context.Context, tx *db.Tx, org entente.OrgID, p entente.PersonID, role entente.Role, scope []string, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_member (org, person, role, scope, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org, person) DO UPDATE SET role = excluded.role, scope = excluded.scope`,
		org, p, string(role), jsonText(scope), db.Millis(now))
	return err
}

func deleteMember(ctx context.Context, tx *db.Tx, org entente.OrgID, p entente.PersonID) error {
	_, err := tx.Exec(ctx, "DELETE FROM identity_member WHERE org = $1 AND person = $2", org, p)
	return err
}

func countOwners(ctx context.Context, tx *db.Tx, org entente.OrgID) (int, error) {
	return db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM identity_member WHERE org = $1 AND role = $2", org, string(entente.RoleOwner))
}

// jsonText gives the JSON of what can always be given as JSON: strings, numbers and
// lists and maps of them.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("identity: %T as JSON: %v", v, err))
	}
	return string(b)
}

// Notices on their way into the journal.

type noticeRow struct {
	id, kind, subject, body string
}

func insertNotice(ctx context.Context, tx *db.Tx, org entente.OrgID, n noticeRow, now time.Time) error {
	_, err := tx.Exec(ctx, "INSERT INTO identity_notice (org, id, kind, subject, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
		org, n.id, n.kind, n.subject, n.body, db.Millis(now))
	return err
}

func noticesOf(ctx context.Context, tx *db.Tx, org entente.OrgID, limit int) ([]noticeRow, error) {
	return db.All(ctx, tx, func(row db.Scanner) (n noticeRow, err error) {
		return n, row.Scan(&n.id, &n.kind, &n.subject, &n.body)
	}, "SELECT id, kind, subject, body FROM identity_notice WHERE org = $1 ORDER BY created_at, id LIMIT $2", org, limit)
}

func deleteNotice(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (int64, error) {
	return tx.Exec(ctx, "DELETE FROM identity_notice WHERE org = $1 AND id = $2", org, id)
}

func orgsWithNotices(ctx context.Context, tx *db.Tx) ([]entente.OrgID, error) {
	return db.All(ctx, tx, db.Value[entente.OrgID], "SELECT DISTINCT org FROM identity_notice ORDER BY org LIMIT 1000")
}

// Limits of attempts.

type rateRow struct {
	failures    int
	last, until time.Time
}

func readRate(ctx context.Context, tx *db.Tx, key string) (rateRow, error) {
	r, err := db.One(ctx, tx, func(row db.Scanner) (r rateRow, err error) {
		var last, until int64
		err = row.Scan(&r.failures, &last, &until)
		r.last, r.until = db.Time(last), db.Time(until)
		return r, err
	}, "SELECT failures, last_at, until_at FROM identity_rate WHERE key = $1", key)
	if errors.Is(err, db.ErrNoRow) {
		return rateRow{}, nil
	}
	return r, err
}

func putRate(ctx context.Context, tx *db.Tx, key string, r rateRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_rate (key, failures, last_at, until_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at, until_at = excluded.until_at`,
		key, r.failures, db.Millis(r.last), db.Millis(r.until))
	return err
}

func deleteRate(ctx context.Context, tx *db.Tx, key string) error {
	_, err := tx.Exec(ctx, "DELETE FROM identity_rate WHERE key = $1", key)
	return err
}

// Challenges: ceremonies that a browser has begun and not finished.

type challengeRow struct {
	kind    string
	person  entente.PersonID
	address string
	data    []byte
}

func countChallenges(ctx context.Context, tx *db.Tx, address string) (int, error) {
	return db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM identity_challenge WHERE address = $1", address)
}

func insertChallenge(ctx context.Context, tx *db.Tx, hash []byte, c challengeRow, expires time.Time) error {
	_, err := tx.Exec(ctx, "INSERT INTO identity_challenge (hash, kind, person, address, data, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
		hash, c.kind, c.person, c.address, c.data, db.Millis(expires))
	return err
}

// takeChallenge reads a challenge and removes it, so that it can be answered once.
func takeChallenge(ctx context.Context, tx *db.Tx, hash []byte, kind string, now time.Time) (*challengeRow, error) {
	return orNone(db.One(ctx, tx, func(row db.Scanner) (c challengeRow, err error) {
		return c, row.Scan(&c.kind, &c.person, &c.address, &c.data)
	}, "DELETE FROM identity_challenge WHERE hash = $1 AND kind = $2 AND expires_at > $3 RETURNING kind, person, address, data", hash, kind, db.Millis(now)))
}

// readChallenge reads a challenge and leaves it.
func readChallenge(ctx context.Context, tx *db.Tx, hash []byte, kind string, now time.Time) (*challengeRow, error) {
	return orNone(db.One(ctx, tx, func(row db.Scanner) (c challengeRow, err error) {
		return c, row.Scan(&c.kind, &c.person, &c.address, &c.data)
	}, "SELECT kind, person, address, data FROM identity_challenge WHERE hash = $1 AND kind = $2 AND expires_at > $3", hash, kind, db.Millis(now)))
}

// sweep removes what has run out; it says how many rows went.
func sweep(ctx context.Context, tx *db.Tx, now, idle time.Time) (n int64, err error) {
	for _, remove := range []func() (int64, error){
		func() (int64, error) {
			return tx.Exec(ctx, "DELETE FROM identity_session WHERE expires_at <= $1 OR seen_at <= $2", db.Millis(now), db.Millis(idle))
		},
		func() (int64, error) {
			return tx.Exec(ctx, "DELETE FROM identity_challenge WHERE expires_at <= $1", db.Millis(now))
		},
		func() (int64, error) {
			return tx.Exec(ctx, "DELETE FROM identity_rate WHERE last_at <= $1", db.Millis(now.Add(-limitAccount.forget)))
		},
	} {
		more, err := remove()
		if err != nil {
			return n, err
		}
		n += more
	}
	return n, nil
}

func passkeyTaken(ctx context.Context, tx *db.Tx, id string) (bool, error) {
	n, err := db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM identity_credential WHERE id = $1 AND kind = 'passkey'", id)
	return n > 0, err
}
