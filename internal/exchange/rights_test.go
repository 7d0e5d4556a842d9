package exchange

import (
	"reflect"
	"testing"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
)

// rights says for what right each method asks that takes an actor.
var rights = map[identity.Verb][]string{
	identity.PartnerRead: {"Partner", "Partners", "Reachable", "Versions", "Invitations", "Self", "Holding", "Moved"},
	identity.PartnerManage: {"Invite", "Withdraw", "Look", "Accept", "Compared", "SetKnownAs", "SetContacts", "End", "Propose", "Sign", "Refuse", "Release", "Regain", "RegainAll",
		"Rotate", "MoveOut", "MoveIn", "Stay"},
	identity.ExchangeRead: {"Inbox", "InboxPage", "Waits", "Entry", "EntryIn", "SaidTo", "Seen", "Blob", "Concerns", "Thread", "Statements", "Statement",
		"Ledger", "Unconfirmed", "Contradictions", "Embargoes", "EmbargoOf"},
	identity.ExchangeShare: {"Say", "Preview", "Findings", "PutBlob", "PassOn", "Passable", "AnswerTo", "Acknowledge", "Settle", "Recall", "Narrow", "Embargo", "ProposeEmbargo",
		"Fetch", "ExportFile", "ImportFile"},
	identity.ExchangeExport: {"Record"},
	identity.JournalVerify:  {"VerifyFeeds"},
}

// Every method that takes an actor asks for its right before it looks at anything else:
// for every role, and for tokens with and without that right.
func TestRights(t *testing.T) {
	here := newHouse(t, dbtest.SQLite(t)).host("Beanline")
	verbs := map[string]identity.Verb{}
	for verb, names := range rights {
		for _, name := range names {
			verbs[name] = verb
		}
	}
	service, actorType := reflect.ValueOf(here.Service), reflect.TypeFor[entente.Actor]()
	for i := range service.NumMethod() {
		name, method := service.Type().Method(i).Name, service.Method(i)
		var in []reflect.Value
		at := -1
		for n := range method.Type().NumIn() {
			if method.Type().In(n) == actorType {
				at = n
			}
			in = append(in, reflect.Zero(method.Type().In(n)))
		}
		if at < 0 {
			continue
		}
		verb, listed := verbs[name]
		if !listed {
			t.Errorf("%s takes an actor, and nothing here says for what right it asks", name)
			continue
		}
		delete(verbs, name)
		if method.Type().IsVariadic() {
			in = in[:len(in)-1]
		}
		in[0] = reflect.ValueOf(t.Context())
		for _, role := range append(entente.Roles(), entente.RoleSystem, "") {
			// Who answers or acknowledges an entry reads it, too.
			for _, allowed := range [][]string{nil, {string(verb), string(identity.ExchangeRead)}, {string(identity.ExchangeRead)}, {}} {
				actor := entente.Actor{Org: here.org, Person: here.owner.Person, Name: "Somebody", Role: role, Door: entente.DoorPage, Verbs: allowed}
				if role == entente.RoleSystem {
					actor.Person = ""
				}
				in[at] = reflect.ValueOf(actor)
				want, _ := identity.Can(actor, verb, identity.In(here.org))
				if got := goesOn(method, in); got != want {
					t.Errorf("%s as %q with %v: goes on %v, the table of rights says %v", name, role, allowed, got, want)
				}
			}
		}
	}
	for name := range verbs {
		t.Errorf("there is no method %s any more", name)
	}
}

// goesOn says whether a call with nothing in it gets beyond the question for the right.
func goesOn(method reflect.Value, in []reflect.Value) (on bool) {
	defer func() {
		if recover() != nil {
			on = true // what it was called with is missing
		}
	}()
	out := method.Call(in)
	err, _ := out[len(out)-1].Interface().(error)
	return entente.KindOf(err) != entente.KindDenied
}
