package entente

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// PartyID names an organisation among all nodes: "ent1" and 32 letters that follow
// from the first key it ever had. It proves itself, stays the same when keys are
// rotated and when the organisation moves to another node, and nobody gives it out.
type PartyID string

const partyPrefix = "ent1"

var partyLetters = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// PartyOf gives the party whose first key this is: 160 bits of its SHA-256.
func PartyOf(first PublicKey) PartyID {
	sum := sha256.Sum256(append([]byte("entente party v1\x00"), first...))
	return PartyID(partyPrefix + partyLetters.EncodeToString(sum[:20]))
}

// Valid says whether it has the form of a party's name.
func (p PartyID) Valid() error {
	letters, ok := strings.CutPrefix(string(p), partyPrefix)
	raw, err := partyLetters.DecodeString(letters)
	if !ok || err != nil || len(raw) != 20 {
		return fmt.Errorf("%.50q does not name a party", string(p))
	}
	return nil
}

// PublicKey is the public half of an Ed25519 key (RFC 8032); in JSON base64.
type PublicKey []byte

// KeyID names a key: the hex of its SHA-256.
type KeyID string

// ID names the key.
func (k PublicKey) ID() KeyID {
	sum := sha256.Sum256(k)
	return KeyID(hex.EncodeToString(sum[:]))
}

// Fingerprint is what two people read to each other to be sure that they hold the
// same key: ten words, each a byte of its SHA-256.
func (k PublicKey) Fingerprint() []string {
	sum := sha256.Sum256(append([]byte("entente fingerprint v1\x00"), k...))
	words := make([]string, fingerprintWords)
	for i := range words {
		words[i] = wordList[sum[i]]
	}
	return words
}

// Ten words are 80 bits: finding a key with the same words takes longer than anybody
// has.
const fingerprintWords = 10

// Signer signs for a party. Private keys stay behind it.
type Signer interface {
	Key() PublicKey
	Sign(message []byte) ([]byte, error)
}

// Key is one key of a party in its [KeyDocument].
type Key struct {
	Public PublicKey `json:"public"`
	// From is when it came into force.
	From time.Time `json:"from"`
	// Until is when its successor came into force; zero: it is in force.
	Until time.Time `json:"until,omitzero"`
	// Revoked is from when on nothing that it signed is believed any more, whenever
	// it says it was signed; zero: not revoked.
	Revoked time.Time `json:"revoked,omitzero"`
}

// KeyDocument says which keys a party has and had. It is served by the party's node,
// and proves itself: every key after the first came by a change that the key before
// it and the new key both signed.
type KeyDocument struct {
	Version int        `json:"v"`
	Party   PartyID    `json:"party"`
	Name    string     `json:"name"`
	Address string     `json:"address,omitempty"` // of the party's node, "https://…"
	First   PublicKey  `json:"first"`
	Since   time.Time  `json:"since"`
	Changes []Envelope `json:"changes,omitempty"` // payloads: [KeyChange]
}

// KeyChangeType is the DSSE payload type of a [KeyChange].
const KeyChangeType = "application/vnd.entente.key-change.v1+json"

