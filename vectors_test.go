package entente

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Vectors are added, never changed: what the first version of the protocol said
// stays readable for ever. -vectors writes only files that do not exist.
var writeVectors = flag.Bool("vectors", false, "write the files of testdata/vectors that do not exist")

const vectorFolder = "testdata/vectors/v1"

type keyVector struct {
	Name        string    `json:"name"`
	Seed        string    `json:"seed"` // of the private key, RFC 8032, in hex
	Public      PublicKey `json:"public"`
	ID          KeyID     `json:"id"`
	Party       PartyID   `json:"party"` // of which it is the first key
	Fingerprint []string  `json:"fingerprint"`
}

type documentVector struct {
	Note     string      `json:"note"`
	Document KeyDocument `json:"document"`
	Valid    bool        `json:"valid"`
	Keys     []Key       `json:"keys,omitempty"`
}

type markingVector struct {
	Note       string   `json:"note"`
	Marking    Marking  `json:"marking"`
	From       PartyID  `json:"from"`
	To         PartyID  `json:"to"`
	Originator PartyID  `json:"originator"`
	Standing   []string `json:"standing,omitempty"` // customer, supplier, member, public
	Agreed     bool     `json:"agreed"`
	Ceiling    string   `json:"ceiling,omitempty"`
	Need       bool     `json:"need,omitempty"`
	Person     string   `json:"person,omitempty"`
	At         string   `json:"at"`
	May        bool     `json:"may"`
}

type feedVector struct {
	Note     string      `json:"note"`
	Sender   KeyDocument `json:"sender"`
	Receiver PartyID     `json:"receiver"`
	Arrivals []arrival   `json:"arrivals"`
}

type arrival struct {
	Note     string   `json:"note"`
	Envelope Envelope `json:"envelope"`
	Taken    string   `json:"taken"`
}

type regainVector struct {
	Note     string      `json:"note"`
	Sender   KeyDocument `json:"sender"`
	Receiver PartyID     `json:"receiver"`
	Kept     []kept      `json:"kept"` // what follows the first entry, which the sender still has
	First    Envelope    `json:"first"`
}

type kept struct {
	Note string `json:"note"`
	Kept
	Taken bool `json:"taken"`
}

type proofVector struct {
	Note     string        `json:"note"`
	Parties  []KeyDocument `json:"parties"`
	Envelope Envelope      `json:"envelope"`
	Valid    bool          `json:"valid"`
}

func TestVectors(t *testing.T) {
	if *writeVectors {
		makeVectors(t)
	}
	t.Run("keys", func(t *testing.T) {
		for _, v := range readVectors[keyVector](t, "keys.json") {
			if v.Public.ID() != v.ID || PartyOf(v.Public) != v.Party || !slices.Equal(v.Public.Fingerprint(), v.Fingerprint) {
				t.Errorf("%s: %s, %s, %v", v.Name, v.Public.ID(), PartyOf(v.Public), v.Public.Fingerprint())
			}
		}
	})
	t.Run("key documents", func(t *testing.T) {
		for _, v := range readVectors[documentVector](t, "key-documents.json") {
			ring, err := v.Document.Verify()
			got, _ := json.Marshal(ring.Keys)
			want, _ := json.Marshal(v.Keys)
			if (err == nil) != v.Valid || v.Valid && !bytes.Equal(got, want) {
				t.Errorf("%s: %v, %s", v.Note, err, got)
			}
		}
	})
	t.Run("markings", func(t *testing.T) {
		for _, v := range readVectors[markingVector](t, "markings.json") {
			r := Relation{Originator: v.Originator, Agreed: v.Agreed, Need: v.Need, Person: v.Person}
			for _, s := range v.Standing {
				r.Standing |= map[string]Standing{"customer": IsCustomer, "supplier": IsSupplier, "member": IsMember, "public": IsPublic}[s]
			}
			r.At, _ = time.Parse(time.RFC3339, v.At)
			if v.Ceiling != "" {
				r.Ceiling, _ = ParseTLP(v.Ceiling)
			}
			if may, why := MayShare(v.Marking, v.From, v.To, r); may != v.May {
				t.Errorf("%s: %v: %s", v.Note, may, why)
			}
		}
	})
	t.Run("feeds", func(t *testing.T) {
		for _, v := range readVectors[feedVector](t, "feeds.json") {
			ring, err := v.Sender.Verify()
			if err != nil {
				t.Fatal(err)
			}
			k := &talk{ring: ring, got: FeedState{From: ring.Party, To: v.Receiver}, hashes: map[uint64]Hash{}}
			for _, a := range v.Arrivals {
				if taken, err := k.hear(a.Envelope); taken.String() != a.Taken {
					t.Errorf("%s, %s: %s, not %s: %v", v.Note, a.Note, taken, a.Taken, err)
				}
			}
		}
	})
	t.Run("entries given back", func(t *testing.T) {
		for _, v := range readVectors[regainVector](t, "regained.json") {
			ring, err := v.Sender.Verify()
			if err != nil {
				t.Fatal(err)
			}
			st := FeedState{From: ring.Party, To: v.Receiver, Number: 1, Head: HashOf(v.First.Payload)}
			for _, k := range v.Kept {
				next, _, err := st.Regain(k.Kept, ring)
				if (err == nil) != k.Taken {
					t.Errorf("%s, %s: %v", v.Note, k.Note, err)
				}
				if err != nil && (next.Number != st.Number || next.Head != st.Head) {
					t.Errorf("%s, %s: what is refused changes the feed", v.Note, k.Note)
				}
				st = next
			}
		}
	})
	t.Run("agreements and receipts", func(t *testing.T) {
		for _, v := range readVectors[proofVector](t, "proofs.json") {
			var rings []Keyring
			for _, d := range v.Parties {
				ring, err := d.Verify()
				if err != nil {
					t.Fatal(err)
				}
				rings = append(rings, ring)
			}
			var err error
			switch v.Envelope.PayloadType {
			case AgreementType:
				_, err = ReadAgreement(v.Envelope, rings...)
			case ReceiptType:
				_, err = ReadReceipt(v.Envelope, rings[0])
			default:
				err = errors.New("neither")
			}
			if (err == nil) != v.Valid {
				t.Errorf("%s: %v", v.Note, err)
			}
		}
	})
}

