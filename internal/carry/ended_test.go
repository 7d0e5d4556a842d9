package carry

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/inventory"
)

// at lets it be that moment for a while, and does what is due then.
func (n *node) at(moment time.Time) {
	n.t.Helper()
	n.now = func() time.Time { return moment }
	ok(n.t, n.d.Write(n.t.Context(), n.buyer.Org, func(tx *db.Tx) error {
		_, err := tx.Exec(n.t.Context(), "UPDATE journal_job SET wake_at = 1 WHERE org = $1 AND kind = 'exchange.expire' AND wake_at <= $2", n.buyer.Org, db.Millis(moment))
		return err
	}))
	n.catchUp()
	n.now = time.Now
}

// ended is what a room keeps of something that is gone.
type ended struct {
	expired, recalled bool
	at                time.Time
	left              string // of what it said
}

// What is gone says how it went and when, in every room and where it was received: its
// sender took it back, or its time ran out. That it was said, and its hash, stay, and the
// feeds can still be verified.
func TestHowSomethingWent(t *testing.T) {
	kinds := map[entente.EntryKind]struct {
		body string
		of   func(*node, exchange.Received) ended
	}{
		entente.EntryAdvisory: {strings.Replace(osvRecord, "%s", "ROST-2026-1", 1), func(n *node, _ exchange.Received) ended {
			detail, err := n.advisory.Get(n.t.Context(), n.buyer, "ROST-2026-1")
			ok(n.t, err)
			r := detail.Records[0]
			return ended{r.Expired, !r.Expired && !r.Ended.IsZero(), r.Ended, detail.Summary}
		}},
		entente.EntrySBOM: {`{"product":"Roaster 3"}`, func(n *node, _ exchange.Received) ended {
			all, err := n.inventory.Documents(n.t.Context(), n.buyer, "roaster")
			ok(n.t, err)
			_, left, err := n.inventory.Components(n.t.Context(), n.buyer, all[0].ID, inventory.ComponentQuery{})
			ok(n.t, err)
			return ended{all[0].Expired, all[0].Recalled, all[0].Removed, strings.Repeat("x", left)}
		}},
		entente.EntryVEX: {string(vexBody("Roaster 3", "not_affected", "never called")), func(n *node, _ exchange.Received) ended {
			all, err := n.advisory.SpokenOf(n.t.Context(), n.buyer, "roaster", nil)
			ok(n.t, err)
			return ended{all[0].State == "expired", all[0].State == "recalled", all[0].Ended, all[0].Text}
		}},
		entente.EntryChain: {`{"suppliers":[{"name":"Nordhost"}]}`, func(n *node, _ exchange.Received) ended {
			all, err := n.chain.Disclosures(n.t.Context(), n.buyer, "rosthof")
			ok(n.t, err)
			return ended{all[0].State == chain.ToldExpired, all[0].State == chain.ToldRecalled, all[0].Ended, strings.Repeat("x", len(all[0].Suppliers))}
		}},
		entente.EntryThreat: {marked(0), func(n *node, e exchange.Received) ended {
			one, err := n.carrier.threat.Get(n.t.Context(), n.buyer, e.Party, e.Number, "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f")
			ok(n.t, err)
			return ended{one.Expired, !one.Expired && !one.Ended.IsZero(), one.Ended, one.Title + string(one.Raw)}
		}},
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		eachWay(t, string(kind), func(t *testing.T, d *db.DB, expires bool) {
			n := newNode(t, d)
			c := kinds[kind]
			end := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
			s := exchange.NewStatement{Kind: kind, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: json.RawMessage(c.body)}
			if expires {
				s.Marking.Expires = end
			}
			if kind == entente.EntrySBOM {
				blob, err := n.exchange.PutBlob(t.Context(), n.supplier, "roaster.cdx.json", "application/json", strings.NewReader(affectedSBOM))
				ok(t, err)
				s.Blobs = []entente.Blob{blob}
			}
			id, e := n.said(s)
			if was := c.of(n, e); was.expired || was.recalled || !was.at.IsZero() || was.left == "" {
				t.Fatalf("%s: before it went: %+v", kind, was)
			}
			before := time.Now().Truncate(time.Millisecond)
			if expires {
				n.at(end.Add(time.Minute))
			} else {
				ok(t, n.exchange.Recall(t.Context(), n.supplier, id, "wrong"))
				n.catchUp()
			}
			room := c.of(n, e)
			here, err := n.exchange.Entry(t.Context(), n.buyer, n.from, e.Number)
			ok(t, err)
			held := ended{here.State == exchange.Expired, here.State == exchange.Recalled, here.Ended, here.Title + string(here.Body)}
			for where, is := range map[string]ended{"room": room, "inbox": held} {
				if is.expired != expires || is.recalled == expires || is.left != "" {
					t.Errorf("%s in the %s, expires: %v: %+v", kind, where, expires, is)
				}
				if expires && !is.at.Equal(end) || !expires && (is.at.Before(before) || is.at.After(time.Now())) {
					t.Errorf("%s in the %s, expires: %v: it went at %s", kind, where, expires, is.at)
				}
			}
			if here.Hash != e.Hash {
				t.Errorf("%s: its hash is gone", kind)
			}
			if entries, err := n.exchange.VerifyFeeds(t.Context(), n.buyer); err != nil || entries == 0 {
				t.Errorf("%s: the feeds: %d entries, %v", kind, entries, err)
			}
			for _, state := range []exchange.InboxState{exchange.InboxRecalled, exchange.InboxExpired} {
				found, err := n.exchange.Inbox(t.Context(), n.buyer, exchange.InboxQuery{State: state})
				ok(t, err)
				if is := len(found) == 1 && found[0].Number == e.Number; is != (expires == (state == exchange.InboxExpired)) {
					t.Errorf("%s, expires: %v: asked for what is %s: %+v", kind, expires, state, found)
				}
			}
			if expires {
				// Taken back after that, it had gone already; its sender hears so.
				ok(t, n.exchange.Recall(t.Context(), n.supplier, id, "wrong"))
				n.catchUp()
				if again := c.of(n, e); again != room {
					t.Errorf("%s: taken back after its time: %+v", kind, again)
				}
				st, lines, err := n.exchange.Statement(t.Context(), n.supplier, id)
				if err != nil || st.State != exchange.TakenBack || lines[0].Acked.IsZero() {
					t.Errorf("%s: its sender: %+v %v", kind, lines, err)
				}
			}
		})
	}
}

