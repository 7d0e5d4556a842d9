package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// stored is an entry as the room keeps it.
type stored struct {
	Party      entente.PartyID
	Way        Way
	Number     uint64
	Hash       entente.Hash
	Envelope   entente.Envelope // without a payload where the content was deleted
	Kind       entente.EntryKind
	Subject    string
	Originator entente.PartyID
	Marking    entente.Marking // as it counts now
	Statement  string
	State      EntryState
	Why        entente.Message
	Said       time.Time
	Stored     time.Time
	Delivered  time.Time
	Read       time.Time
	ReadBy     string
	Answered   time.Time
	Outcome    Outcome
	OutcomeWhy entente.Message
	Title      string    // what it is called, as far as it says so
	Due        time.Time // until when an answer is asked for; zero: none is
	Narrowed   bool      // its marking is narrower now than it was signed
	Ended      time.Time // when it was taken back or its time ran out, as its state says; zero: it was not
}

const entryColumns = "party, way, number, hash, envelope, kind, subject, originator, marking, statement, state, why, said_at, stored_at, delivered_at, read_at, read_by, answered_at, outcome, outcome_why, title, due_at, narrowed, ended_at"

func scanEntry(row db.Scanner) (e stored, err error) {
	var hash, envelope []byte
	var marking, why, outcome string
	var said, at, delivered, read, answered, due, ended int64
	err = row.Scan(&e.Party, &e.Way, &e.Number, &hash, &envelope, &e.Kind, &e.Subject, &e.Originator, &marking, &e.Statement, &e.State, &why, &said, &at, &delivered, &read, &e.ReadBy, &answered, &e.Outcome, &outcome, &e.Title, &due, &e.Narrowed, &ended)
	if err != nil {
		return e, err
	}
	copy(e.Hash[:], hash)
	e.Said, e.Stored, e.Delivered, e.Read, e.Answered, e.Due, e.Ended = db.Time(said), db.Time(at), db.Time(delivered), db.Time(read), db.Time(answered), db.Time(due), db.Time(ended)
	if len(envelope) > 0 {
		if err := json.Unmarshal(envelope, &e.Envelope); err != nil {
			return e, err
		}
	}
	for text, into := range map[string]*entente.Message{why: &e.Why, outcome: &e.OutcomeWhy} {
		if text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return e, err
		}
	}
	return e, json.Unmarshal([]byte(marking), &e.Marking)
}

func entryRow(org entente.OrgID, e stored) ([]any, error) {
	var envelope []byte
	var err error
	if len(e.Envelope.Payload) > 0 {
		if envelope, err = e.Envelope.Encode(); err != nil {
			return nil, err
		}
	}
	marking, err := json.Marshal(e.Marking)
	if err != nil {
		return nil, err
	}
	why, err := sayingText(e.Why)
	if err != nil {
		return nil, err
	}
	outcome, err := sayingText(e.OutcomeWhy)
	return []any{
		org, e.Party, e.Way, int64(e.Number), e.Hash[:], envelope, e.Kind, e.Subject, e.Originator, string(marking), e.Statement, e.State, why,
		db.Millis(e.Said), db.Millis(e.Stored), db.Millis(e.Delivered), db.Millis(e.Read), e.ReadBy, db.Millis(e.Answered), e.Outcome, outcome,
		e.Title, db.Millis(e.Due), e.Narrowed, db.Millis(e.Ended), e.search(), int64(e.Marking.TLP), db.Millis(e.Marking.Embargo), db.Millis(e.Marking.Expires),
	}, err
}