func readVectors[T any](t *testing.T, name string) (all []T) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(vectorFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(all) == 0 {
		t.Fatalf("%s holds nothing", name)
	}
	return all
}

func writeNew(t *testing.T, name string, content any) {
	t.Helper()
	file := filepath.Join(vectorFolder, name)
	if _, err := os.Stat(file); err == nil {
		return
	}
	raw, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(vectorFolder, 0o755), os.WriteFile(file, append(raw, '\n'), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func makeVectors(t *testing.T) {
	var keys []keyVector
	for _, name := range []string{"buyer", "supplier", "supplier's second", "host"} {
		signer, public := testKey(name)
		keys = append(keys, keyVector{Name: name, Seed: hex.EncodeToString(signer[:32]), Public: public, ID: public.ID(), Party: PartyOf(public), Fingerprint: public.Fingerprint()})
	}
	writeNew(t, "keys.json", keys)
	writeNew(t, "key-documents.json", makeDocuments(t))
	writeNew(t, "markings.json", makeMarkings())
	writeNew(t, "feeds.json", makeFeeds(t))
	writeNew(t, "proofs.json", makeProofs(t))
	writeNew(t, "regained.json", makeRegained(t))
}

func makeDocuments(t *testing.T) []documentVector {
	ring, signers, doc := ringOf("supplier", "supplier's second")
	revoke, err := MakeKeyChange(KeyChange{Version: 1, Party: ring.Party, Number: 2, Prev: HashOf(doc.Changes[0].Payload), At: testTime.Add(48 * time.Hour), Revokes: signers[0].Key().ID(), Reason: "stolen"}, signers[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	revoked := doc
	revoked.Changes = append(slices.Clone(doc.Changes), revoke)
	after, err := revoked.Verify()
	if err != nil {
		t.Fatal(err)
	}
	alone, _, first := ringOf("supplier")
	unproved := doc
	unproved.Changes = []Envelope{doc.Changes[0]}
	unproved.Changes[0].Signatures = doc.Changes[0].Signatures[:1]
	foreign := first
	_, foreign.First = testKey("buyer")
	return []documentVector{
		{Note: "one key", Document: first, Valid: true, Keys: alone.Keys},
		{Note: "a key rotated", Document: doc, Valid: true, Keys: ring.Keys},
		{Note: "the old key revoked by the new one", Document: revoked, Valid: true, Keys: after.Keys},
		{Note: "the new key has not signed the change", Document: unproved},
		{Note: "the first key is that of another party", Document: foreign},
	}
}

func makeMarkings() []markingVector {
	buyer, supplier, host := PartyOf(second(testKey("buyer"))), PartyOf(second(testKey("supplier"))), PartyOf(second(testKey("host")))
	at := testTime.Format(time.RFC3339)
	var all []markingVector
	add := func(note string, m Marking, from, to, originator PartyID, agreed bool, may bool, standing ...string) *markingVector {
		all = append(all, markingVector{Note: note, Marking: m, From: from, To: to, Originator: originator, Standing: standing, Agreed: agreed, At: at, May: may})
		return &all[len(all)-1]
	}
	clear, green := Marking{TLP: TLPClear}, Marking{TLP: TLPGreen}
	amber := Marking{TLP: TLPAmber, Audience: []PartyID{supplier}}
	strict := Marking{TLP: TLPAmberStrict, Audience: []PartyID{supplier}}
	red := Marking{TLP: TLPRed, Audience: []PartyID{supplier}, People: []string{"security lead"}}
	add("CLEAR to the world", clear, host, buyer, host, false, true, "public")
	add("GREEN to a partner", green, host, supplier, host, true, true, "customer")
	add("GREEN onward to a supplier", green, supplier, host, buyer, true, true, "supplier")
	add("GREEN to the public", green, host, supplier, host, true, false, "public")
	add("GREEN to a stranger", green, host, buyer, host, true, false)
	add("GREEN without an agreement", green, host, supplier, host, false, false, "customer")
	add("AMBER to whom it names", amber, host, supplier, host, true, true, "customer")
	add("AMBER to whom it does not name", amber, host, buyer, host, true, false, "customer")
	add("AMBER without an audience", Marking{TLP: TLPAmber}, host, supplier, host, true, false, "customer")
	add("AMBER onward to a customer without need", amber, supplier, buyer, host, true, false, "customer")
	add("AMBER onward to a customer who needs to know", amber, supplier, buyer, host, true, true, "customer").Need = true
	add("AMBER onward to a supplier", amber, supplier, buyer, host, true, false, "supplier").Need = true
	add("AMBER on to a party that it names itself", amber, buyer, supplier, host, true, true, "customer").Need = true
	add("AMBER from one who got it as a customer", Marking{TLP: TLPAmber, Audience: []PartyID{supplier}}, buyer, PartyOf(second(testKey("another customer"))), host, true, false, "customer").Need = true
	clients := amber
	clients.Clients = []PartyID{buyer}
	add("AMBER to a client that the originator names", clients, supplier, buyer, host, true, true, "customer")
	add("AMBER+STRICT to whom it names", strict, host, supplier, host, true, true, "customer")
	add("AMBER+STRICT onward to a customer", strict, supplier, buyer, host, true, false, "customer").Need = true
	add("RED to people at a party", red, host, supplier, host, true, true, "customer")
	add("RED without people", Marking{TLP: TLPRed, Audience: []PartyID{supplier}}, host, supplier, host, true, false, "customer")
	add("RED onward", red, supplier, buyer, host, true, false, "customer").Need = true
	add("RED inside, to a person it names", red, supplier, supplier, host, false, true).Person = "security lead"
	add("RED inside, to somebody else", red, supplier, supplier, host, false, false).Person = "buyer's clerk"
	add("above the ceiling of the agreement", amber, host, supplier, host, true, false, "customer").Ceiling = "TLP:GREEN"
	held := green
	held.Embargo = testTime.Add(time.Hour)
	add("under embargo, from its originator", held, host, supplier, host, true, true, "customer")
	add("under embargo, onward", held, supplier, buyer, host, true, false, "customer")
	over := clear
	over.Expires = testTime
	add("expired", over, host, buyer, host, true, false, "public")
	return all
}

func second(_ testSigner, k PublicKey) PublicKey { return k }

func makeFeeds(t *testing.T) []feedVector {
	buyer := PartyOf(second(testKey("buyer")))
	_, signers, doc := ringOf("supplier", "supplier's second")
	ring, _ := doc.Verify()
	k := &talk{ring: ring, signer: signers[0], sent: FeedState{From: ring.Party, To: buyer}}
	one, two := k.say(t, "one"), k.say(t, "two")
	atTwo := k.sent
	k.signer = signers[1]
	three := k.say(t, "three, by the second key")
	k.signer, k.sent.Number = signers[0], 3
	old := k.say(t, "four, by the old key")
	k.sent, k.signer = atTwo, signers[1]
	other := k.say(t, "another three")
	future := k.entry("four, of a kind of the future")
	future.Number, future.Prev, future.Kind = 4, HashOf(three.Payload), "satellite"
	unknown, err := SignEntry(future, signers[1])
	if err != nil {
		t.Fatal(err)
	}
	mallory, _ := testKey("mallory")
	forged, _ := Sign(EntryType, two.Payload, mallory)
	changed := two
	changed.Payload = bytes.Replace(two.Payload, []byte("two"), []byte("owt"), 1)
	return []feedVector{
		{Note: "in and out of order", Sender: doc, Receiver: buyer, Arrivals: []arrival{
			{"too early", two, "early"}, {"the first", one, "applied"}, {"again", one, "repeated"}, {"the second", two, "applied"},
			{"by a new key", three, "applied"}, {"by the old key", old, "refused"}, {"of an unknown kind", unknown, "applied"},
		}},
		{Note: "forged", Sender: doc, Receiver: buyer, Arrivals: []arrival{
			{"the first", one, "applied"}, {"signed by a stranger", forged, "refused"}, {"changed on the way", changed, "refused"}, {"the second", two, "applied"},
		}},
		{Note: "a fork", Sender: doc, Receiver: buyer, Arrivals: []arrival{
			{"the first", one, "applied"}, {"the second", two, "applied"}, {"the third", three, "applied"}, {"another third", other, "forked"}, {"nothing more is taken", unknown, "refused"},
		}},
	}
}

func makeRegained(t *testing.T) []regainVector {
	buyer := PartyOf(second(testKey("buyer")))
	_, signers, doc := ringOf("supplier", "supplier's second")
	ring, _ := doc.Verify()
	k := &talk{ring: ring, signer: signers[0], sent: FeedState{From: ring.Party, To: buyer}}
	one, two, three := k.say(t, "one"), k.say(t, "two"), k.say(t, "three")
	k.signer = signers[1]
	four := k.say(t, "four, by the second key")
	mallory, _ := testKey("mallory")
	forged, _ := Sign(EntryType, two.Payload, mallory)
	whole := func(note string, e Envelope, taken bool) kept {
		return kept{Note: note, Kept: Kept{Hash: HashOf(e.Payload), Entry: &e}, Taken: taken}
	}
	gone := func(note string, h Hash, taken bool) kept { return kept{Note: note, Kept: Kept{Hash: h}, Taken: taken} }
	other := whole("not what its hash says", three, false)
	other.Hash = HashOf(two.Payload)
	return []regainVector{
		{Note: "all of it", Sender: doc, Receiver: buyer, First: one, Kept: []kept{
			whole("the second", two, true), whole("the third", three, true), whole("by a later key", four, true),
		}},
		{Note: "one was deleted", Sender: doc, Receiver: buyer, First: one, Kept: []kept{
			gone("the second, by its hash", HashOf(two.Payload), true), whole("the third follows it", three, true),
		}},
		{Note: "another was deleted", Sender: doc, Receiver: buyer, First: one, Kept: []kept{
			gone("a hash of something else", HashOf(four.Payload), true), whole("the third does not follow it", three, false),
		}},
		{Note: "not ours, or not next", Sender: doc, Receiver: buyer, First: one, Kept: []kept{
			whole("signed by a stranger", forged, false), whole("one is left out", three, false), gone("nothing is said", Hash{}, false), other, whole("the second", two, true),
		}},
	}
}

func makeProofs(t *testing.T) []proofVector {
	buyer, buyerKeys, buyerDoc := ringOf("buyer")
	supplier, supplierKeys, supplierDoc := ringOf("supplier")
	a := Agreement{
		Version: 1, Number: 1, From: testTime,
		Parties:   [2]AgreementParty{{Party: buyer.Party, Name: "Buyer", Buys: true}, {Party: supplier.Party, Name: "Supplier", Supplies: true, Contacts: []Contact{{Name: "Security desk", Email: "security@supplier.example"}}}},
		Shares:    []Share{{Kind: EntryAdvisory, From: supplier.Party, Default: TLPGreen, Ceiling: TLPAmber}, {Kind: EntrySBOM, From: supplier.Party, Default: TLPAmber, Ceiling: TLPAmber}},
		Questions: QuestionTerms{Allowed: true, Onward: true, Hops: 2, AnswerHours: 72}, AnswerConcern: 120, Retention: 365,
	}
	half, err := SignAgreement(a, buyerKeys[0])
	if err != nil {
		t.Fatal(err)
	}
	whole, err := half.Add(supplierKeys[0])
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := SignReceipt(Receipt{Version: 1, From: buyer.Party, To: supplier.Party, Number: 7, Hash: HashOf([]byte("seven")), At: testTime}, supplierKeys[0])
	if err != nil {
		t.Fatal(err)
	}
	return []proofVector{
		{Note: "an agreement signed by both", Parties: []KeyDocument{buyerDoc, supplierDoc}, Envelope: whole, Valid: true},
		{Note: "an agreement signed by one", Parties: []KeyDocument{buyerDoc, supplierDoc}, Envelope: half},
		{Note: "a receipt of the receiver", Parties: []KeyDocument{supplierDoc}, Envelope: receipt, Valid: true},
		{Note: "a receipt of somebody else", Parties: []KeyDocument{buyerDoc}, Envelope: receipt},
	}
}