// KeyChange puts a new key in the place of the old one, or revokes an old one. It is
// signed by the key in force before it and, for a new key, also by the new one.
type KeyChange struct {
	Version int       `json:"v"`
	Party   PartyID   `json:"party"`
	Number  int       `json:"n"`    // 1, 2, 3 …: the first change is 1
	Prev    Hash      `json:"prev"` // of the payload of the change before, zero for the first
	At      time.Time `json:"at"`
	New     PublicKey `json:"new,omitempty"`
	// Revokes is a key that is not believed any more: it was stolen. The key in force
	// cannot be revoked without a new one in the same change.
	Revokes KeyID  `json:"revokes,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// MaxKeyChanges bounds a key document.
const MaxKeyChanges = 1_000

// Keyring is what a verified key document says: the party's keys, the first first.
type Keyring struct {
	Party PartyID
	Keys  []Key
}

// Verify checks the whole document and gives the keys it proves.
func (d KeyDocument) Verify() (Keyring, error) {
	switch {
	case d.Version != 1:
		return Keyring{}, fmt.Errorf("the key document has the version %d, and this program knows version 1", d.Version)
	case len(d.First) != ed25519.PublicKeySize:
		return Keyring{}, errors.New("the first key of the document is no Ed25519 key")
	case PartyOf(d.First) != d.Party:
		return Keyring{}, fmt.Errorf("the first key of the document is not that of %s", d.Party)
	case len(d.Changes) > MaxKeyChanges:
		return Keyring{}, fmt.Errorf("the key document has more than %d changes", MaxKeyChanges)
	}
	ring := Keyring{Party: d.Party, Keys: []Key{{Public: d.First, From: d.Since}}}
	var prev Hash
	for i, envelope := range d.Changes {
		next, hash, err := ring.change(envelope, i+1, prev)
		if err != nil {
			return Keyring{}, fmt.Errorf("change %d of the key document: %w", i+1, err)
		}
		ring, prev = next, hash
	}
	return ring, nil
}

// change applies one change and gives the keyring after it.
func (r Keyring) change(envelope Envelope, number int, prev Hash) (Keyring, Hash, error) {
	current := r.Current()
	if envelope.PayloadType != KeyChangeType {
		return r, Hash{}, fmt.Errorf("its payload is %.60q and no change of a key", envelope.PayloadType)
	}
	if !envelope.signedBy(current.Public) {
		return r, Hash{}, errors.New("it is not signed by the key in force before it")
	}
	var c KeyChange
	err := json.Unmarshal(envelope.Payload, &c)
	if err != nil {
		return r, Hash{}, fmt.Errorf("it cannot be read: %w", err)
	}
	switch {
	case c.Version != 1:
		return r, Hash{}, fmt.Errorf("it has the version %d, and this program knows version 1", c.Version)
	case c.Party != r.Party:
		return r, Hash{}, fmt.Errorf("it is about %s", c.Party)
	case c.Number != number || c.Prev != prev:
		return r, Hash{}, errors.New("it does not follow the change before it")
	case c.New == nil && c.Revokes == "":
		return r, Hash{}, errors.New("it changes nothing")
	case c.New == nil && c.Revokes == current.Public.ID():
		return r, Hash{}, errors.New("it revokes the key in force and names no new one")
	}
	keys := slices.Clone(r.Keys)
	if c.New != nil {
		if len(c.New) != ed25519.PublicKeySize || !envelope.signedBy(c.New) {
			return r, Hash{}, errors.New("it is not signed by the new key")
		}
		if slices.ContainsFunc(keys, func(k Key) bool { return k.Public.ID() == c.New.ID() }) {
			return r, Hash{}, errors.New("the new key was used before")
		}
		keys[len(keys)-1].Until = c.At
		keys = append(keys, Key{Public: c.New, From: c.At})
	}
	if c.Revokes != "" {
		i := slices.IndexFunc(keys, func(k Key) bool { return k.Public.ID() == c.Revokes })
		if i < 0 {
			return r, Hash{}, errors.New("it revokes a key that the party never had")
		}
		keys[i].Revoked = c.At
	}
	return Keyring{Party: r.Party, Keys: keys}, HashOf(envelope.Payload), nil
}

// Current is the key in force.
func (r Keyring) Current() Key {
	if len(r.Keys) == 0 {
		return Key{}
	}
	return r.Keys[len(r.Keys)-1]
}

// Find gives a key of the party by its name.
func (r Keyring) Find(id KeyID) (Key, bool) {
	for _, k := range r.Keys {
		if k.Public.ID() == id {
			return k, true
		}
	}
	return Key{}, false
}

// ErrOldKey says that something new was signed with a key that is out of force.
var ErrOldKey = errors.New("it is signed with a key that is not in force any more")

// Newer says whether b extends what a says, without taking anything back: what a
// party may serve after it has served a.
func (r Keyring) Newer(b Keyring) bool {
	if r.Party != b.Party || len(b.Keys) < len(r.Keys) {
		return false
	}
	for i, k := range r.Keys {
		if !slices.Equal(k.Public, b.Keys[i].Public) || !k.Revoked.IsZero() && b.Keys[i].Revoked.IsZero() {
			return false
		}
	}
	return true
}

// MakeKeyChange signs a change with the key in force and, where there is one, with
// the new key.
func MakeKeyChange(c KeyChange, current, next Signer) (Envelope, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return Envelope{}, err
	}
	signers := []Signer{current}
	if next != nil {
		signers = append(signers, next)
	}
	return Sign(KeyChangeType, payload, signers...)
}

// MarshalText writes the key in base64.
func (k PublicKey) MarshalText() ([]byte, error) {
	return []byte(base64.StdEncoding.EncodeToString(k)), nil
}

// UnmarshalText reads a key in base64.
func (k *PublicKey) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return errors.New("this is no Ed25519 key in base64")
	}
	*k = raw
	return nil
}