// eachWay runs a test for something that is taken back, and for something whose time
// runs out, on each engine.
func eachWay(t *testing.T, name string, run func(t *testing.T, d *db.DB, expires bool)) {
	for way, expires := range map[string]bool{"recalled": false, "expired": true} {
		t.Run(name+" "+way, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) { run(t, d, expires) })
		})
	}
}

// Whose time is over is gone for everybody, also before a job has deleted it; a room that
// is told to let go of it meanwhile knows how it went.
func TestExpiredBeforeItIsDeleted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		end := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		_, e := n.said(exchange.NewStatement{Kind: entente.EntryThreat, Marking: entente.Marking{TLP: entente.TLPAmber, Expires: end}, Body: json.RawMessage(marked(0))})
		n.now = func() time.Time { return end }
		over, err := n.exchange.Entry(t.Context(), n.buyer, n.from, e.Number)
		ok(t, err)
		if over.State != exchange.Expired || !over.Ended.Equal(end) || over.Title != "" || len(over.Body) != 0 || over.Hidden {
			t.Errorf("it is to be gone: %+v", over)
		}
		if err := n.exchange.Acknowledge(t.Context(), n.buyer, n.from, e.Number); entente.KindOf(err) != entente.KindDenied {
			t.Errorf("it was acknowledged: %v", err)
		}
		system := entente.System(n.buyer.Org, entente.DoorWorker)
		ok(t, n.carrier.settle(t.Context(), system, over, func(ctx context.Context, effect func(*db.Tx) error) error { return d.Write(ctx, system.Org, effect) }))
		for range 2 {
			one, err := n.carrier.threat.Get(t.Context(), n.buyer, e.Party, e.Number, "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f")
			if ok(t, err); !one.Expired || !one.Ended.Equal(end) {
				t.Errorf("the room: %+v", one)
			}
			n.at(end.Add(time.Minute))
		}
	})
}

// What a later word took the place of counts again when that is taken back or its time
// runs out, dated as it was; but not what went itself before.
func TestTheWordBefore(t *testing.T) {
	for _, kind := range []entente.EntryKind{entente.EntryVEX, entente.EntryChain} {
		eachWay(t, string(kind), func(t *testing.T, d *db.DB, expires bool) {
			n := newNode(t, d)
			end := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
			w := words{n, kind}
			first, firstEntry := w.say(1, time.Time{})
			middle, _ := w.say(2, time.Time{})
			m := time.Time{}
			if expires {
				m = end
			}
			last, _ := w.say(3, m)
			w.stands(3, time.Time{})
			ok(t, n.exchange.Recall(t.Context(), n.supplier, middle, "wrong")) // it did not count
			n.catchUp()
			w.stands(3, time.Time{})
			if expires {
				n.at(end.Add(time.Minute))
			} else {
				ok(t, n.exchange.Recall(t.Context(), n.supplier, last, "wrong"))
				n.catchUp()
			}
			w.stands(1, firstEntry.Said)
			// What comes after what is gone takes the place of the first again.
			again, _ := w.say(4, time.Time{})
			w.stands(4, time.Time{})
			ok(t, n.exchange.Recall(t.Context(), n.supplier, again, "wrong"))
			n.catchUp()
			w.stands(1, firstEntry.Said)
			ok(t, n.exchange.Recall(t.Context(), n.supplier, first, "wrong"))
			n.catchUp()
			w.stands(0, time.Time{})
			// A word that is taken late counts, if those after it are gone.
			w.late(firstEntry.Number - 1)
			w.stands(9, time.Time{})
		})
	}
}