func insertEntry(ctx context.Context, tx *db.Tx, org entente.OrgID, e stored) error {
	row, err := entryRow(org, e)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO exchange_entry (org, "+entryColumns+`, search, tlp, embargo_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)`, row...)
	return err
}

// updateEntry writes what may change of an entry: never what was signed, except that
// it is deleted.
func updateEntry(ctx context.Context, tx *db.Tx, org entente.OrgID, e stored) error {
	row, err := entryRow(org, e)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE exchange_entry SET envelope = $5, marking = $6, state = $7, why = $8, read_at = $9, read_by = $10, answered_at = $11, outcome = $12, outcome_why = $13,
		title = $14, narrowed = $15, ended_at = $16, search = $17, tlp = $18, embargo_at = $19, expires_at = $20
		WHERE org = $1 AND party = $2 AND way = $3 AND number = $4`,
		row[0], row[1], row[2], row[3], row[5], row[9], row[11], row[12], row[16], row[17], row[18], row[19], row[20], row[21], row[23], row[24], row[25], row[26], row[27], row[28])
	return err
}

func readEntry(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, way Way, number uint64) (stored, error) {
	e, err := db.One(ctx, tx, scanEntry, "SELECT "+entryColumns+" FROM exchange_entry WHERE org = $1 AND party = $2 AND way = $3 AND number = $4", org, party, way, int64(number))
	if errors.Is(err, db.ErrNoRow) {
		return e, entente.NotFound("there is no such entry")
	}
	return e, err
}

func hashOf(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, way Way, number uint64) (h entente.Hash, known bool, err error) {
	raw, err := db.One(ctx, tx, db.Value[[]byte], "SELECT hash FROM exchange_entry WHERE org = $1 AND party = $2 AND way = $3 AND number = $4", org, party, way, int64(number))
	if errors.Is(err, db.ErrNoRow) {
		return h, false, nil
	}
	copy(h[:], raw)
	return h, err == nil, err
}

// envelopesAfter gives what follows in a feed, to be sent.
func envelopesAfter(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, way Way, after uint64) (batch []entente.Envelope, err error) {
	kept, err := keptAfter(ctx, tx, org, party, way, after)
	for _, k := range kept {
		if k.Entry == nil {
			if len(batch) == 0 {
				err = entente.Conflict("entry %d was deleted, and cannot be sent any more", after+1)
			}
			break
		}
		batch = append(batch, *k.Entry)
	}
	return batch, err
}

// keptAfter gives what follows in a feed, as far as it is still here: at least one entry
// if there is one, and otherwise within the bounds of a request.
func keptAfter(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, way Way, after uint64) (batch []entente.Kept, err error) {
	size := 0
	errFull := errors.New("full")
	err = db.Each(ctx, tx, "SELECT hash, envelope FROM exchange_entry WHERE org = $1 AND party = $2 AND way = $3 AND number > $4 ORDER BY number LIMIT 200", func(row db.Scanner) error {
		var hash, text []byte
		if err := row.Scan(&hash, &text); err != nil {
			return err
		}
		size += len(text)
		if len(batch) > 0 && size > batchBytes {
			return errFull
		}
		k := entente.Kept{Hash: entente.Hash(hash)}
		if len(text) > 0 {
			k.Entry = &entente.Envelope{}
			if err := json.Unmarshal(text, k.Entry); err != nil {
				return err
			}
		}
		batch = append(batch, k)
		return nil
	}, org, party, way, int64(after))
	if errors.Is(err, errFull) {
		err = nil
	}
	return batch, err
}

// delivered writes down that the receiver signed for entries after one number, up to
// and with another.
func delivered(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, after, upTo uint64, at time.Time) error {
	_, err := tx.Exec(ctx, "UPDATE exchange_entry SET delivered_at = $5 WHERE org = $1 AND party = $2 AND way = 'out' AND number > $3 AND number <= $4", org, party, int64(after), int64(upTo), db.Millis(at))
	return err
}

// resign signs what no receiver has signed for anew: what a revoked key has signed is
// not believed any more. What is said, and so its hash, stays.
func resign(ctx context.Context, tx *db.Tx, org entente.OrgID, signer entente.Signer) error {
	waiting, err := db.All(ctx, tx, scanEntry, "SELECT "+entryColumns+` FROM exchange_entry WHERE org = $1 AND way = 'out' AND envelope IS NOT NULL
		AND number > (SELECT f.acked FROM exchange_feed f WHERE f.org = exchange_entry.org AND f.party = exchange_entry.party AND f.way = 'out')`, org)
	if err != nil {
		return err
	}
	for _, e := range waiting {
		e.Envelope, err = entente.Sign(e.Envelope.PayloadType, e.Envelope.Payload, signer)
		if err != nil {
			return err
		}
		if err := updateEntry(ctx, tx, org, e); err != nil {
			return err
		}
	}
	return nil
}

func countForks(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID) (int, error) {
	return db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM exchange_fork WHERE org = $1 AND party = $2", org, party)
}

func forksOf(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID) ([]Fork, error) {
	return db.All(ctx, tx, func(row db.Scanner) (f Fork, err error) {
		var hash, envelope []byte
		var at int64
		if err = row.Scan(&f.Party, &f.Number, &hash, &envelope, &at); err != nil {
			return f, err
		}
		copy(f.Hash[:], hash)
		f.At = db.Time(at)
		return f, json.Unmarshal(envelope, &f.Envelope)
	}, "SELECT party, number, hash, envelope, at FROM exchange_fork WHERE org = $1 AND party = $2 ORDER BY number, at", org, party)
}

func insertFork(ctx context.Context, tx *db.Tx, org entente.OrgID, f Fork) error {
	text, err := f.Envelope.Encode()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO exchange_fork (org, party, number, hash, envelope, at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
		org, f.Party, int64(f.Number), f.Hash[:], text, db.Millis(f.At))
	return err
}

const statementColumns = "id, kind, subject, title, marking, body, blobs, originator, withheld, basis, decisions, state, why, at, person, by, recalled_at, of_party, of_number, need_why"

func scanStatement(row db.Scanner) (s Statement, err error) {
	var marking, blobs, decided string
	var body []byte
	var at, recalled int64
	err = row.Scan(&s.ID, &s.Kind, &s.Subject, &s.Title, &marking, &body, &blobs, &s.Originator, &s.Withheld, &s.Basis, &decided, &s.State, &s.Why, &at, &s.Person, &s.By, &recalled,
		&s.Of.Party, &s.Of.Number, &s.NeedWhy)
	if err != nil {
		return s, err
	}
	s.Body, s.At, s.Recalled = body, db.Time(at), db.Time(recalled)
	return s, errors.Join(json.Unmarshal([]byte(marking), &s.Marking), json.Unmarshal([]byte(blobs), &s.Blobs), json.Unmarshal([]byte(decided), &s.Decided))
}

func insertStatement(ctx context.Context, tx *db.Tx, org entente.OrgID, s Statement) error {
	marking, err := json.Marshal(s.Marking)
	if err != nil {
		return err
	}
	blobs, err := json.Marshal(s.Blobs)
	if err != nil {
		return err
	}
	decided, err := json.Marshal(s.Decided)
	if err != nil {
		return err
	}
	if s.Body == nil {
		s.Body = json.RawMessage{}
	}
	_, err = tx.Exec(ctx, "INSERT INTO exchange_statement (org, "+statementColumns+", tlp) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
		org, s.ID, s.Kind, s.Subject, s.Title, string(marking), []byte(s.Body), string(blobs), s.Originator, s.Withheld, s.Basis, string(decided), s.State, s.Why,
		db.Millis(s.At), s.Person, s.By, db.Millis(s.Recalled), s.Of.Party, int64(s.Of.Number), s.NeedWhy, int64(s.Marking.TLP))
	return err
}

func updateStatement(ctx context.Context, tx *db.Tx, org entente.OrgID, s Statement) error {
	marking, err := json.Marshal(s.Marking)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE exchange_statement SET marking = $3, state = $4, why = $5, recalled_at = $6, tlp = $7 WHERE org = $1 AND id = $2",
		org, s.ID, string(marking), s.State, s.Why, db.Millis(s.Recalled), int64(s.Marking.TLP))
	return err
}

func readStatement(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (Statement, error) {
	s, err := db.One(ctx, tx, scanStatement, "SELECT "+statementColumns+" FROM exchange_statement WHERE org = $1 AND id = $2", org, id)
	if errors.Is(err, db.ErrNoRow) {
		return s, entente.NotFound("nothing of this kind was said")
	}
	return s, err
}

func statementsOf(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]Statement, error) {
	return db.All(ctx, tx, scanStatement, "SELECT "+statementColumns+" FROM exchange_statement WHERE org = $1 ORDER BY at DESC, id LIMIT 1000", org)
}

func insertLine(ctx context.Context, tx *db.Tx, org entente.OrgID, statement string, l Line) error {
	reason, err := sayingText(l.Reason)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO exchange_ledger (org, statement, party, name, allowed, reason, number, agreement, need, revise, revised_at, recall, recall_acked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		org, statement, l.Party, l.Name, l.Allowed, reason, int64(l.Number), l.Agreement, l.Need, l.Revise, db.Millis(l.Revised), int64(l.Recall), db.Millis(l.Acked))
	return err
}

// updateRevision writes down what a recipient was asked to do.
func updateRevision(ctx context.Context, tx *db.Tx, org entente.OrgID, statement string, l Line) error {
	_, err := tx.Exec(ctx, "UPDATE exchange_ledger SET revise = $4, revised_at = $5, recall = $6, recall_acked_at = $7 WHERE org = $1 AND statement = $2 AND party = $3",
		org, statement, l.Party, l.Revise, db.Millis(l.Revised), int64(l.Recall), db.Millis(l.Acked))
	return err
}

// ackRevision writes down that a recipient did what an entry asked it, or more: who was to
// narrow it may have deleted it; asked is that
// entry, or 0 where the recipient did not name it. What was asked later is not done by
// it.
func ackRevision(ctx context.Context, tx *db.Tx, org entente.OrgID, statement string, party entente.PartyID, did Revision, asked uint64, at time.Time) (news bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE exchange_ledger SET recall_acked_at = $6 WHERE org = $1 AND statement = $2 AND party = $3 AND (revise = $4 OR $4 = 'recall') AND recall > 0
		AND (recall = $5 OR $5 = 0) AND recall_acked_at = 0`, org, statement, party, did, int64(asked), db.Millis(at))
	return n > 0, err
}

