package web

import (
	"net/http"
	"net/url"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func tokenRoutes() []Route {
	return []Route{
		page("/o/{org}/tokens", identity.TokenManage, (*visit).tokens),
		act("/o/{org}/tokens", identity.TokenManage, (*visit).makeToken),
		act("/o/{org}/tokens/{id}/revoke", identity.TokenManage, (*visit).revokeToken),
	}
}

// tokens shows the visitor's API tokens; who oversees them sees everybody's.
func (v *visit) tokens() error {
	return v.showTokens(http.StatusOK, tokensPage{Notice: v.done()})
}

func (v *visit) showTokens(status int, p tokensPage) error {
	ctx := v.r.Context()
	all, err := v.Identity.Tokens(ctx, v.actor)
	if v.may(identity.TokenOversee) {
		p.Everybody = true
		all, err = v.Identity.AllTokens(ctx, v.actor)
	}
	if err != nil {
		return err
	}
	p.Frame, p.Action = v.frame(v.T("API tokens")), v.in("tokens")
	p.Head = ui.Head{Title: v.T("API tokens"), Lead: v.T("With a token a program acts as you, in this organisation, with the rights that you choose for it.")}
	p.Days = v.lifeChoice(tokenDays, v.T("It works for"), v.text("days"), identity.TokenLife)
	p.Verbs = ui.CheckGroup{Name: "verb", Label: v.T("What it may do"), Hint: v.T("Never more than you may do yourself at the time."), Ticked: v.r.PostForm["verb"]}
	for _, verb := range identity.TokenVerbs(v.actor) {
		p.Verbs.Options = append(p.Verbs.Options, ui.Option{Value: string(verb), Label: v.verbWords(verb)})
	}
	now := time.Now()
	for _, t := range all {
		row := tokenView{Name: t.Name, Prefix: t.Prefix(), Made: t.Created, Expires: t.Expires, Used: t.Used, Mine: t.Person.ID == v.actor.Person, Person: t.Person.Name, State: ui.Badge{Text: v.T("works"), Tone: ui.Good}}
		words := make([]string, len(t.Verbs))
		for i, verb := range t.Verbs {
			words[i] = v.verbWords(verb)
		}
		row.Verbs = v.T("%s", entente.Joined(words, "; "))
		switch {
		case !t.Revoked.IsZero():
			row.State = ui.Badge{Text: v.T("revoked")}
		case !now.Before(t.Expires):
			row.State = ui.Badge{Text: v.T("expired")}
		default:
			row.Revoke = v.in("tokens", t.ID, "revoke")
		}
		p.All = append(p.All, row)
	}
	return v.show(status, tokensView(p))
}

func (v *visit) makeToken() error {
	p := tokensPage{Name: v.text("name")}
	life, err := v.life()
	if err == nil {
		n := identity.NewToken{Name: p.Name, Life: life}
		for _, verb := range v.r.PostForm["verb"] {
			n.Verbs = append(n.Verbs, identity.Verb(verb))
		}
		var secret string
		var made identity.Token
		secret, made, err = v.Identity.CreateToken(v.r.Context(), v.actor, n)
		if err == nil {
			v.r.PostForm = url.Values{}
			return v.showTokens(http.StatusCreated, tokensPage{Secret: secret, SecretName: made.Name, SecretUntil: made.Expires})
		}
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	p.Notice = ui.Notice{Tone: ui.Bad, Text: v.T("No token was made: %s.", wrong.Message)}
	return v.showTokens(statusFor(wrong), p)
}

func (v *visit) revokeToken() error {
	err := v.Identity.RevokeToken(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.redirect(v.in("tokens") + "?done=revoked")
}

var wordsOfVerbs = map[identity.Verb]entente.Text{
	identity.ChainRead:          "Read the chain: processes, systems, suppliers, what if",
	identity.ChainEdit:          "Change the chain",
	identity.ChainImport:        "Import sheets, change many things at once",
	identity.ChainOverride:      "Put a judgement over what is computed",
	identity.InventoryRead:      "Read products, SBOMs and components",
	identity.InventoryUpload:    "Record SBOMs",
	identity.InventoryRemove:    "Withdraw SBOMs",
	identity.AdvisoryRead:       "Read advisories and whom they hit",
	identity.AdvisoryEdit:       "Record advisories, judge matches",
	identity.JournalRead:        "Read the journal",
	identity.JournalExport:      "Take the journal away as a file",
	identity.JournalVerify:      "Verify the journal",
	identity.WebhookRead:        "Read the webhooks and what was delivered",
	identity.WebhookManage:      "Register, change and remove webhooks",
	identity.PeopleRead:         "Read who belongs to the organisation",
	identity.PeopleManage:       "Change roles, remove people",
	identity.InvitationManage:   "Invite people, withdraw invitations",
	identity.OrganisationRead:   "Read the organisation's settings",
	identity.OrganisationManage: "Change the organisation's settings",
	identity.ViewSave:           "Keep views of lists",
	identity.ViewShare:          "Keep views of lists for the whole organisation",
}

// verbWords says a right in words; one that has none yet is shown as it is.
func (v *visit) verbWords(verb identity.Verb) string {
	if words, ok := wordsOfVerbs[verb]; ok {
		return v.T(words)
	}
	return string(verb)
}
