package entente

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

type testSigner ed25519.PrivateKey

func (s testSigner) Key() PublicKey {
	return PublicKey(ed25519.PrivateKey(s).Public().(ed25519.PublicKey))
}

func (s testSigner) Sign(m []byte) ([]byte, error) {
	return ed25519.Sign(ed25519.PrivateKey(s), m), nil
}

// testKey makes the same key of the same name always.
func testKey(name string) (testSigner, PublicKey) {
	seed := sha256.Sum256([]byte(name))
	s := testSigner(ed25519.NewKeyFromSeed(seed[:]))
	return s, s.Key()
}

var testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ringOf(names ...string) (Keyring, []testSigner, KeyDocument) {
	first, key := testKey(names[0])
	d := KeyDocument{Version: 1, Party: PartyOf(key), Name: names[0], First: key, Since: testTime}
	signers := []testSigner{first}
	var prev Hash
	for i, name := range names[1:] {
		next, public := testKey(name)
		e, err := MakeKeyChange(KeyChange{Version: 1, Party: d.Party, Number: i + 1, Prev: prev, At: testTime.Add(time.Duration(i+1) * time.Hour), New: public}, signers[i], next)
		if err != nil {
			panic(err)
		}
		d.Changes, prev, signers = append(d.Changes, e), HashOf(e.Payload), append(signers, next)
	}
	ring, err := d.Verify()
	if err != nil {
		panic(err)
	}
	return ring, signers, d
}

// talk is a feed with both of its sides.
type talk struct {
	ring   Keyring
	signer testSigner
	sent   FeedState
	got    FeedState
	hashes map[uint64]Hash
}

func newTalk() *talk {
	ring, signers, _ := ringOf("sender")
	receiver, _, _ := ringOf("receiver")
	start := FeedState{From: ring.Party, To: receiver.Party}
	return &talk{ring: ring, signer: signers[0], sent: start, got: start, hashes: map[uint64]Hash{}}
}

func (k *talk) entry(subject string) Entry {
	e := k.sent.Next(testTime)
	e.Kind, e.Subject, e.Marking = EntryNote, subject, Marking{TLP: TLPGreen}
	e.Body = json.RawMessage(`{"text":"` + subject + `"}`)
	return e
}

func (k *talk) say(t testing.TB, subject string) Envelope {
	e := k.entry(subject)
	env, err := SignEntry(e, k.signer)
	if err != nil {
		t.Fatal(err)
	}
	k.sent = k.sent.Sent(env, e.Number)
	return env
}

func (k *talk) held(n uint64) (Hash, bool) { h, ok := k.hashes[n]; return h, ok }

func (k *talk) hear(env Envelope) (Taken, error) {
	next, e, taken, err := k.got.Take(env, k.ring, k.held)
	if taken == Applied {
		k.hashes[e.Number] = HashOf(env.Payload)
	}
	k.got = next
	return taken, err
}

func (k *talk) expect(t *testing.T, env Envelope, want Taken) {
	t.Helper()
	if got, err := k.hear(env); got != want {
		t.Errorf("it was %s, not %s: %v", got, want, err)
	}
}

func TestFeed(t *testing.T) {
	k := newTalk()
	one, two, three := k.say(t, "one"), k.say(t, "two"), k.say(t, "three")
	k.expect(t, two, Early)
	k.expect(t, one, Applied)
	k.expect(t, one, Repeated)
	k.expect(t, three, Early)
	k.expect(t, two, Applied)
	k.expect(t, three, Applied)
	k.expect(t, one, Repeated)
	if k.got.Number != 3 || k.got.Head != k.sent.Head {
		t.Errorf("the receiver stands at %d", k.got.Number)
	}
}

