package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// practice is a statement for everybody who may have it.
func practice(n int) NewStatement {
	return NewStatement{Kind: entente.EntryPractice, Title: fmt.Sprintf("Practice %d", n), Marking: entente.Marking{TLP: entente.TLPGreen}, Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))}
}

// eachNodes runs a test with two organisations on two nodes, on both engines.
func eachNodes(t *testing.T, fn func(t *testing.T, buyer, supplier someone)) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			buyer, supplier := newHouse(t, open(t)).host("Beanline"), newHouse(t, open(t)).host("Rosthof")
			buyer.later(-30 * 24 * time.Hour)
			become(buyer, supplier) // long ago
			buyer.later(30 * 24 * time.Hour)
			fn(t, buyer, supplier)
		})
	}
}

// through puts something between the other nodes and a node's door.
func (h *house) through(between func(http.Handler) http.Handler) {
	h.server.Config.Handler = between(h.door)
}

// A file goes with its entry, also over a link that breaks off again and again.
func TestFilesOfEntries(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		content := make([]byte, 7<<20+123)
		rng := rand.New(rand.NewPCG(7, 7))
		for i := range content {
			content[i] = byte(rng.Uint32())
		}
		b, err := supplier.PutBlob(ctx, supplier.owner, "sbom.json", "application/json", bytes.NewReader(content))
		ok(t, err)
		again, err := supplier.PutBlob(ctx, supplier.owner, "sbom.json", "application/json", bytes.NewReader(content))
		ok(t, err)
		if again != b || b.Size != int64(len(content)) || b.Hash != entente.HashOf(content) {
			t.Fatalf("kept as %+v", b)
		}
		var asked atomic.Int64
		supplier.through(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, pathBlob) && asked.Add(1)%2 == 1 {
					next.ServeHTTP(&cut{ResponseWriter: w, left: 5<<20 + 77}, r)
					return
				}
				next.ServeHTTP(w, r)
			})
		})
		s := NewStatement{Kind: entente.EntrySBOM, Title: "Roaster 3", Marking: entente.Marking{TLP: entente.TLPAmber}, Body: json.RawMessage(`{"product":"roaster"}`), Blobs: []entente.Blob{b}, To: []entente.PartyID{buyer.party()}}
		id, _, err := supplier.Say(ctx, supplier.owner, s)
		ok(t, err)
		ok(t, supplier.work())
		for range 20 {
			_ = buyer.work() // a transfer that broke off is tried again later
			if held, err := buyer.heldOf(ctx, buyer.org, b.Hash); err == nil && held == b.Size {
				break
			}
			buyer.hurry(jobBlob)
		}
		r, size, err := buyer.Blob(ctx, buyer.owner, b.Hash)
		ok(t, err)
		got, err := io.ReadAll(r)
		ok(t, err)
		if size != b.Size || !bytes.Equal(got, content) {
			t.Fatalf("%d bytes arrived, want %d, the same: %v", len(got), b.Size, bytes.Equal(got, content))
		}
		if asked.Load() != 2 {
			t.Errorf("%d requests; it breaks off once, and goes on from there", asked.Load())
		}
		// A stranger with the address of the file gets nothing.
		_, _, _, err = supplier.GiveBlob(ctx, supplier.party(), supplier.party(), b.Hash, 0)
		wants(t, entente.KindNotFound, err)
		ok(t, supplier.Recall(ctx, supplier.owner, id, "wrong"))
		settle(supplier, buyer)
		_, _, err = buyer.Blob(ctx, buyer.owner, b.Hash)
		wants(t, entente.KindNotFound, err)
	})
}

// cut breaks an answer off after some bytes.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	if c.left <= 0 {
		panic(http.ErrAbortHandler)
	}
	n := min(len(p), c.left)
	c.left -= n
	return c.ResponseWriter.Write(p[:n])
}

