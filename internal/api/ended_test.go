package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/journal"
)

// A program reads of everything that is gone whether its sender took it back or its time
// ran out, and when.
func TestHowSomethingWent(t *testing.T) {
	for state, expires := range map[string]bool{"recalled": false, "expired": true} {
		t.Run(state, func(t *testing.T) {
			n := newNode(t, dbtest.SQLite(t))
			rosthof, ctx := entente.System("rosthof", entente.DoorCommand), t.Context()
			jobs := n.rooms.Exchange.Jobs()
			maps.Copy(jobs, n.rooms.Carry.Jobs())
			maps.Copy(jobs, n.rooms.Advisory.Jobs())
			carry := func() {
				for range 4 {
					for _, org := range []entente.OrgID{"rosthof", "beanline"} {
						must(t, journal.NewRunner(n.db, nil, slices.Concat(n.rooms.Carry.Consumers(), n.rooms.Advisory.Consumers()), jobs).CatchUp(ctx, org))
					}
				}
			}
			if w := n.ask("PUT", base+"/things/product/kettle", strings.NewReader(`{"id":"kettle","name":"Kettle","supplier":"rosthof"}`), with("If-None-Match", "*"), with("Content-Type", "application/json")); w.Code >= 300 {
				t.Fatalf("the product: %d %s", w.Code, w.Body)
			}
			blob, err := n.rooms.Exchange.PutBlob(ctx, rosthof, "kettle.cdx.json", "application/vnd.cyclonedx+json", strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[{"type":"library","name":"kettle","version":"1.0.0","purl":"pkg:npm/kettle@1.0.0"}]}`))
			must(t, err)
			end := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
			var said []string
			number := uint64(0)
			for _, s := range []exchange.NewStatement{
				{Kind: entente.EntrySBOM, Body: json.RawMessage(`{"product":"Kettle"}`), Blobs: []entente.Blob{blob}},
				{Kind: entente.EntryAdvisory, Body: json.RawMessage(`{"schema_version":"1.6.0","id":"ROST-2026-1","modified":"2026-01-02T00:00:00Z","summary":"It starts by itself","affected":[{"package":{"ecosystem":"npm","name":"kettle"},"versions":["1.0.0"]}]}`)},
				{Kind: entente.EntryVEX, Body: json.RawMessage(`{"@context":"https://openvex.dev/ns/v0.2.0","@id":"urn:example:1","author":"Rosthof","timestamp":"2026-04-06T20:03:48Z","version":1,"statements":[{"vulnerability":{"name":"OTHER-1"},"products":[{"@id":"Kettle"}],"status":"not_affected","impact_statement":"It boils nothing."}]}`)},
				{Kind: entente.EntryChain, Body: json.RawMessage(`{"suppliers":[{"name":"Nordhost"}]}`)},
				{Kind: entente.EntryThreat, Body: json.RawMessage(`{"type":"identity","spec_version":"2.1","id":"identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-04-06T20:03:48.000Z","modified":"2026-04-06T20:03:48.000Z","name":"Somebody"}`)},
			} {
				s.Title, s.Everyone, s.Marking.TLP = "Something", true, entente.TLPGreen
				if expires {
					s.Marking.Expires = end
				}
				id, lines, err := n.rooms.Exchange.Say(ctx, rosthof, s)
				must(t, err)
				said, number = append(said, id), lines[0].Number
			}
			carry()
			party := get[List[Partnership]](n, base+"/partners").Items[0].Party
			threat := fmt.Sprintf("%s/threats/%s/%d/identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", base, party, number)
			if one := get[SharedThreat](n, threat); one.Recalled != nil || one.Expired != nil || one.Title != "Somebody" || len(one.Object) == 0 {
				t.Fatalf("before: %+v", one)
			}
			before := time.Now().UTC().Truncate(time.Millisecond)
			if expires {
				n.now = func() time.Time { return end.Add(time.Minute) }
				must(t, n.db.Write(ctx, "beanline", func(tx *db.Tx) error {
					_, err := tx.Exec(ctx, "UPDATE journal_job SET wake_at = 1 WHERE org = 'beanline' AND kind = 'exchange.expire'")
					return err
				}))
			} else {
				for _, id := range said {
					must(t, n.rooms.Exchange.Recall(ctx, rosthof, id, "wrong"))
				}
			}
			carry()

			is := func(what string, recalled, expired *time.Time) {
				t.Helper()
				at := recalled
				if expires {
					at = expired
				}
				if at == nil || (recalled != nil) == (expired != nil) || expires && !at.Equal(end) || !expires && (at.Before(before) || at.After(time.Now())) {
					t.Errorf("%s: recalled %v, expired %v", what, recalled, expired)
				}
			}
			either := func(what, stands string, at *time.Time) {
				t.Helper()
				switch stands {
				case "recalled":
					is(what, at, nil)
				case "expired":
					is(what, nil, at)
				default:
					t.Errorf("%s is %s", what, stands)
				}
			}
			record := get[AdvisoryDetail](n, base+"/advisories/ROST-2026-1").Records[0]
			is("the advisory", record.Recalled, record.Expired)
			one := get[SharedThreat](n, threat)
			is("the threat", one.Recalled, one.Expired)
			if one.Title != "" || len(one.Object) != 0 {
				t.Errorf("the threat: %+v", one)
			}
			document := get[List[Document]](n, base+"/documents?state=withdrawn").Items[0]
			if document.Recalled == expires || document.Expired != expires {
				t.Errorf("the document: %+v", document)
			}
			either("the document", map[bool]string{document.Recalled: "recalled", document.Expired: "expired"}[true], document.Removed)
			if found := get[List[SpokenVEX]](n, base+"/vex?product=kettle&vulnerability=OTHER-2"); len(found.Items) != 0 {
				t.Errorf("of another vulnerability: %+v", found)
			}
			vex := get[List[SpokenVEX]](n, base+"/vex?product=kettle&vulnerability=other-1").Items[0]
			either("the VEX", vex.State, vex.Ended)
			told := get[List[ReceivedDisclosure]](n, base+"/disclosures?organisation=rosthof").Items[0]
			either("the disclosure", told.State, told.Ended)
			gone := get[List[InboxEntry]](n, base+"/inbox?state="+state)
			if *gone.Total != len(said) {
				t.Errorf("the inbox: %+v", gone)
			}
			for _, e := range gone.Items {
				either(e.Kind, e.State, e.Ended)
			}
			for _, other := range []string{"recalled", "expired"} {
				if found := get[List[InboxEntry]](n, base+"/inbox?state="+other); other != state && len(found.Items) != 0 {
					t.Errorf("what is %s: %+v", other, found.Items)
				}
			}
		})
	}
}