func TestFeedRefusesWhatIsForged(t *testing.T) {
	k := newTalk()
	k.expect(t, k.say(t, "one"), Applied)
	good := k.say(t, "two")
	mallory, _ := testKey("mallory")

	forged := good
	forged.Signatures = nil
	k.expect(t, forged, Refused)
	forged, _ = Sign(EntryType, good.Payload, mallory)
	k.expect(t, forged, Refused)
	forged.Signatures[0].KeyID = k.signer.Key().ID()
	k.expect(t, forged, Refused)
	forged = good
	forged.Payload = bytes.Replace(good.Payload, []byte("two"), []byte("owt"), 1)
	k.expect(t, forged, Refused)
	forged = good
	forged.Payload = good.Payload[:len(good.Payload)-1]
	k.expect(t, forged, Refused)
	forged = good
	forged.PayloadType = ReceiptType
	k.expect(t, forged, Refused)

	other := k.entry("for somebody else")
	third, _, _ := ringOf("third")
	other.To = third.Party
	env, _ := SignEntry(other, k.signer)
	k.expect(t, env, Refused)
	future := k.entry("later version")
	future.Version = 2
	payload, _ := json.Marshal(future)
	env, _ = Sign(EntryType, payload, k.signer)
	k.expect(t, env, Refused)
	if !k.got.Quarantined.Blank() {
		t.Errorf("what nobody signed has quarantined the feed: %s", k.got.Quarantined)
	}
	k.expect(t, good, Applied)

	kind := k.entry("of a kind of the future")
	kind.Kind = "satellite"
	env, err := SignEntry(kind, k.signer)
	if err != nil {
		t.Fatal(err)
	}
	k.expect(t, env, Applied)
}

func TestFork(t *testing.T) {
	k := newTalk()
	before := k.sent
	k.expect(t, k.say(t, "one"), Applied)
	k.sent = before
	k.expect(t, k.say(t, "another one"), Forked)
	if k.got.Quarantined.Blank() {
		t.Fatal("the feed is not quarantined")
	}
	k.expect(t, k.say(t, "and on"), Refused)

	k = newTalk()
	k.expect(t, k.say(t, "one"), Applied)
	k.sent.Head = HashOf([]byte("another past"))
	k.expect(t, k.say(t, "two"), Forked)
}

func TestOldKeys(t *testing.T) {
	ring, signers, doc := ringOf("sender", "sender's second", "sender's third")
	k := newTalk()
	k.ring = ring
	k.expect(t, k.say(t, "by the first"), Applied)
	k.signer = signers[2]
	k.expect(t, k.say(t, "by the third"), Applied)
	k.signer = signers[1]
	state := k.sent
	k.expect(t, k.say(t, "by the second again"), Refused)
	k.sent = state

	// Whoever stole the first key rewrites the past: once it is revoked, that proves
	// nothing against its owner.
	last := doc.Changes[len(doc.Changes)-1]
	revoke, err := MakeKeyChange(KeyChange{Version: 1, Party: ring.Party, Number: 3, Prev: HashOf(last.Payload), At: testTime.Add(5 * time.Hour), Revokes: signers[0].Key().ID(), Reason: "stolen"}, signers[2], nil)
	if err != nil {
		t.Fatal(err)
	}
	doc.Changes = append(doc.Changes, revoke)
	later, err := doc.Verify()
	if err != nil || !ring.Newer(later) || later.Newer(ring) {
		t.Fatalf("the document with the revocation: %v", err)
	}
	k.ring, k.signer = later, signers[0]
	k.sent = FeedState{From: k.sent.From, To: k.sent.To}
	taken, err := k.hear(k.say(t, "a past that never was"))
	if taken != Refused || !errors.Is(err, ErrOldKey) || !k.got.Quarantined.Blank() {
		t.Errorf("%s, %v, %s", taken, err, k.got.Quarantined)
	}
}

func TestKeyDocumentsProveThemselves(t *testing.T) {
	_, signers, doc := ringOf("a", "b", "c")
	mallory, malloryKey := testKey("mallory")
	for name, spoil := range map[string]func(d *KeyDocument){
		"another party":        func(d *KeyDocument) { d.Party = PartyOf(malloryKey) },
		"another first key":    func(d *KeyDocument) { d.First = malloryKey },
		"a change left out":    func(d *KeyDocument) { d.Changes = d.Changes[1:] },
		"a change repeated":    func(d *KeyDocument) { d.Changes = append(d.Changes, d.Changes[1]) },
		"a change not signed":  func(d *KeyDocument) { d.Changes[1].Signatures = d.Changes[1].Signatures[1:] },
		"no proof of new key":  func(d *KeyDocument) { d.Changes[1].Signatures = d.Changes[1].Signatures[:1] },
		"signed by a stranger": func(d *KeyDocument) { d.Changes[0], _ = Sign(KeyChangeType, d.Changes[0].Payload, mallory) },
		"a revoked key in force": func(d *KeyDocument) {
			e, _ := MakeKeyChange(KeyChange{Version: 1, Party: d.Party, Number: 3, Prev: HashOf(d.Changes[1].Payload), At: testTime, Revokes: signers[2].Key().ID()}, signers[2], nil)
			d.Changes = append(d.Changes, e)
		},
	} {
		spoiled := doc
		spoiled.Changes = slices.Clone(doc.Changes)
		for i := range spoiled.Changes {
			spoiled.Changes[i].Signatures = slices.Clone(spoiled.Changes[i].Signatures)
		}
		spoil(&spoiled)
		if _, err := spoiled.Verify(); err == nil {
			t.Errorf("%s: the document was believed", name)
		}
	}
}