// Partners without a link exchange files, which carry the same and prove the same.
func TestByFile(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		closed := func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		}
		buyer.through(closed)
		supplier.through(closed)
		b, err := supplier.PutBlob(ctx, supplier.owner, "a.txt", "text/plain", strings.NewReader(strings.Repeat("bean ", 500_000)))
		ok(t, err)
		ok(t, supplier.Rotate(ctx, supplier.owner, "", true))
		s := practice(1)
		s.Blobs = []entente.Blob{b}
		id, _, err := supplier.Say(ctx, supplier.owner, s)
		ok(t, err)
		for n := range 250 {
			_, _, err := supplier.Say(ctx, supplier.owner, practice(n+2))
			ok(t, err)
		}
		var file bytes.Buffer
		ok(t, supplier.ExportFile(ctx, supplier.owner, buyer.party(), &file))
		done, err := buyer.ImportFile(ctx, buyer.owner, bytes.NewReader(file.Bytes()))
		ok(t, err)
		if done.Entries != 252 || done.Refused != "" || done.Party != supplier.party() {
			t.Fatalf("the file brought %+v", done)
		}
		done, err = buyer.ImportFile(ctx, buyer.owner, bytes.NewReader(file.Bytes()))
		ok(t, err)
		if done.Entries != 0 || done.Refused != "" {
			t.Errorf("again: %+v", done)
		}
		_ = buyer.work()
		r, _, err := buyer.Blob(ctx, buyer.owner, b.Hash)
		ok(t, err)
		if got, err := io.ReadAll(r); err != nil || entente.HashOf(got) != b.Hash {
			t.Errorf("the file of the entry: %v", err)
		}
		var answer bytes.Buffer
		ok(t, buyer.ExportFile(ctx, buyer.owner, supplier.party(), &answer))
		done, err = supplier.ImportFile(ctx, supplier.owner, &answer)
		ok(t, err)
		if done.Acked != 252 {
			t.Errorf("the receipt in the file: %+v", done)
		}
		_, lines, err := supplier.Statement(ctx, supplier.owner, id)
		ok(t, err)
		if lines[0].Delivered.IsZero() {
			t.Error("what was taken by file is not shown as delivered")
		}
		for name, text := range map[string]string{"nothing": "", "no JSON": "hello", "another format": `{"exchange":{"format":"x"}}`} {
			if _, err := buyer.ImportFile(ctx, buyer.owner, strings.NewReader(text)); entente.KindOf(err) != entente.KindInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		broken := bytes.Replace(file.Bytes(), []byte(`"entry":{"payloadType"`), []byte(`"entry":{"payloadTypo"`), 1)
		if done, err := buyer.ImportFile(ctx, buyer.owner, bytes.NewReader(broken)); err != nil || done.Entries != 0 || done.Refused == "" {
			t.Errorf("a broken file: %+v %v", done, err)
		}
	})
}

// A partner was away for a week; what waited arrives in order, once.
func TestAwayForAWeek(t *testing.T) {
	entries := 5_000
	if testing.Short() {
		entries = 500
	}
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		away := true
		buyer.through(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if away {
					panic(http.ErrAbortHandler)
				}
				next.ServeHTTP(w, r)
			})
		})
		to := buyer.party()
		ok(t, supplier.db.Write(ctx, supplier.org, func(tx *db.Tx) error { return supplier.sayMany(ctx, tx, to, entries) }))
		ok(t, supplier.work())
		p := supplier.knows(buyer)
		if p.Out.Acked != 0 || p.Out.Failures == 0 || p.Out.Error == "" || p.Out.Waiting() != uint64(entries) {
			t.Fatalf("while the partner is away: %+v", p.Out)
		}
		supplier.later(7 * 24 * time.Hour)
		buyer.later(7 * 24 * time.Hour)
		away = false
		// Back again, it asks for what it has missed.
		for range 100 {
			ok(t, buyer.Fetch(ctx, buyer.owner, supplier.party()))
			if supplier.knows(buyer).Out.Waiting() == 0 {
				break
			}
		}
		if got := buyer.knows(supplier).In; got.Number != uint64(entries) || !got.Quarantine.Blank() {
			t.Errorf("the partner holds %d of %d", got.Number, entries)
		}
		if p := supplier.knows(buyer); p.Out.Acked != uint64(entries) {
			t.Errorf("after: %+v", p.Out)
		}
	})
}

// sayMany fills a feed in one transaction.
func (s someone) sayMany(ctx context.Context, tx *db.Tx, to entente.PartyID, n int) error {
	p, self, signer, err := s.with(ctx, tx, to)
	if err != nil {
		return err
	}
	for i := range n {
		d := draft{kind: entente.EntryPractice, subject: fmt.Sprintf("practice/%d", i), originator: self.Party(), marking: entente.Marking{TLP: entente.TLPGreen}, body: json.RawMessage(`{}`)}
		if _, allowed, why, err := s.enter(ctx, tx, self, signer, &p, d, false); err != nil || !allowed {
			return fmt.Errorf("%v %v", err, why)
		}
	}
	return nil
}

