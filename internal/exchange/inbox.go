package exchange

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// EntryState says whether an entry stands.
type EntryState string

// The states of an entry.
const (
	Standing EntryState = "standing"
	Held     EntryState = "held"     // received, but its marking does not let us have it: nobody sees what it says
	Recalled EntryState = "recalled" // taken back by its sender; its content is deleted
	Expired  EntryState = "expired"  // its time ran out; its content is deleted
)

// PushAnswer is what the receiver of a feed answers to a push, and to a fetch of the
// other direction.
type PushAnswer struct {
	// Receipt proves up to where the receiver holds the feed; nil before its first entry.
	Receipt *entente.Envelope `json:"receipt,omitempty"`
	// Want is the number of the entry that it needs next.
	Want uint64 `json:"want"`
	// Refused says why it did not take the rest.
	Refused string `json:"refused,omitempty"`
}

// Take takes what a party says to an organisation of this node: the door of the inbox.
// Each entry is checked and stored before the receipt is signed for it.
func (s *Service) Take(ctx context.Context, from, to entente.PartyID, batch []entente.Envelope) (answer PushAnswer, err error) {
	org, err := s.local(ctx, to)
	if err != nil {
		return answer, err
	}
	if org == "" {
		return answer, entente.NotFound("this node does not host %s", to)
	}
	return s.take(ctx, org, from, batch)
}

func (s *Service) take(ctx context.Context, org entente.OrgID, from entente.PartyID, batch []entente.Envelope) (PushAnswer, error) {
	answer, _, err := s.takeBatch(ctx, org, from, batch, nil)
	return answer, err
}

// taken is what became of one envelope of a batch.
type taken struct {
	result LineResult
	why    entente.Message
}

// takeBatch also gives what became of each envelope, up to the first that was refused.
// What first does, if anything, is done in the same transaction.
func (s *Service) takeBatch(ctx context.Context, org entente.OrgID, from entente.PartyID, batch []entente.Envelope, first func(*db.Tx) error) (answer PushAnswer, results []taken, err error) {
	documents := documentsIn(batch)
	if neighbour, err := s.local(ctx, from); err == nil && neighbour != "" {
		d, err := s.KeyDocument(ctx, from)
		if err != nil {
			return answer, nil, err
		}
		documents = append(documents, d)
	}
	err = s.db.Write(ctx, org, func(tx *db.Tx) error {
		if first != nil {
			if err := first(tx); err != nil {
				return err
			}
		}
		answer, results = PushAnswer{}, nil
		p, err := s.partner(ctx, tx, org, from)
		if err != nil {
			return err
		}
		// Entries may be signed by a key that only a later one of them tells. A key
		// document proves itself, whoever brings it.
		for _, d := range documents {
			if _, err := s.rekeyed(ctx, tx, &p, d, false); err != nil {
				return err
			}
		}
		self, signer, err := s.mine(ctx, tx, org)
		if err != nil {
			return err
		}
		before := p.In.Number
		for _, envelope := range batch {
			held := p.In.Number
			refused, err := s.takeOne(ctx, tx, self, &p, envelope)
			if err != nil {
				return err
			}
			if refused != "" {
				answer.Refused, results = refused, append(results, taken{LineRefused, entente.Say("%s", refused)})
				break
			}
			result := LineKnown
			if p.In.Number > held {
				result = LineTaken
			}
			results = append(results, taken{result: result})
		}
		answer.Want = p.In.Number + 1
		if p.In.Number == 0 {
			return nil
		}
		if p.In.Number > before || p.In.Receipt == nil {
			receipt, err := entente.SignReceipt(entente.Receipt{Version: 1, From: from, To: self.Party(), Number: p.In.Number, Hash: p.In.Head, At: s.now()}, signer)
			if err != nil {
				return err
			}
			p.In.Acked, p.In.Receipt, p.In.AckedAt = p.In.Number, &receipt, s.now()
			if err := updateFeed(ctx, tx, org, p.In); err != nil {
				return err
			}
		}
		answer.Receipt = p.In.Receipt
		return nil
	})
	return answer, results, err
}

// documentsIn gives the key documents among what arrived.
func documentsIn(batch []entente.Envelope) (list []entente.KeyDocument) {
	for _, envelope := range batch {
		var e entente.Entry
		if !bytes.Contains(envelope.Payload, []byte(entente.EntryKeyChanged)) || json.Unmarshal(envelope.Payload, &e) != nil || e.Kind != entente.EntryKeyChanged {
			continue
		}
		if d, err := readDocument(e.Body); err == nil {
			list = append(list, d)
		}
	}
	return list
}

