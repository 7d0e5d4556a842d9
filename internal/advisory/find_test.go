package advisory

import (
	"slices"
	"testing"

	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// A part of a summary is found, the latest change first, and what is recorded, changed
// or withdrawn later is found as it is then.
func TestAdvisoriesAreFoundByAPartOfTheirSummary(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d, "us")
		r.products("shop")
		expect := func(thorough bool, text string, want ...string) {
			t.Helper()
			list, more, err := r.s.Find(t.Context(), r.actor, text, 10, thorough)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range list {
				got = append(got, list[i].ID)
			}
			if !slices.Equal(got, want) || more {
				t.Errorf("%q: found %q (more: %v), want %q", text, got, more, want)
			}
		}
		r.ingest(
			leftPad("GHSA-aaaa-aaaa-aaaa", "2024-01-01T00:00:00Z", "1.3.0", `,"summary":"Prototype pollution in left-pad"`),
			leftPad("GHSA-bbbb-bbbb-bbbb", "2024-02-01T00:00:00Z", "1.3.0", `,"summary":"Padding oracle; no pollution"`),
		)
		expect(true, "POLLUT", "GHSA-bbbb-bbbb-bbbb", "GHSA-aaaa-aaaa-aaaa")
		expect(true, "proto poll", "GHSA-aaaa-aaaa-aaaa")
		expect(false, "pollut") // they hit nothing of ours
		r.sbom("shop", "pkg:npm/left-pad@1.2.0")
		r.catchUp()
		expect(false, "pollut", "GHSA-bbbb-bbbb-bbbb", "GHSA-aaaa-aaaa-aaaa")
		r.ingest(
			leftPad("GHSA-cccc-cccc-cccc", "2024-03-01T00:00:00Z", "0.1.0", `,"summary":"Water pollution"`),
			leftPad("GHSA-aaaa-aaaa-aaaa", "2024-04-01T00:00:00Z", "0.1.0", `,"summary":"Something else"`),
			leftPad("GHSA-bbbb-bbbb-bbbb", "2024-04-01T00:00:00Z", "0.1.0", `,"summary":"Padding oracle; no pollution","withdrawn":"2024-04-01T00:00:00Z"`),
		)
		r.catchUp()
		expect(true, "pollut", "GHSA-cccc-cccc-cccc")
		expect(true, "something", "GHSA-aaaa-aaaa-aaaa")
	})
}

// What is kept in memory stays within its bound; the one asked for last stays.
func TestTextsStayWithinTheirBound(t *testing.T) {
	var k texts
	k.put("one", &textsOf{seq: 1, bytes: mostTexts / 2})
	k.put("two", &textsOf{seq: 1, bytes: mostTexts})
	if k.known["one"] != nil || k.known["two"] == nil {
		t.Errorf("kept: %v", k.known)
	}
	k.put("two", &textsOf{seq: 3})
	k.put("two", &textsOf{seq: 2})
	if k.known["two"].seq != 3 {
		t.Error("older texts took the place of newer ones")
	}
}
