package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// readSelf gives nil where the organisation has no key yet.
func readSelf(ctx context.Context, tx *db.Tx, org entente.OrgID) (*Self, error) {
	s, text, err := selfText(ctx, tx, org)
	if s == nil {
		return nil, err
	}
	return s, json.Unmarshal([]byte(text), &s.Document)
}

// selfText gives the key document as it is stored, and the rest; nil where the
// organisation has no key yet.
func selfText(ctx context.Context, tx *db.Tx, org entente.OrgID) (self *Self, text string, err error) {
	s, err := db.One(ctx, tx, func(row db.Scanner) (s Self, err error) {
		var contacts string
		var moved int64
		if err = row.Scan(&text, &moved, &contacts); err != nil {
			return s, err
		}
		s.Moved = db.Time(moved)
		return s, json.Unmarshal([]byte(contacts), &s.Contacts)
	}, "SELECT document, moved_at, contacts FROM exchange_self WHERE org = $1", org)
	if errors.Is(err, db.ErrNoRow) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	return &s, text, nil
}

func insertSelf(ctx context.Context, tx *db.Tx, org entente.OrgID, s Self, at time.Time) error {
	text, contacts, err := selfTexts(s)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO exchange_self (org, party, document, contacts, made_at) VALUES ($1, $2, $3, $4, $5)", org, s.Document.Party, text, contacts, db.Millis(at))
	return err
}

func updateSelf(ctx context.Context, tx *db.Tx, org entente.OrgID, s Self) error {
	text, contacts, err := selfTexts(s)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE exchange_self SET document = $2, contacts = $3 WHERE org = $1", org, text, contacts)
	return err
}

func selfTexts(s Self) (document, contacts string, err error) {
	d, err := json.Marshal(s.Document)
	if s.Contacts == nil {
		s.Contacts = []entente.Contact{}
	}
	c, err2 := json.Marshal(s.Contacts)
	return string(d), string(c), errors.Join(err, err2)
}

func insertKey(ctx context.Context, tx *db.Tx, org entente.OrgID, id entente.KeyID, sealed []byte, at time.Time) error {
	_, err := tx.Exec(ctx, "INSERT INTO exchange_key (org, id, sealed, made_at) VALUES ($1, $2, $3, $4)", org, id, sealed, db.Millis(at))
	return err
}

func readKey(ctx context.Context, tx *db.Tx, org entente.OrgID, id entente.KeyID) ([]byte, error) {
	return db.One(ctx, tx, db.Value[[]byte], "SELECT sealed FROM exchange_key WHERE org = $1 AND id = $2", org, id)
}

const invitationColumns = "id, secret, name, known_as, terms, state, party, made_at, by, expires_at"

func scanInvitation(row db.Scanner) (i Invitation, err error) {
	var secret []byte
	var terms string
	var made, expires int64
	if err = row.Scan(&i.ID, &secret, &i.Name, &i.KnownAs, &terms, &i.State, &i.Party, &made, &i.By, &expires); err != nil {
		return i, err
	}
	copy(i.secret[:], secret)
	i.Made, i.Expires = db.Time(made), db.Time(expires)
	return i, json.Unmarshal([]byte(terms), &i.Terms)
}

func invitationsOf(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]Invitation, error) {
	return db.All(ctx, tx, scanInvitation, "SELECT "+invitationColumns+" FROM exchange_invitation WHERE org = $1 ORDER BY made_at DESC, id", org)
}

