package notify

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// alertTexts are what is written to a person whom an event of security concerns: the
// subject of the mail, and its first sentence.
var alertTexts = map[journal.Kind]struct{ subject, text entente.Text }{
	identity.EventFactorAdded:     {"A new way to sign in was added to your account", "A new way to sign in was added to your account on %s."},
	identity.EventFactorRemoved:   {"A way to sign in was removed from your account", "A way to sign in was removed from your account on %s."},
	identity.EventFactorSuspect:   {"A passkey of yours may have been copied", "A passkey of yours was used on %s in a way that tells of a copy. It was not accepted."},
	identity.EventPasswordChanged: {"Your password was changed", "The password of your account was changed on %s."},
	EventStopped:                  {"A webhook was stopped", "A webhook was stopped on %s, because it failed for days or may not be told any more."},
}

func kindsAlerted() []journal.Kind { return slices.Sorted(maps.Keys(alertTexts)) }

// alertLife is how old an event may be of which somebody is still told: a mail server
// that is set up later does not tell the past.
const alertLife = 24 * time.Hour

// jobAlert finds out whom to write to, which needs more than the transaction of an event.
const jobAlert = "notify.alert"

type alerted struct {
	Seq int64 `json:"seq"`
}

// alert has those written to whom an event of security concerns.
func (s *Service) alert(ctx context.Context, tx *db.Tx, e journal.Event) error {
	if s.now().Sub(e.At) > alertLife {
		return nil
	}
	_, err := journal.Schedule(ctx, tx, e.Org, jobAlert, s.now(), alerted{Seq: e.Seq})
	return err
}

// sendAlert queues the mail of one event.
func (s *Service) sendAlert(ctx context.Context, job *journal.Job) error {
	var a alerted
	if err := job.Decode(&a); err != nil {
		return err
	}
	var events []journal.Event
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		events, err = journal.Events(ctx, tx, job.Org, a.Seq-1, 1)
		return err
	})
	if err != nil || len(events) == 0 {
		return err
	}
	e := events[0]
	to, err := s.concerned(ctx, e)
	if err != nil || len(to) == 0 {
		return err
	}
	letters := make([]Mail, len(to))
	for i, address := range to {
		likes, err := s.identity.PreferencesOf(ctx, address)
		if err != nil {
			return err
		}
		letters[i] = s.alertOf(e, likes)
		letters[i].To = address
	}
	return job.Finish(ctx, func(tx *db.Tx) error {
		for _, m := range letters {
			if err := s.queue(ctx, tx, job.Org, m, 0, s.now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// concerned gives the addresses of those whom an event concerns: the owners of the
// organisation for its webhooks, else the person. Who belongs to several
// organisations, each of which holds the event, hears of it from the first.
func (s *Service) concerned(ctx context.Context, e journal.Event) ([]string, error) {
	if e.Kind != EventStopped {
		person, orgs, err := s.identity.Belongs(ctx, entente.PersonID(e.Subject))
		if err != nil || len(orgs) == 0 || orgs[0] != e.Org {
			return nil, err
		}
		return []string{person.Email}, nil
	}
	members, err := s.identity.Members(ctx, entente.System(e.Org, entente.DoorWorker))
	var to []string
	for _, m := range members {
		if m.Role == entente.RoleOwner {
			to = append(to, m.Person.Email)
		}
	}
	return to, err
}

// alertOf writes the message to somebody, in their language.
func (s *Service) alertOf(e journal.Event, likes identity.Preferences) Mail {
	var about struct {
		Factor, Name, By, Why string
	}
	_ = e.Decode(&about) // what the event does not say is left out
	texts := alertTexts[e.Kind]
	lines := []entente.Message{entente.Say(texts.text, e.At.UTC())}
	factor, known := factorTexts[about.Factor]
	switch {
	case known && about.Name != "":
		lines = append(lines, entente.Say("It is: %s, called %s.", factor, about.Name))
	case known:
		lines = append(lines, entente.Say("It is: %s.", factor))
	case about.Name != "":
		lines = append(lines, entente.Say("It is: %s.", about.Name))
	}
	if about.By != "" {
		lines = append(lines, entente.Say("It was done by: %s.", about.By))
	}
	if e.Kind == EventStopped {
		lines = append(lines, entente.Say("The reason: %s.", Outcome(about.Why)),
			entente.Say("Nothing more is sent to it until somebody lets it go on: %s", s.c.Origin+"/o/"+string(e.Org)+"/webhooks/"+e.Subject))
	} else {
		lines = append(lines, entente.Say("If that was you, there is nothing to do. If not, sign in, end all sessions and change your password, and tell an owner of your organisation: %s", s.c.Origin))
	}
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(s.say(likes, line) + "\n\n")
	}
	return Mail{Subject: "Entente: " + s.say(likes, entente.Say(texts.subject)), Text: text.String()}
}