// takeOne takes one envelope, or says why not.
func (s *Service) takeOne(ctx context.Context, tx *db.Tx, self Self, p *Partner, envelope entente.Envelope) (refused string, err error) {
	var fault error
	st := p.In.state(self.Party())
	next, e, outcome, why := st.Take(envelope, p.Ring, func(n uint64) (entente.Hash, bool) {
		h, known, err := hashOf(ctx, tx, tx.Org(), p.Party, In, n)
		if err != nil {
			fault = err
		}
		return h, known
	})
	if fault != nil {
		return "", fault
	}
	switch outcome {
	case entente.Repeated:
		return "", nil
	case entente.Early:
		if err := s.armFeed(ctx, tx, &p.In, s.now()); err != nil {
			return "", err // what is missing is asked for
		}
		return fmt.Sprintf("entry %d was expected, and this is %d", p.In.Number+1, e.Number), nil
	case entente.Forked:
		return next.Quarantined.String(), s.forked(ctx, tx, p, next, e, envelope)
	case entente.Applied:
	default:
		return why.Error(), nil
	}
	if p.State != Active {
		return "the partnership has ended", nil
	}
	p.In.Number, p.In.Head, p.In.Key = next.Number, next.Head, next.Key // written with the receipt
	row := stored{Party: p.Party, Way: In, Number: e.Number, Hash: next.Head, Envelope: envelope, Kind: e.Kind, Subject: e.Subject,
		Originator: e.Originator, Marking: e.Marking, State: Standing, Said: e.At, Stored: s.now(), Title: headingOf(e.Body).title(), Due: dueOf(e)}
	if row.Title == "" && e.Kind == entente.EntryAnswer {
		row.Title, err = titleUnder(ctx, tx, p.Party, e.Subject)
		if err != nil {
			return "", err
		}
	}
	if ok, why := s.mayHave(self, *p, e); !ok {
		row.State, row.Why = Held, why
	}
	if err := insertEntry(ctx, tx, tx.Org(), row); err != nil {
		return "", err
	}
	if err := s.expireAt(ctx, tx, row); err != nil {
		return "", err
	}
	event := EventReceived
	if row.State == Held {
		event = EventHeld
	}
	about := e.Subject
	if e.Marking.TLP == entente.TLPRed {
		about = "" // the journal is read by others than those whom it names
	}
	err = journal.Append(ctx, tx, entente.System(tx.Org(), entente.DoorWorker), event, entrySubject(p.Party, e.Number), entryEvent{
		Party: string(p.Party), Name: p.Name, Number: e.Number, Kind: string(e.Kind), Subject: about, Why: row.Why.String(),
	})
	if err != nil || row.State == Held {
		return "", err
	}
	if err := s.want(ctx, tx, p.Party, e); err != nil {
		return "", err
	}
	return "", s.apply(ctx, tx, self, p, e)
}

// mayHave asks the gate whether the partner was allowed to send us an entry: what it
// should not have said is kept as proof, and shown to nobody.
func (s *Service) mayHave(self Self, p Partner, e entente.Entry) (bool, entente.Message) {
	r := p.Agreement.Relation(p.Party, self.Party(), e.Kind, s.now())
	r.Originator, r.Need = e.Originator, true // that we need to know it was theirs to decide
	if r.Originator == "" {
		r.Originator = p.Party
	}
	if e.Withheld {
		// Who said it first is not ours to know; what they may pass on, they must know.
		return r.Agreed && e.Marking.TLP <= r.Ceiling && e.Marking.TLP != entente.TLPRed, entente.Say("No agreement in force lets this travel to you.")
	}
	return entente.MayShare(e.Marking, p.Party, self.Party(), r)
}

// leavesOut says whether we may not have an entry any more under a narrower marking,
// whatever the agreement says.
func leavesOut(self Self, held stored, m entente.Marking) bool {
	var e entente.Entry
	if json.Unmarshal(held.Envelope.Payload, &e) != nil {
		return false
	}
	if e.Withheld { // whom its originator meant is not told to us
		return m.TLP >= entente.TLPAmberStrict
	}
	m.Embargo = time.Time{} // it binds what is passed on from now on
	ok, _ := entente.MayShare(m, held.Party, self.Party(), entente.Relation{
		Originator: cmp.Or(held.Originator, held.Party), Standing: entente.IsCustomer, Agreed: true, Need: true, At: held.Stored,
	})
	return !ok
}

// entrySubject names an entry in the journal.
func entrySubject(p entente.PartyID, n uint64) string { return fmt.Sprintf("%s/%d", p, n) }

// forked keeps the proof, and puts the feed into quarantine.
func (s *Service) forked(ctx context.Context, tx *db.Tx, p *Partner, next entente.FeedState, e entente.Entry, envelope entente.Envelope) error {
	n, err := countForks(ctx, tx, tx.Org(), p.Party)
	if err != nil || n >= maxForks {
		return err
	}
	if err := insertFork(ctx, tx, tx.Org(), Fork{Party: p.Party, Number: e.Number, Hash: entente.HashOf(envelope.Payload), Envelope: envelope, At: s.now()}); err != nil {
		return err
	}
	if !p.In.Quarantine.Blank() {
		return nil
	}
	p.In.Quarantine = next.Quarantined
	if err := updateFeed(ctx, tx, tx.Org(), p.In); err != nil {
		return err
	}
	return journal.Append(ctx, tx, entente.System(tx.Org(), entente.DoorWorker), EventForked, string(p.Party), map[string]any{"name": p.Name, "way": In, "number": e.Number, "why": next.Quarantined.String()})
}