// A slow, flapping link that spoils bytes loses nothing, doubles nothing, and puts no
// feed into quarantine.
func TestBadLinks(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		rng := rand.New(rand.NewPCG(3, 3))
		spoil := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch rng.IntN(5) {
				case 0: // it never arrives
					panic(http.ErrAbortHandler)
				case 1: // what was asked is spoiled
					body, _ := io.ReadAll(r.Body)
					if len(body) > 0 {
						body[rng.IntN(len(body))] ^= 1 << rng.IntN(8)
					}
					r.Body = io.NopCloser(bytes.NewReader(body))
					next.ServeHTTP(w, r)
				case 2: // the answer is lost
					next.ServeHTTP(httptest.NewRecorder(), r)
					panic(http.ErrAbortHandler)
				case 3: // the answer is spoiled
					answer := httptest.NewRecorder()
					next.ServeHTTP(answer, r)
					body := answer.Body.Bytes()
					if len(body) > 0 {
						body[rng.IntN(len(body))] ^= 1 << rng.IntN(8)
					}
					w.WriteHeader(answer.Code)
					_, _ = w.Write(body)
				default:
					next.ServeHTTP(w, r)
				}
			})
		}
		to := buyer.party()
		buyer.through(spoil)
		const entries = 60
		for n := range entries {
			_, _, err := supplier.Say(ctx, supplier.owner, practice(n))
			ok(t, err)
			_ = supplier.work()
		}
		for range 400 {
			if supplier.knows(buyer).Out.Waiting() == 0 {
				break
			}
			ok(t, supplier.db.Write(ctx, supplier.org, func(tx *db.Tx) error {
				f, err := readFeed(ctx, tx, supplier.org, to, Out)
				if err != nil {
					return err
				}
				f.Failures, f.armed = 0, time.Time{}
				return supplier.armFeed(ctx, tx, &f, supplier.Service.now())
			}))
			_ = supplier.work()
		}
		in, out := buyer.knows(supplier).In, supplier.knows(buyer).Out
		if in.Number != entries || out.Acked != entries || !in.Quarantine.Blank() || !out.Quarantine.Blank() {
			t.Fatalf("the receiver holds %d (%v), the sender has receipts up to %d (%v), of %d", in.Number, in.Quarantine, out.Acked, out.Quarantine, entries)
		}
		got, err := buyer.Inbox(ctx, buyer.owner, InboxQuery{Limit: 1000})
		ok(t, err)
		seen := map[string]bool{}
		for _, e := range got {
			seen[string(e.Body)] = true
		}
		if len(got) != entries || len(seen) != entries {
			t.Errorf("%d entries arrived, %d different, of %d", len(got), len(seen), entries)
		}
	})
}

// A node whose clock is a day wrong is understood all the same.
func TestWrongClock(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		supplier.later(-24 * time.Hour)
		_, _, err := supplier.Say(ctx, supplier.owner, practice(1))
		ok(t, err)
		ok(t, supplier.work())
		if got := buyer.knows(supplier).In.Number; got != 1 {
			t.Fatalf("the partner holds %d entries; %s", got, supplier.knows(buyer).Out.Error)
		}
		_, _, err = buyer.Say(ctx, buyer.owner, practice(2))
		ok(t, err)
		ok(t, buyer.work())
		if got := supplier.knows(buyer).In.Number; got != 1 {
			t.Errorf("in the other direction: %d; %s", got, buyer.knows(supplier).Out.Error)
		}
	})
}