// linesOf gives the ledger of a statement, with what became of it at each partner.
func linesOf(ctx context.Context, tx *db.Tx, org entente.OrgID, statement string) ([]Line, error) {
	return db.All(ctx, tx, func(row db.Scanner) (l Line, err error) {
		var reason string
		var revised, recalled, delivered, read, answered int64
		err = row.Scan(&l.Party, &l.Name, &l.Allowed, &reason, &l.Number, &l.Agreement, &l.Need, &l.Revise, &revised, &l.Recall, &recalled, &delivered, &read, &answered)
		if err != nil {
			return l, err
		}
		l.Revised, l.Acked, l.Delivered, l.Read, l.Answered = db.Time(revised), db.Time(recalled), db.Time(delivered), db.Time(read), db.Time(answered)
		if reason != "" {
			err = json.Unmarshal([]byte(reason), &l.Reason)
		}
		return l, err
	}, `SELECT l.party, l.name, l.allowed, l.reason, l.number, l.agreement, l.need, l.revise, l.revised_at, l.recall, l.recall_acked_at, coalesce(e.delivered_at, 0), coalesce(e.read_at, 0), coalesce(e.answered_at, 0)
		FROM exchange_ledger l
		LEFT JOIN exchange_entry e ON e.org = l.org AND e.party = l.party AND e.way = 'out' AND e.number = l.number
		WHERE l.org = $1 AND l.statement = $2 ORDER BY lower(l.name), l.party`, org, statement)
}
