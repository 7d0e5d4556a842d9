package entente

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// FeedState is what a receiver holds of one feed: where it stands.
type FeedState struct {
	From, To PartyID
	// Number and Head are those of the last entry taken; zero before the first.
	Number uint64
	Head   Hash
	// Key is the key that signed it: an older one signs nothing after it.
	Key KeyID
	// Quarantined says why nothing more is taken from the feed; zero: all is well.
	Quarantined Message
}

// Taken says what is to be done with an envelope that arrived.
type Taken uint8

// What is to be done.
const (
	// Refused: it is not acceptable, whoever brought it; nothing changes. The sender
	// is told why.
	Refused Taken = iota
	// Applied: it is the next entry; store it, then acknowledge it.
	Applied
	// Repeated: it is held already, byte for byte; acknowledge it again.
	Repeated
	// Early: entries before it are missing; ask for them.
	Early
	// Forked: the sender signed two different entries with one number, or a number
	// that does not follow what it said before. Keep both as proof, take nothing more
	// from the feed, and tell a person.
	Forked
)

// String names it.
func (t Taken) String() string {
	return [...]string{"refused", "applied", "repeated", "early", "forked"}[t]
}

// Take decides about an envelope that arrived for the feed. held gives the hash of
// an entry that the receiver holds already, by its number. It is pure: the caller
// stores the entry and the new state in one transaction, and acknowledges after.
//
// The order of the checks is that of trust: what is not signed by the sender can
// never quarantine a feed.
func (s FeedState) Take(env Envelope, sender Keyring, held func(number uint64) (Hash, bool)) (FeedState, Entry, Taken, error) {
	refuse := func(err error) (FeedState, Entry, Taken, error) { return s, Entry{}, Refused, err }
	switch {
	case env.PayloadType != EntryType:
		return refuse(fmt.Errorf("its payload is %.60q and no entry", env.PayloadType))
	case len(env.Payload) > MaxEntry:
		return refuse(fmt.Errorf("it is larger than %d bytes", MaxEntry))
	case sender.Party != s.From:
		return refuse(fmt.Errorf("the keys are those of %s", sender.Party))
	}
	key, err := env.signer(sender)
	if err != nil {
		return refuse(err)
	}
	var e Entry
	err = json.Unmarshal(env.Payload, &e)
	if err != nil {
		return refuse(fmt.Errorf("it cannot be read: %w", err))
	}
	err = e.Validate()
	if err != nil {
		return refuse(err)
	}
	if e.From != s.From || e.To != s.To {
		return refuse(errors.New("it belongs to another feed"))
	}
	hash := HashOf(env.Payload)
	if e.Number <= s.Number {
		known, ok := held(e.Number)
		switch {
		case ok && known == hash:
			return s, e, Repeated, nil
		case !key.Revoked.IsZero():
			// Whoever stole the key could make it: no proof against the sender.
			return refuse(ErrOldKey)
		}
		return s.fork(e, Say("The sender signed two different entries with the number %d.", e.Number))
	}
	if !s.Quarantined.Blank() {
		return refuse(errors.New("the feed is in quarantine"))
	}
	if !key.Revoked.IsZero() || s.Key != "" && sender.older(key.Public.ID(), s.Key) {
		return refuse(ErrOldKey)
	}
	switch {
	case e.Number > s.Number+1:
		return s, e, Early, nil
	case e.Prev != s.Head:
		return s.fork(e, Say("Entry %d does not follow entry %d as it was received.", e.Number, s.Number))
	}
	s.Number, s.Head, s.Key = e.Number, hash, key.Public.ID()
	return s, e, Applied, nil
}

func (s FeedState) fork(e Entry, why Message) (FeedState, Entry, Taken, error) {
	if s.Quarantined.Blank() {
		s.Quarantined = why
	}
	return s, e, Forked, nil
}

// Kept is an entry as its receiver gives it back to its sender, who lost it: whole, or
// by its hash alone where the receiver has deleted it.
type Kept struct {
	Hash  Hash      `json:"hash"`
	Entry *Envelope `json:"entry,omitempty"`
}

// Regain takes the next entry of our own feed back from its receiver, after we have
// lost it. It has to be what we signed, and to follow what we still have; one that was
// deleted is proved by the entry after it, or by the receipt that ends the feed.
func (s FeedState) Regain(k Kept, own Keyring) (FeedState, Entry, error) {
	if k.Entry == nil {
		if k.Hash == (Hash{}) {
			return s, Entry{}, errors.New("it says nothing of the entry")
		}
		s.Number, s.Head = s.Number+1, k.Hash
		return s, Entry{}, nil
	}
	if HashOf(k.Entry.Payload) != k.Hash {
		return s, Entry{}, errors.New("the entry is not what its hash says")
	}
	next, e, taken, err := s.Take(*k.Entry, own, func(uint64) (Hash, bool) { return Hash{}, false })
	switch {
	case err != nil:
		return s, Entry{}, err
	case taken != Applied:
		return s, Entry{}, fmt.Errorf("entry %d does not follow what was said before it", e.Number)
	}
	return next, e, nil
}

// older says whether key a came before key b.
func (r Keyring) older(a, b KeyID) bool {
	for _, k := range r.Keys {
		switch k.Public.ID() {
		case b:
			return false
		case a:
			return true
		}
	}
	return false
}

// Next is the entry that follows in the feed: the sender fills in the rest and signs
// it.
func (s FeedState) Next(at time.Time) Entry {
	return Entry{Version: 1, From: s.From, To: s.To, Number: s.Number + 1, Prev: s.Head, At: at.UTC().Truncate(time.Millisecond)}
}

// Sent is the state of the sender after an entry.
func (s FeedState) Sent(env Envelope, number uint64) FeedState {
	s.Number, s.Head = number, HashOf(env.Payload)
	return s
}

// Confirms says whether a receipt proves that the receiver holds the feed up to an
// entry that the sender signed; otherwise the receiver holds something else, or
// says so.
func (r Receipt) Confirms(from, to PartyID, sent func(number uint64) (Hash, bool)) error {
	if r.From != from || r.To != to {
		return errors.New("the receipt is about another feed")
	}
	if r.Number == 0 {
		return nil
	}
	hash, ok := sent(r.Number)
	switch {
	case !ok:
		return fmt.Errorf("the receipt is about entry %d, which was never sent", r.Number)
	case hash != r.Hash:
		return fmt.Errorf("the receiver holds another entry %d than the one that was sent", r.Number)
	}
	return nil
}
