package notify

import (
	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
)

// outcomes are the sentences by which a delivery says why it failed, and a hook why it
// was stopped. Both keep them in English; pages and mails read them back to say them in
// their reader's language.
var outcomes = entente.NewSayings(
	// From the special to the general: the first that fits counts.
	"%s; somebody else must save it",
	"%s; somebody who may must save it",
	"%s set it up and does not belong to the organisation any more",
	"%s set it up and may not manage webhooks any more",
	"it was not sent: %s set the webhook up and may not see such events any more",
	"too many deliveries waited already",
	"the answer %d leads elsewhere; register the address that it leads to",
	"the answer 410 says that the receiver is gone for good",
	"the answer %d is no success",
	"the name leads to a private network or to the node itself; it was not called",
	"no answer within %d seconds",
	"the name of the address is not known",
	"the certificate of the receiver is not valid for the address",
	"the receiver refused the connection",
	"the connection failed",
	"the connection was broken off",
)

// Outcome reads how a delivery failed or why a hook was stopped, as [Delivery] and
// [Hook] tell it in English.
func Outcome(sentence string) entente.Message { return outcomes.Read(sentence) }

// factorTexts say what events of accounts call a way to sign in.
var factorTexts = map[string]entente.Text{
	"passkey": "a passkey", "password": "the password", "authenticator app": "an authenticator app", "recovery codes": "recovery codes",
}

// say says a message as somebody likes to read.
func (s *Service) say(p identity.Preferences, m entente.Message) string {
	if s.c.Say == nil {
		return m.String()
	}
	return s.c.Say(p, m)
}
