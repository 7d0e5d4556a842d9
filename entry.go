package entente

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Hash is a SHA-256; in JSON it is hex.
type Hash [sha256.Size]byte

// HashOf hashes bytes exactly as they travelled.
func HashOf(content []byte) Hash { return sha256.Sum256(content) }

// String writes the hash in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero says whether there is none.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText writes the hash in hex.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads a hash in hex.
func (h *Hash) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(h) {
		return errors.New("this is no SHA-256 in hex")
	}
	copy(h[:], raw)
	return nil
}

// The bounds of what travels.
const (
	MaxEntry    = 1 << 20         // an entry's payload, in bytes; what is larger travels as blobs
	MaxEnvelope = 1 << 20 * 3 / 2 // an envelope in JSON, in bytes
	MaxBlob     = 512 << 20       // one blob
	MaxBlobs    = 100             // of one entry
	maxSigners  = 8
)

// Envelope is a DSSE envelope (secure-systems-lab/dsse, protocol v1.0.2): a payload
// with signatures over its type and its exact bytes.
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     []byte      `json:"payload"` // base64 in JSON
	Signatures  []Signature `json:"signatures"`
}

// Signature is one signature of an [Envelope].
type Signature struct {
	KeyID KeyID  `json:"keyid"`
	Sig   []byte `json:"sig"` // base64 in JSON
}

// pae is DSSE's pre-authentication encoding: what is signed.
func pae(payloadType string, payload []byte) []byte {
	var b bytes.Buffer
	b.WriteString("DSSEv1 " + strconv.Itoa(len(payloadType)) + " " + payloadType + " " + strconv.Itoa(len(payload)) + " ")
	b.Write(payload)
	return b.Bytes()
}

// Sign puts a payload into an envelope.
func Sign(payloadType string, payload []byte, signers ...Signer) (Envelope, error) {
	e := Envelope{PayloadType: payloadType, Payload: payload}
	message := pae(payloadType, payload)
	for _, s := range signers {
		sig, err := s.Sign(message)
		if err != nil {
			return Envelope{}, fmt.Errorf("sign: %w", err)
		}
		e.Signatures = append(e.Signatures, Signature{KeyID: s.Key().ID(), Sig: sig})
	}
	return e, nil
}

// signedBy says whether the envelope bears a valid signature of the key.
func (e Envelope) signedBy(k PublicKey) bool {
	if len(k) != ed25519.PublicKeySize || len(e.Signatures) > maxSigners {
		return false
	}
	id := k.ID()
	for _, s := range e.Signatures {
		if s.KeyID == id && ed25519.Verify(ed25519.PublicKey(k), pae(e.PayloadType, e.Payload), s.Sig) {
			return true
		}
	}
	return false
}

// ReadEnvelope reads one envelope in JSON of at most [MaxEnvelope] bytes.
func ReadEnvelope(r io.Reader) (Envelope, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxEnvelope+1))
	if err != nil {
		return Envelope{}, err
	}
	if len(raw) > MaxEnvelope {
		return Envelope{}, TooLarge("the envelope is larger than %d bytes", MaxEnvelope)
	}
	var e Envelope
	err = json.Unmarshal(raw, &e)
	if err != nil {
		return Envelope{}, Invalid("this is no DSSE envelope: %w", err)
	}
	if len(e.Payload) > MaxEntry {
		return Envelope{}, TooLarge("the payload is larger than %d bytes", MaxEntry)
	}
	if len(e.Signatures) == 0 || len(e.Signatures) > maxSigners {
		return Envelope{}, Invalid("the envelope has %d signatures; it needs 1 to %d", len(e.Signatures), maxSigners)
	}
	return e, nil
}

// EntryKind says what an entry is about. A receiver keeps an entry of a kind it does
// not know, shows it as such, and passes it by.
type EntryKind string

// The kinds of entries of the first format.
const (
	EntryContacts   EntryKind = "contacts"   // whom to reach for what
	EntryKeyChanged EntryKind = "key.change" // a new key, or a key revoked: body is the key document
	EntryMoved      EntryKind = "moved"      // the sender lives on another node now
	EntryAgreement  EntryKind = "agreement"  // a change of the agreement: proposed, signed, ended
	EntrySBOM       EntryKind = "sbom"       // a bill of materials of a product supplied, as a blob
	EntryVEX        EntryKind = "vex"        // how products stand to vulnerabilities
	EntryAdvisory   EntryKind = "advisory"   // OSV or CSAF
	EntryChain      EntryKind = "chain"      // what the sender discloses of its own suppliers
	EntryThreat     EntryKind = "threat"     // STIX 2.1 objects
	EntryPractice   EntryKind = "practice"   // a good practice
	EntryConcern    EntryKind = "concern"    // a worry about the partner, with a time to answer
	EntryAnswer     EntryKind = "answer"     // to a concern
	EntryNote       EntryKind = "note"       // of a meeting
	EntryRecall     EntryKind = "recall"     // takes an entry back
	EntryNarrow     EntryKind = "narrow"     // narrows the marking of an entry
	EntryEmbargo    EntryKind = "embargo"    // a step of an embargo
	EntryRead       EntryKind = "read"       // a person of the receiver has read or acknowledged an entry
)

