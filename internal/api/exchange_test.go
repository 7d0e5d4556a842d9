package api

import (
	"net/url"
	"slices"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// What pages tell of a partnership, programs can read; each side reads its own.
func TestPartnershipsOverTheAPI(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	other := as(n.tokens["rosthof/owner"])
	mine, theirs := get[List[Partnership]](n, base+"/partners"), get[List[Partnership]](n, base+"/partners", other)
	if len(mine.Items) != 1 || len(theirs.Items) != 1 {
		t.Fatalf("%+v and %+v", mine, theirs)
	}
	p := mine.Items[0]
	if p.Name != "rosthof" || p.Organisation != "rosthof" || !p.Supplies || !p.Buys || p.State != "active" || len(p.Words) != 10 || p.Compared != nil || len(p.Contacts) != 1 {
		t.Errorf("the partnership: %+v", p)
	}
	key := get[OwnKey](n, base+"/key", other)
	if key.Party != p.Party || len(key.Words) != 10 || key.Words[0] != p.Words[0] || key.Words[9] != p.Words[9] {
		t.Errorf("the key of rosthof is %+v, and beanline knows %v", key, p.Words)
	}
	if got := get[Partnership](n, base+"/partners/"+p.Party); got.Party != p.Party {
		t.Errorf("one partnership: %+v", got)
	}
	n.problem(n.ask("GET", base+"/partners/"+p.Party, nil, other), 404, "no such partner")
	if v := get[List[AgreementVersion]](n, base+"/partners/"+p.Party+"/agreements").Items; len(v) != 1 || v[0].State != "signed" || v[0].Number != 1 || len(v[0].Agreement) == 0 {
		t.Errorf("the versions: %+v", v)
	}
	// Whom a partner named is told where somebody looks whom to call.
	must(t, n.rooms.Exchange.SetKnownAs(t.Context(), entente.System("beanline", entente.DoorCommand), entente.PartyID(p.Party), "ladewerk"))
	for path, calls := range map[string][]WhomToCall{
		"/what-if": get[WhatIf](n, base+"/what-if?horizon=520w&down=ladewerk").Call, "/impact": get[Impact](n, base+"/advisories/GHSA-57j2-w4cx-62h2/impact?calls=100").Call,
	} {
		i := slices.IndexFunc(calls, func(c WhomToCall) bool { return c.Organisation == "ladewerk" })
		if i < 0 || len(calls[i].Told) != 1 || calls[i].Told[0].Name != p.Contacts[0].Name {
			t.Errorf("%s: whom to call: %+v", path, calls)
		}
	}
	if i := get[List[PartnerInvitation]](n, base+"/partner-invitations").Items; len(i) != 1 || i[0].State != "accepted" || i[0].Party != p.Party {
		t.Errorf("the invitations: %+v", i)
	}
	if w := n.ask("POST", base+"/partners/"+p.Party+"/ask", nil); w.Code != 200 {
		t.Errorf("asked: %d %s", w.Code, w.Body)
	}
	if c := get[List[Contradiction]](n, base+"/partners/"+p.Party+"/contradictions").Items; len(c) != 0 {
		t.Errorf("contradictions: %+v", c)
	}
}

// An embargo is proposed to those who got something, and listed with how each answered.
func TestEmbargoesOverTheAPI(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	other := as(n.tokens["rosthof/owner"])
	partner := get[List[Partnership]](n, base+"/partners").Items[0].Party
	said := answerAs[Said](t, n.tell(base+"/statements", map[string]any{"kind": "practice", "title": "Backups", "text": "Restore one.", "label": "TLP:AMBER", "everyone": true}))
	at, until := base+"/ledger/"+said.ID, time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	ask := func(to ...string) map[string]any {
		return map[string]any{"to": to, "until": until, "reason": "until the fix is out"}
	}
	for name, wrong := range map[string]map[string]any{
		"nobody": ask(), "somebody else": ask(partner, "ent1nobody"), "without an end": {"to": []string{partner}}, "in the past": {"to": []string{partner}, "until": until.AddDate(-1, 0, 0)},
	} {
		if w := n.tell(at+"/embargo", wrong); w.Code != 422 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := n.tell(at+"/embargo", ask(partner), as(n.tokens["beanline/auditor"])); w.Code != 403 {
		t.Errorf("as an auditor: %d %s", w.Code, w.Body)
	}
	asked := answerAs[List[Embargo]](t, n.tell(at+"/embargo", ask(partner))).Items
	if len(asked) != 1 || asked[0].Party != partner || asked[0].State != "proposed" || asked[0].Answer || !asked[0].Proposed.Equal(until) || asked[0].Steps[0].Reason != "until the fix is out" {
		t.Fatalf("asked: %+v", asked)
	}
	n.problem(n.tell(at+"/embargo", ask(partner)), 409, "nobody was asked, because rosthof cannot be")
	n.exchange()
	theirs := get[List[Embargo]](n, base+"/embargoes?subject="+url.QueryEscape(asked[0].Subject), other).Items
	if len(theirs) != 1 || !theirs[0].Answer {
		t.Fatalf("rosthof is asked: %+v", theirs)
	}
	answerAs[Embargo](t, n.tell(base+"/partners/"+theirs[0].Party+"/embargo", map[string]any{"subject": theirs[0].Subject, "act": "accept"}, other))
	n.exchange()
	if e := get[List[Embargo]](n, base+"/embargoes?subject="+url.QueryEscape(asked[0].Subject)).Items; len(e) != 1 || e[0].State != "running" || !e[0].Until.Equal(until) {
		t.Errorf("accepted: %+v", e)
	}
	if e := get[List[Embargo]](n, base+"/embargoes?subject=practice%2Fanother").Items; len(e) != 0 {
		t.Errorf("about something else: %+v", e)
	}
}