func readInvitation(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (Invitation, error) {
	i, err := db.One(ctx, tx, scanInvitation, "SELECT "+invitationColumns+" FROM exchange_invitation WHERE org = $1 AND id = $2", org, id)
	if errors.Is(err, db.ErrNoRow) {
		return i, entente.NotFound("there is no such invitation")
	}
	return i, err
}

func invitationWith(ctx context.Context, tx *db.Tx, org entente.OrgID, secret entente.Hash) (Invitation, error) {
	return db.One(ctx, tx, scanInvitation, "SELECT "+invitationColumns+" FROM exchange_invitation WHERE org = $1 AND secret = $2", org, secret[:])
}

func insertInvitation(ctx context.Context, tx *db.Tx, org entente.OrgID, i Invitation) error {
	terms, err := json.Marshal(i.Terms)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO exchange_invitation (org, "+invitationColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
		org, i.ID, i.secret[:], i.Name, i.KnownAs, string(terms), i.State, i.Party, db.Millis(i.Made), i.By, db.Millis(i.Expires))
	return err
}

func updateInvitation(ctx context.Context, tx *db.Tx, org entente.OrgID, i Invitation) error {
	_, err := tx.Exec(ctx, "UPDATE exchange_invitation SET state = $3, party = $4 WHERE org = $1 AND id = $2", org, i.ID, i.State, i.Party)
	return err
}

const partnerColumns = "party, name, known_as, address, document, state, began_at, ended_at, ended_by, ended_why, verified_at, verified_by, verified_key, contacts"

func scanPartner(row db.Scanner) (p Partner, err error) {
	var began, ended, compared int64
	var contacts string
	err = row.Scan(&p.Party, &p.Name, &p.KnownAs, &p.Address, &p.document, &p.State, &began, &ended, &p.EndedBy, &p.EndedWhy, &compared, &p.ComparedBy, &p.comparedKey, &contacts)
	if err != nil {
		return p, err
	}
	p.Began, p.Ended, p.Compared = db.Time(began), db.Time(ended), db.Time(compared)
	return p, json.Unmarshal([]byte(contacts), &p.Contacts)
}

func partnerRow(org entente.OrgID, p Partner) ([]any, error) {
	contacts, err := json.Marshal(p.Contacts)
	return []any{
		org, p.Party, p.Name, p.KnownAs, p.Address, p.document, p.State, db.Millis(p.Began), db.Millis(p.Ended), p.EndedBy, p.EndedWhy,
		db.Millis(p.Compared), p.ComparedBy, p.comparedKey, string(contacts),
	}, err
}

func insertPartner(ctx context.Context, tx *db.Tx, org entente.OrgID, p Partner) error {
	row, err := partnerRow(org, p)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO exchange_partner (org, "+partnerColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)", row...)
	return err
}

func updatePartner(ctx context.Context, tx *db.Tx, org entente.OrgID, p Partner) error {
	row, err := partnerRow(org, p)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE exchange_partner SET name = $3, known_as = $4, address = $5, document = $6, state = $7, began_at = $8, ended_at = $9, ended_by = $10,
		ended_why = $11, verified_at = $12, verified_by = $13, verified_key = $14, contacts = $15 WHERE org = $1 AND party = $2`, row...)
	return err
}

// readPartner gives the bare row: without keys, agreement and feeds.
func readPartner(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID) (Partner, error) {
	p, err := db.One(ctx, tx, scanPartner, "SELECT "+partnerColumns+" FROM exchange_partner WHERE org = $1 AND party = $2", org, party)
	if errors.Is(err, db.ErrNoRow) {
		return p, noPartner()
	}
	return p, err
}

// partner gives a partner with everything that belongs to it.
func (s *Service) partner(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID) (p Partner, err error) {
	var out, in Feed
	var signed []byte
	err = db.Together(ctx, tx,
		db.Ask("SELECT "+partnerColumns+" FROM exchange_partner WHERE org = $1 AND party = $2", func(row db.Scanner) error {
			p, err = scanPartner(row)
			return err
		}, org, party),
		db.Ask("SELECT "+feedColumns+" FROM exchange_feed WHERE org = $1 AND party = $2", func(row db.Scanner) error {
			f, err := scanFeed(row)
			if f.Way == Out {
				out = f
			} else {
				in = f
			}
			return err
		}, org, party),
		db.Ask("SELECT envelope FROM exchange_agreement WHERE org = $1 AND party = $2 AND state = 'signed' ORDER BY number DESC LIMIT 1", func(row db.Scanner) error {
			signed, err = db.Value[[]byte](row)
			return err
		}, org, party))
	if err != nil {
		return p, err
	}
	if p.Party == "" {
		return p, noPartner()
	}
	p.Out, p.In = out, in
	return s.whole(p, string(signed))
}

// whole adds the keys and the agreement.
func (s *Service) whole(p Partner, signed string) (Partner, error) {
	var err error
	p.Document, p.Ring, err = s.ring(p.document)
	if err != nil {
		return p, err
	}
	if p.comparedKey != p.Ring.Current().Public.ID() {
		p.Compared, p.ComparedBy = time.Time{}, ""
	}
	a, err := s.agreement(signed)
	p.Agreement = a.Agreement
	return p, err
}

// partners gives all partners with everything that belongs to them, in three queries.
func (s *Service) partners(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]Partner, error) {
	list, err := db.All(ctx, tx, scanPartner, "SELECT "+partnerColumns+" FROM exchange_partner WHERE org = $1 ORDER BY party", org)
	if err != nil {
		return nil, err
	}
	feeds, err := db.All(ctx, tx, scanFeed, "SELECT "+feedColumns+" FROM exchange_feed WHERE org = $1", org)
	if err != nil {
		return nil, err
	}
	byParty := map[entente.PartyID]*Partner{}
	for i := range list {
		byParty[list[i].Party] = &list[i]
	}
	for _, f := range feeds {
		if p := byParty[f.Party]; p != nil && f.Way == Out {
			p.Out = f
		} else if p != nil {
			p.In = f
		}
	}
	signed := map[entente.PartyID]string{}
	err = db.Each(ctx, tx, "SELECT party, envelope FROM exchange_agreement WHERE org = $1 AND state = 'signed' ORDER BY party, number", func(row db.Scanner) error {
		var party entente.PartyID
		var text []byte
		err := row.Scan(&party, &text)
		signed[party] = string(text) // the latest comes last
		return err
	}, org)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i], err = s.whole(list[i], signed[list[i].Party]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

const versionColumns = "number, state, proposer, envelope, at, why"

func scanVersion(row db.Scanner) (v Version, err error) {
	var text []byte
	var at int64
	if err = row.Scan(&v.Number, &v.State, &v.Proposer, &text, &at, &v.Why); err != nil {
		return v, err
	}
	v.At = db.Time(at)
	return v, json.Unmarshal(text, &v.Envelope)
}

func versionsOf(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID) ([]Version, error) {
	return db.All(ctx, tx, scanVersion, "SELECT "+versionColumns+" FROM exchange_agreement WHERE org = $1 AND party = $2 ORDER BY number DESC", org, party)
}

func nextAgreement(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID) (int, error) {
	return db.One(ctx, tx, db.Value[int], "SELECT coalesce(max(number), 0) + 1 FROM exchange_agreement WHERE org = $1 AND party = $2", org, party)
}

func insertAgreement(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, v Version) error {
	text, err := v.Envelope.Encode()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO exchange_agreement (org, party, "+versionColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		org, party, v.Number, v.State, v.Proposer, text, db.Millis(v.At), v.Why)
	return err
}

func updateAgreement(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, v Version) error {
	text, err := v.Envelope.Encode()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE exchange_agreement SET state = $4, envelope = $5, at = $6, why = $7 WHERE org = $1 AND party = $2 AND number = $3",
		org, party, v.Number, v.State, text, db.Millis(v.At), v.Why)
	return err
}

const feedColumns = "party, way, number, head, key, quarantine, acked, receipt, acked_at, tried_at, failures, error, armed_at"

func scanFeed(row db.Scanner) (f Feed, err error) {
	var head, receipt []byte
	var quarantine string
	var acked, tried, armed int64
	err = row.Scan(&f.Party, &f.Way, &f.Number, &head, &f.Key, &quarantine, &f.Acked, &receipt, &acked, &tried, &f.Failures, &f.Error, &armed)
	if err != nil {
		return f, err
	}
	copy(f.Head[:], head)
	f.AckedAt, f.Tried, f.armed = db.Time(acked), db.Time(tried), db.Time(armed)
	if quarantine != "" {
		if err := json.Unmarshal([]byte(quarantine), &f.Quarantine); err != nil {
			return f, err
		}
	}
	if len(receipt) > 0 {
		f.Receipt = &entente.Envelope{}
		err = json.Unmarshal(receipt, f.Receipt)
	}
	return f, err
}

func feedRow(org entente.OrgID, f Feed) ([]any, error) {
	quarantine, err := sayingText(f.Quarantine)
	if err != nil {
		return nil, err
	}
	var receipt []byte
	if f.Receipt != nil {
		if receipt, err = f.Receipt.Encode(); err != nil {
			return nil, err
		}
	}
	return []any{
		org, f.Party, f.Way, int64(f.Number), f.Head[:], f.Key, quarantine, int64(f.Acked), receipt, db.Millis(f.AckedAt), db.Millis(f.Tried), f.Failures, f.Error, db.Millis(f.armed),
	}, nil
}

// sayingText writes a message as it is stored: empty if it is blank.
func sayingText(m entente.Message) (string, error) {
	if m.Blank() {
		return "", nil
	}
	text, err := json.Marshal(m)
	return string(text), err
}

func readFeed(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, way Way) (Feed, error) {
	f, err := db.One(ctx, tx, scanFeed, "SELECT "+feedColumns+" FROM exchange_feed WHERE org = $1 AND party = $2 AND way = $3", org, party, way)
	if errors.Is(err, db.ErrNoRow) {
		return f, noPartner()
	}
	return f, err
}

func insertFeed(ctx context.Context, tx *db.Tx, org entente.OrgID, f Feed) error {
	row, err := feedRow(org, f)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO exchange_feed (org, "+feedColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)", row...)
	return err
}

func updateFeed(ctx context.Context, tx *db.Tx, org entente.OrgID, f Feed) error {
	row, err := feedRow(org, f)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE exchange_feed SET number = $4, head = $5, key = $6, quarantine = $7, acked = $8, receipt = $9, acked_at = $10, tried_at = $11,
		failures = $12, error = $13, armed_at = $14 WHERE org = $1 AND party = $2 AND way = $3`, row...)
	return err
}

func insertNonce(ctx context.Context, tx *db.Tx, org entente.OrgID, nonce string, at, before time.Time) error {
	if _, err := tx.Exec(ctx, "DELETE FROM exchange_nonce WHERE org = $1 AND at < $2", org, db.Millis(before)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO exchange_nonce (org, nonce, at) VALUES ($1, $2, $3)", org, nonce, db.Millis(at))
	return err
}