// words are what a supplier says of one thing, one after the other: the number of each
// stands in it.
type words struct {
	*node
	kind entente.EntryKind
}

func (w words) say(i int, expires time.Time) (string, exchange.Received) {
	w.t.Helper()
	if i == 1 && w.kind == entente.EntryVEX {
		_, _, err := w.inventory.Record(w.t.Context(), w.buyer, "roaster", "roaster.cdx.json", strings.NewReader(affectedSBOM))
		ok(w.t, err)
		_, err = w.advisory.Ingest(w.t.Context(), w.buyer, advisory.FromReader(strings.NewReader(strings.Replace(osvRecord, "%s", "ROST-2026-1", 1)), "database.json"), advisory.IngestOptions{})
		ok(w.t, err)
	}
	return w.said(exchange.NewStatement{Kind: w.kind, Marking: entente.Marking{TLP: entente.TLPAmber, Expires: expires}, Body: w.body(i)})
}

// body is what is said as word i. Every second word on a product excuses it.
func (w words) body(i int) json.RawMessage {
	text := strings.Repeat("i", i)
	switch {
	case w.kind == entente.EntryChain:
		return json.RawMessage(`{"suppliers":[{"name":"` + text + `"}]}`)
	case i%2 == 1:
		return w.undated(vexBody("Roaster 3", "not_affected", text))
	}
	return w.undated(vexBody("Roaster 3", "under_investigation", text))
}

// undated leaves out the date of a document, so that that of its entry counts.
func (w words) undated(body json.RawMessage) json.RawMessage {
	return json.RawMessage(strings.Replace(string(body), `"timestamp":"2026-05-12T10:00:00Z",`, "", 1))
}

// stands says that the word i stands, and that it is dated so, unless that is zero; 0:
// none stands. What hangs on it is as it says.
func (w words) stands(i int, at time.Time) {
	w.t.Helper()
	var texts []string
	var dates, over []time.Time
	if w.kind == entente.EntryVEX {
		all, err := w.advisory.SpokenOf(w.t.Context(), w.buyer, "roaster", nil)
		ok(w.t, err)
		for _, s := range all {
			if s.State == "standing" {
				texts, dates, over = append(texts, s.Text), append(dates, s.At), append(over, s.Ended)
			}
		}
		detail, err := w.advisory.Get(w.t.Context(), w.buyer, "ROST-2026-1")
		ok(w.t, err)
		want := advisory.Affected
		if i%2 == 1 {
			want = advisory.Excused
		}
		if m := detail.Matches[0]; m.State != want || want == advisory.Excused && !strings.HasSuffix(m.Why, "because "+strings.Repeat("i", i)) {
			w.t.Errorf("the match, if word %d stands: %s %q", i, m.State, m.Why)
		}
	} else {
		all, err := w.chain.Disclosures(w.t.Context(), w.buyer, "rosthof")
		ok(w.t, err)
		g, err := w.chain.Graph(w.t.Context(), w.buyer)
		ok(w.t, err)
		for _, told := range all {
			if told.State == chain.ToldStanding {
				texts, dates, over = append(texts, told.Suppliers[0].Name), append(dates, told.At), append(over, told.Ended)
			}
		}
		if p := g.Providers(); len(p) != len(texts) || len(p) > 0 && p[0].Name != texts[0] {
			w.t.Errorf("the graph, if word %d stands: %+v", i, p)
		}
	}
	switch {
	case i == 0 && len(texts) == 0:
	case len(texts) != 1 || len(texts[0]) != i:
		w.t.Errorf("%s: word %d is to stand: %q", w.kind, i, texts)
	case !over[0].IsZero() || !at.IsZero() && !dates[0].Equal(at):
		w.t.Errorf("%s: word %d is to be dated %s: %s, ended %s", w.kind, i, at, dates, over)
	}
}

// late takes a word of an entry before those that are gone.
func (w words) late(number uint64) {
	w.t.Helper()
	system := entente.System(w.buyer.Org, entente.DoorWorker)
	if w.kind == entente.EntryChain {
		ok(w.t, w.chain.Learn(w.t.Context(), system, chain.Told{Party: w.from, Number: number, By: "rosthof", Name: "Rosthof", TLP: entente.TLPAmber, At: time.Now(), Disclosure: chain.Disclosure{Suppliers: []chain.Disclosed{{Name: strings.Repeat("i", 9)}}}}))
		return
	}
	ok(w.t, w.advisory.Speak(w.t.Context(), system, "rosthof", []advisory.Spoken{{Product: "roaster", Vulnerability: "ROST-2026-1", Party: w.from, Number: number, By: "Rosthof", Status: "not_affected", Text: strings.Repeat("i", 9), At: time.Now()}}))
	w.catchUp()
}