// Whatever order and how often entries arrive in, the receiver ends with all of them
// once, in order.
func TestFeedInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := newTalk()
		n := rapid.IntRange(1, 8).Draw(rt, "entries")
		all := make([]Envelope, n)
		for i := range all {
			all[i] = k.say(t, fmt.Sprint("entry ", i+1))
		}
		for range rapid.IntRange(0, 40).Draw(rt, "arrivals") {
			if taken, err := k.hear(all[rapid.IntRange(0, n-1).Draw(rt, "which")]); taken == Refused || taken == Forked {
				rt.Fatalf("%s: %v", taken, err)
			}
		}
		for _, e := range all {
			if _, err := k.hear(e); err != nil {
				rt.Fatal(err)
			}
		}
		if k.got.Number != uint64(n) || k.got.Head != k.sent.Head {
			rt.Fatalf("the receiver stands at %d of %d", k.got.Number, n)
		}
	})
}

func TestReceipts(t *testing.T) {
	k := newTalk()
	env := k.say(t, "one")
	ring, signers, _ := ringOf("receiver")
	r := Receipt{Version: 1, From: k.sent.From, To: ring.Party, Number: 1, Hash: HashOf(env.Payload), At: testTime}
	signed, err := SignReceipt(r, signers[0])
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadReceipt(signed, ring)
	if err != nil {
		t.Fatal(err)
	}
	sent := func(n uint64) (Hash, bool) { return HashOf(env.Payload), n == 1 }
	if err := read.Confirms(k.sent.From, ring.Party, sent); err != nil {
		t.Error(err)
	}
	for _, wrong := range []Receipt{{From: r.From, To: r.To, Number: 2, Hash: r.Hash}, {From: r.From, To: r.To, Number: 1}, {From: r.To, To: r.From, Number: 1, Hash: r.Hash}} {
		if wrong.Confirms(k.sent.From, ring.Party, sent) == nil {
			t.Errorf("%+v confirms", wrong)
		}
	}
	if _, err := ReadReceipt(signed, k.ring); err == nil {
		t.Error("the receipt of another was believed")
	}
}

func TestFingerprints(t *testing.T) {
	words := slices.Clone(wordList[:])
	slices.Sort(words)
	if len(slices.Compact(words)) != 256 {
		t.Error("a word stands in the list twice")
	}
	_, key := testKey("a")
	if got := strings.Join(key.Fingerprint(), " "); len(key.Fingerprint()) != 10 {
		t.Errorf("the fingerprint is %q", got)
	}
}