// maxForks bounds the proofs that are kept of one partner.
const maxForks = 100

// Fork is an entry that contradicts what a partner said before.
type Fork struct {
	Party    entente.PartyID
	Number   uint64
	Hash     entente.Hash
	Envelope entente.Envelope
	At       time.Time
}

// apply does what an entry asks of the exchange itself; what it says to people and
// rooms is theirs. An entry that asks for something that cannot be done is kept and
// changes nothing.
func (s *Service) apply(ctx context.Context, tx *db.Tx, self Self, p *Partner, e entente.Entry) error {
	switch e.Kind {
	case entente.EntryKeyChanged:
		return s.heardKeys(ctx, tx, p, e)
	case entente.EntryMoved:
		return s.heardMove(ctx, tx, p, e)
	case entente.EntryContacts:
		return s.heardContacts(ctx, tx, p, e)
	case entente.EntryAgreement:
		err := s.heardAgreement(ctx, tx, self, *p, e)
		if err != nil {
			return err
		}
		fresh, err := s.partner(ctx, tx, tx.Org(), p.Party)
		p.State, p.Agreement = fresh.State, fresh.Agreement
		return err
	case entente.EntryRecall, entente.EntryNarrow:
		return s.heardRecall(ctx, tx, self, p, e)
	case entente.EntryRead:
		return s.heardRead(ctx, tx, p, e)
	}
	return nil
}

// heardKeys takes a partner's new keys, if they extend those that are known.
func (s *Service) heardKeys(ctx context.Context, tx *db.Tx, p *Partner, e entente.Entry) error {
	var d entente.KeyDocument
	if json.Unmarshal(e.Body, &d) != nil {
		return nil
	}
	_, err := s.rekeyed(ctx, tx, p, d, true)
	return err
}

// rekeyed takes a newer key document of a partner, and says whether it is one. The
// keys in it prove themselves, name and address do not: they count only if the
// partner signed what brought the document.
func (s *Service) rekeyed(ctx context.Context, tx *db.Tx, p *Partner, d entente.KeyDocument, signed bool) (bool, error) {
	if !signed {
		d.Name, d.Address = p.Document.Name, p.Document.Address
	}
	text, err := json.Marshal(d)
	if err != nil {
		return false, err
	}
	read, ring, err := s.ring(string(text))
	if err != nil || !p.Ring.Newer(ring) {
		return false, nil //nolint:nilerr // what proves nothing changes nothing
	}
	if string(text) == p.document {
		return false, nil
	}
	changed := p.Ring.Current().Public.ID() != ring.Current().Public.ID()
	p.document, p.Document, p.Ring, p.Name = string(text), read, ring, read.Name
	if err := updatePartner(ctx, tx, tx.Org(), *p); err != nil || !changed {
		return true, err
	}
	return true, journal.Append(ctx, tx, entente.System(tx.Org(), entente.DoorWorker), EventPartnerKey, string(p.Party), map[string]any{"name": p.Name, "key": ring.Current().Public.ID()})
}

// heardMove takes a partner's new address, which stands in its key document.
func (s *Service) heardMove(ctx context.Context, tx *db.Tx, p *Partner, e entente.Entry) error {
	var d entente.KeyDocument
	if json.Unmarshal(e.Body, &d) != nil || len(d.Address) > maxAddress {
		return nil
	}
	if ok, err := s.rekeyed(ctx, tx, p, d, true); err != nil || !ok || p.Address == d.Address {
		return err
	}
	from := p.Address
	p.Address = d.Address
	if err := updatePartner(ctx, tx, tx.Org(), *p); err != nil {
		return err
	}
	return journal.Append(ctx, tx, entente.System(tx.Org(), entente.DoorWorker), EventPartnerMoved, string(p.Party), map[string]any{"name": p.Name, "from": from, "to": d.Address})
}

// heardContacts takes whom a partner names to be reached.
func (s *Service) heardContacts(ctx context.Context, tx *db.Tx, p *Partner, e entente.Entry) error {
	var b contactsBody
	if json.Unmarshal(e.Body, &b) != nil || len(b.Contacts) > entente.MaxContacts {
		return nil
	}
	p.Contacts = b.Contacts
	return updatePartner(ctx, tx, tx.Org(), *p)
}

// contactsBody is the body of entries of [entente.EntryContacts].
type contactsBody struct {
	Contacts []entente.Contact `json:"contacts"`
}