// Entry is one signed message in the feed from one party to another.
type Entry struct {
	Version int       `json:"v"` // 1
	From    PartyID   `json:"from"`
	To      PartyID   `json:"to"`
	Number  uint64    `json:"n"`    // 1, 2, 3 … without gaps
	Prev    Hash      `json:"prev"` // of the payload before it, zero for the first
	At      time.Time `json:"at"`
	Kind    EntryKind `json:"kind"`
	// Subject names what the entry is about among all that the originator says, so
	// that a later entry can say more about it or take it back.
	Subject string `json:"subject"`
	// Originator said it first; empty: the sender, or withheld.
	Originator PartyID         `json:"originator,omitempty"`
	Withheld   bool            `json:"withheld,omitempty"` // the originator does not want to be named
	Marking    Marking         `json:"marking"`
	Body       json.RawMessage `json:"body,omitempty"`
	Blobs      []Blob          `json:"blobs,omitempty"`
}

// Blob is something large that belongs to an entry and is fetched by its hash.
type Blob struct {
	Name string `json:"name"`
	Type string `json:"type"` // a media type
	Size int64  `json:"size"`
	Hash Hash   `json:"sha256"`
}

// EntryType is the DSSE payload type of an [Entry].
const EntryType = "application/vnd.entente.entry.v1+json"

// Validate says what is wrong with an entry, whatever its kind.
func (e Entry) Validate() error {
	switch {
	case e.Version != 1:
		return fmt.Errorf("the entry has the version %d, and this program knows version 1", e.Version)
	case e.From.Valid() != nil || e.To.Valid() != nil:
		return errors.New("the entry does not say from whom to whom it is")
	case e.From == e.To:
		return errors.New("the entry is addressed to its sender")
	case e.Number == 0:
		return errors.New("entries are numbered from 1")
	case (e.Number == 1) != e.Prev.IsZero():
		return errors.New("only the first entry of a feed has none before it")
	case e.At.IsZero():
		return errors.New("the entry does not say when it was made")
	case e.Kind == "" || len(e.Kind) > MaxSlug || len(e.Subject) > 500:
		return errors.New("the entry has no kind, or its kind or subject is too long")
	case e.Originator != "" && (e.Withheld || e.Originator.Valid() != nil):
		return errors.New("the entry names an originator that is none, or one that is withheld")
	case len(e.Blobs) > MaxBlobs:
		return fmt.Errorf("the entry has more than %d blobs", MaxBlobs)
	}
	for _, b := range e.Blobs {
		if b.Size < 0 || b.Size > MaxBlob || b.Hash.IsZero() || len(b.Name) > 500 || len(b.Type) > 200 {
			return errors.New("the entry names a blob without a hash, or one that is too large")
		}
	}
	return e.Marking.Validate()
}

// SignEntry makes the envelope of an entry.
func SignEntry(e Entry, s Signer) (Envelope, error) {
	err := e.Validate()
	if err != nil {
		return Envelope{}, err
	}
	payload, err := json.Marshal(e)
	if err != nil {
		return Envelope{}, err
	}
	if len(payload) > MaxEntry {
		return Envelope{}, TooLarge("the entry is larger than %d bytes: put its content into a blob", MaxEntry)
	}
	return Sign(EntryType, payload, s)
}

// ReceiptType is the DSSE payload type of a [Receipt].
const ReceiptType = "application/vnd.entente.receipt.v1+json"

// Receipt says that the receiver of a feed holds it, durably and checked, up to and
// with an entry. With it, both sides can prove what was said and when it was there.
type Receipt struct {
	Version int       `json:"v"`
	From    PartyID   `json:"from"` // the sender of the feed
	To      PartyID   `json:"to"`   // its receiver, who signs the receipt
	Number  uint64    `json:"n"`
	Hash    Hash      `json:"hash"` // of the payload with that number
	At      time.Time `json:"at"`
}

// SignReceipt makes the envelope of a receipt.
func SignReceipt(r Receipt, s Signer) (Envelope, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		return Envelope{}, err
	}
	return Sign(ReceiptType, payload, s)
}

// ReadReceipt checks a receipt with the keys of the receiver of the feed.
func ReadReceipt(e Envelope, receiver Keyring) (Receipt, error) {
	if e.PayloadType != ReceiptType {
		return Receipt{}, fmt.Errorf("the payload is %.60q and no receipt", e.PayloadType)
	}
	key, err := e.signer(receiver)
	if err != nil {
		return Receipt{}, err
	}
	if !key.Revoked.IsZero() {
		return Receipt{}, ErrOldKey
	}
	var r Receipt
	err = json.Unmarshal(e.Payload, &r)
	switch {
	case err != nil:
		return Receipt{}, fmt.Errorf("the receipt cannot be read: %w", err)
	case r.Version != 1:
		return Receipt{}, fmt.Errorf("the receipt has the version %d, and this program knows version 1", r.Version)
	case r.To != receiver.Party:
		return Receipt{}, fmt.Errorf("the receipt is that of %s", r.To)
	}
	return r, nil
}

// signer finds the key of the ring that signed the envelope.
func (e Envelope) signer(ring Keyring) (Key, error) {
	for _, k := range ring.Keys {
		if e.signedBy(k.Public) {
			return k, nil
		}
	}
	return Key{}, errors.New("it is not signed by a key of its sender")
}

// SignedByAny says whether a key of the party signed the envelope, in force or not.
func (e Envelope) SignedByAny(ring Keyring) bool {
	_, err := e.signer(ring)
	return err == nil
}

// Encode writes the envelope on one line of JSON.
func (e Envelope) Encode() ([]byte, error) { return json.Marshal(e) }