// A partner whose history forked is heard no more, until it says again what it said.
func TestFork(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		become(buyer, supplier)
		_, _, err := supplier.Say(ctx, supplier.owner, practice(1))
		ok(t, err)
		settle(supplier, buyer)
		// The supplier restores an older state of its node, and says something else.
		var was stored
		to := buyer.party()
		ok(t, supplier.db.Write(ctx, supplier.org, func(tx *db.Tx) error {
			was, err = readEntry(ctx, tx, supplier.org, to, Out, 1)
			if err != nil {
				return err
			}
			p, self, signer, err := supplier.with(ctx, tx, to)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "DELETE FROM exchange_entry WHERE org = $1 AND party = $2 AND way = 'out'", supplier.org, to); err != nil {
				return err
			}
			p.Out = Feed{Party: to, Way: Out}
			_, _, _, err = supplier.enter(ctx, tx, self, signer, &p, draft{kind: entente.EntryPractice, originator: self.Party(), marking: entente.Marking{TLP: entente.TLPGreen}, body: json.RawMessage(`{"other":1}`)}, false)
			return err
		}))
		_ = supplier.work()
		if in := buyer.knows(supplier).In; in.Quarantine.Blank() || in.Number != 1 {
			t.Fatalf("the feed after: %+v", in)
		}
		proof, err := buyer.Contradictions(ctx, buyer.owner, supplier.party())
		ok(t, err)
		if len(proof) != 1 || proof[0].First.Hash != was.Hash || proof[0].Second.Kind != entente.EntryPractice {
			t.Errorf("the proof: %+v", proof)
		}
		wants(t, entente.KindConflict, buyer.Release(ctx, buyer.owner, supplier.party()))
		// The supplier puts its history right: what it said first stands again, and the
		// other comes after it.
		ok(t, supplier.Regain(ctx, supplier.owner, to))
		if h := supplier.knows(buyer).Out; !h.Quarantine.Blank() || h.Number != 2 || h.Acked != 1 {
			t.Errorf("the supplier's feed: %+v", h)
		}
		ok(t, buyer.Release(ctx, buyer.owner, supplier.party()))
		_, _, err = supplier.Say(ctx, supplier.owner, practice(2))
		ok(t, err)
		settle(supplier, buyer)
		if in := buyer.knows(supplier).In; !in.Quarantine.Blank() || in.Number != 3 {
			t.Errorf("after the release: %+v", in)
		}
	})
}

// Requests that are forged, replayed, unsigned or too large are not taken.
func TestRequestsOfStrangers(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		var caught *http.Request
		var body []byte
		buyer.through(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == pathPush {
					body, _ = io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
					caught = r.Clone(r.Context())
				}
				next.ServeHTTP(w, r)
			})
		})
		_, _, err := supplier.Say(ctx, supplier.owner, practice(1))
		ok(t, err)
		ok(t, supplier.work())
		if caught == nil || buyer.knows(supplier).In.Number != 1 {
			t.Fatal("nothing was pushed")
		}
		ask := func(change func(r *http.Request, body []byte) []byte) int {
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, buyer.server.URL+pathPush, nil)
			r.Header = caught.Header.Clone()
			sent := change(r, bytes.Clone(body))
			r.Body = io.NopCloser(bytes.NewReader(sent))
			w := httptest.NewRecorder()
			buyer.Door().ServeHTTP(w, r)
			return w.Code
		}
		for name, c := range map[string]struct {
			change func(r *http.Request, body []byte) []byte
			want   int
		}{
			"replayed":      {func(_ *http.Request, b []byte) []byte { return b }, 401},
			"unsigned":      {func(r *http.Request, b []byte) []byte { r.Header.Del("Signature"); return b }, 401},
			"another body":  {func(_ *http.Request, b []byte) []byte { return append(b, ' ') }, 401},
			"another path":  {func(r *http.Request, b []byte) []byte { r.URL.Path = pathPull; return b }, 401},
			"what was said": {func(r *http.Request, b []byte) []byte { r.URL.Path = pathBack; return b }, 401},
			"another nonce": {func(r *http.Request, b []byte) []byte { return renonce(r, b) }, 401},
			"no JSON":       {func(_ *http.Request, b []byte) []byte { return b[1:] }, 422},
			"for a stranger": {func(_ *http.Request, b []byte) []byte {
				return bytes.Replace(b, []byte(`"to":"ent1`), []byte(`"to":"ent2`), 1)
			}, 401},
			"too large": {func(_ *http.Request, _ []byte) []byte { return make([]byte, maxBody+1) }, 413},
		} {
			if got := ask(c.change); got != c.want {
				t.Errorf("%s: answered %d, want %d", name, got, c.want)
			}
		}
		// A stolen old key, after it was revoked: neither its requests nor its entries count.
		var old entente.Signer
		ok(t, supplier.db.Read(ctx, func(tx *db.Tx) (err error) {
			_, old, err = supplier.mine(ctx, tx, supplier.org)
			return err
		}))
		ok(t, supplier.Rotate(ctx, supplier.owner, "stolen", true))
		settle(supplier, buyer)
		p := buyer.knows(supplier)
		e := p.In.state(buyer.party()).Next(time.Now())
		e.Kind, e.Marking = entente.EntryPractice, entente.Marking{TLP: entente.TLPGreen}
		forged, err := entente.SignEntry(e, old)
		ok(t, err)
		answer, err := buyer.Take(ctx, supplier.party(), buyer.party(), []entente.Envelope{forged})
		ok(t, err)
		if answer.Refused == "" || !buyer.knows(supplier).In.Quarantine.Blank() {
			t.Errorf("an entry of a stolen key: %+v", answer)
		}
	})
}