func TestAgreement(t *testing.T) {
	a, aSigners, _ := ringOf("a")
	b, bSigners, _ := ringOf("b")
	agreement := Agreement{
		Version: 1, Number: 1, From: testTime,
		Parties: [2]AgreementParty{{Party: a.Party, Name: "A", Buys: true}, {Party: b.Party, Name: "B", Supplies: true}},
		Shares:  []Share{{Kind: EntryAdvisory, From: b.Party, Default: TLPGreen, Ceiling: TLPAmber}},
	}
	half, err := SignAgreement(agreement, aSigners[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAgreement(half, a, b); err == nil {
		t.Error("an agreement that one side signed was believed")
	}
	whole, err := half.Add(bSigners[0])
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadAgreement(whole, a, b)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to PartyID
		kind     EntryKind
		at       time.Time
		agreed   bool
		standing Standing
	}{
		{b.Party, a.Party, EntryAdvisory, testTime, true, IsCustomer},
		{a.Party, b.Party, EntryAdvisory, testTime, false, IsSupplier},
		{b.Party, a.Party, EntrySBOM, testTime, false, IsCustomer},
		{b.Party, a.Party, EntryAdvisory, testTime.Add(-time.Second), false, IsCustomer},
		{a.Party, b.Party, EntryRecall, testTime, true, IsSupplier},
		{a.Party, a.Party, EntryRecall, testTime, false, 0},
	} {
		if r := read.Relation(c.from, c.to, c.kind, c.at); r.Agreed != c.agreed || r.Standing != c.standing {
			t.Errorf("%s: %+v", c.kind, r)
		}
	}
}

func TestEmbargo(t *testing.T) {
	a, b := party(1), party(2)
	day := func(n int) time.Time { return testTime.AddDate(0, 0, n) }
	var e Embargo
	step := func(by PartyID, act EmbargoAct, until time.Time, at time.Time, fails bool) {
		t.Helper()
		next, err := e.Step(by, EmbargoStep{Act: act, Until: until}, at)
		if (err != nil) != fails {
			t.Errorf("%s when %q: %v", act, e.State, err)
		}
		e = next
	}
	step(a, AcceptEmbargo, time.Time{}, day(0), true)
	step(a, ProposeEmbargo, day(-1), day(0), true)
	step(a, ProposeEmbargo, day(10), day(0), false)
	if !e.Active(day(5)) {
		t.Error("what is proposed is not held back")
	}
	step(a, AcceptEmbargo, time.Time{}, day(0), true) // nobody accepts their own
	step(b, AcceptEmbargo, time.Time{}, day(1), false)
	step(b, ReviseEmbargo, day(20), day(2), false)
	if e.Active(day(15)) || !e.Active(day(9)) {
		t.Error("the old end does not hold until the new one is accepted")
	}
	step(a, RefuseEmbargo, time.Time{}, day(3), false)
	step(a, ReviseEmbargo, day(12), day(4), false)
	step(b, AcceptEmbargo, time.Time{}, day(4), false)
	if !e.Active(day(11)) || e.Active(day(12)) {
		t.Error("the new end does not hold")
	}
	step(a, ReleaseEmbargo, time.Time{}, day(5), false)
	step(a, ReleaseEmbargo, time.Time{}, day(5), true)
	if !e.Active(day(5)) {
		t.Error("one side alone has ended it")
	}
	step(b, ReleaseEmbargo, time.Time{}, day(6), false)
	if e.Active(day(6)) || e.State != EmbargoReleased {
		t.Error("both have released it, and it runs on")
	}
	step(a, ProposeEmbargo, day(20), day(7), false)
	if e.Active(day(20)) {
		t.Error("what nobody answered is held back for ever")
	}
	step(b, AcceptEmbargo, time.Time{}, day(20), true) // too late
	step(a, ProposeEmbargo, day(30), day(20), false)
	step(b, AcceptEmbargo, time.Time{}, day(21), false)
	if !e.Active(day(29)) {
		t.Error("what was proposed again does not hold")
	}
}

func FuzzReadEnvelope(f *testing.F) {
	k := newTalk()
	env := k.say(f, "one")
	good, _ := env.Encode()
	f.Add(good)
	f.Add([]byte(`{"payloadType":"","payload":"","signatures":[{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := ReadEnvelope(bytes.NewReader(raw))
		if err != nil {
			return
		}
		state, _, taken, err := k.got.Take(e, k.ring, k.held)
		if taken == Applied && (err != nil || state.Number != 1) || taken == Forked {
			t.Errorf("%s: %v", taken, err)
		}
		_, _ = ReadAgreement(e, k.ring)
		_, _ = ReadReceipt(e, k.ring)
	})
}

// What a partner gives back is ours only if we signed it, and only in its place.
func FuzzRegain(f *testing.F) {
	k := newTalk()
	one, two := k.say(f, "one"), k.say(f, "two")
	for _, e := range []*Envelope{&one, &two, nil} {
		kept := Kept{Hash: HashOf([]byte("gone")), Entry: e}
		if e != nil {
			kept.Hash = HashOf(e.Payload)
		}
		raw, err := json.Marshal(kept)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"hash":"","entry":{"signatures":[{}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var kept Kept
		if json.Unmarshal(raw, &kept) != nil {
			return
		}
		start := FeedState{From: k.got.From, To: k.got.To}
		next, e, err := start.Regain(kept, k.ring)
		switch {
		case err != nil && (next.Number != 0 || !next.Quarantined.Blank()):
			t.Errorf("refused, and the feed is %+v", next)
		case err == nil && kept.Entry != nil && (HashOf(kept.Entry.Payload) != HashOf(one.Payload) || e.Number != 1):
			t.Errorf("taken for ours: %q", kept.Entry.Payload)
		}
	})
}