func renonce(r *http.Request, b []byte) []byte {
	r.Header.Set("Signature-Input", strings.Replace(r.Header.Get("Signature-Input"), `nonce="`, `nonce="A`, 1))
	return b
}

// An entry of a kind from a version to come is kept, shown as such, and passed by.
func TestUnknownKind(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		ticket, _, err := buyer.Invite(ctx, buyer.owner, NewInvitation{Name: "Supplier", Terms: withKind(StandardTerms(true, false, buyer.Service.now()), "dream")})
		ok(t, err)
		_, err = supplier.Accept(ctx, supplier.owner, ticket.Link(), nil, "")
		ok(t, err)
		to := buyer.party()
		ok(t, supplier.db.Write(ctx, supplier.org, func(tx *db.Tx) error {
			p, self, signer, err := supplier.with(ctx, tx, to)
			if err != nil {
				return err
			}
			_, allowed, why, err := supplier.enter(ctx, tx, self, signer, &p, draft{kind: "dream", originator: self.Party(), marking: entente.Marking{TLP: entente.TLPGreen}, body: json.RawMessage(`{"of":"beans"}`)}, false)
			if !allowed {
				t.Error(why)
			}
			return err
		}))
		_, _, err = supplier.Say(ctx, supplier.owner, practice(1))
		ok(t, err)
		settle(supplier, buyer)
		got, err := buyer.Inbox(ctx, buyer.owner, InboxQuery{})
		ok(t, err)
		if len(got) != 2 {
			t.Fatalf("received %+v", got)
		}
		for _, e := range got {
			if e.Known != (e.Kind != "dream") {
				t.Errorf("%s: known %v", e.Kind, e.Known)
			}
		}
	})
}

func withKind(t Terms, k entente.EntryKind) Terms {
	t.Shares = append(t.Shares, TermShare{Kind: k, Invitee: true, Default: entente.TLPGreen, Ceiling: entente.TLPRed})
	return t
}

// An embargo is agreed by both, binds both, and ends as both say.
func TestEmbargo(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		become(buyer, supplier)
		other := buyer.host("Brewfix")
		become(other, supplier)
		until := supplier.Service.now().Add(14 * 24 * time.Hour).UTC().Truncate(time.Millisecond)
		const about = "advisory/ROST-1"
		ok(t, supplier.Embargo(ctx, supplier.owner, buyer.party(), about, entente.EmbargoStep{Act: entente.ProposeEmbargo, Until: until, Reason: "until the fix is out"}))
		settle(supplier, buyer)
		ok(t, buyer.Embargo(ctx, buyer.owner, supplier.party(), about, entente.EmbargoStep{Act: entente.AcceptEmbargo}))
		settle(buyer, supplier)
		for _, pair := range [][2]someone{{buyer, supplier}, {supplier, buyer}} {
			e, err := pair[0].EmbargoOf(ctx, pair[0].owner, pair[1].party(), about)
			ok(t, err)
			if e.State != entente.EmbargoRunning || !e.Until.Equal(until) || len(e.Steps) != 2 {
				t.Errorf("%s sees %+v", pair[0].org, e)
			}
		}
		s := NewStatement{Kind: entente.EntryAdvisory, Subject: about, Title: "Roaster firmware", Marking: entente.Marking{TLP: entente.TLPAmber}, Body: json.RawMessage(`{}`), To: []entente.PartyID{buyer.party(), other.party()}}
		_, lines, err := supplier.Say(ctx, supplier.owner, s)
		ok(t, err)
		for _, l := range lines {
			if l.Allowed != (l.Party == buyer.party()) {
				t.Errorf("under embargo: %s %v %s", l.Name, l.Allowed, l.Reason)
			}
		}
		wants(t, entente.KindConflict, buyer.Embargo(ctx, buyer.owner, supplier.party(), about, entente.EmbargoStep{Act: entente.AcceptEmbargo}))
		ok(t, buyer.Embargo(ctx, buyer.owner, supplier.party(), about, entente.EmbargoStep{Act: entente.ReleaseEmbargo, Reason: "it is public"}))
		ok(t, supplier.Embargo(ctx, supplier.owner, buyer.party(), about, entente.EmbargoStep{Act: entente.ReleaseEmbargo}))
		settle(supplier, buyer)
		_, lines, err = supplier.Say(ctx, supplier.owner, s)
		ok(t, err)
		for _, l := range lines {
			if !l.Allowed {
				t.Errorf("after the release: %s %s", l.Name, l.Reason)
			}
		}
	})
}
