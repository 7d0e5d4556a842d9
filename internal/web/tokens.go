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
		choosing(act("/o/{org}/tokens/chosen", identity.TokenManage, (*visit).askRevokeTokens)),
		choosing(act("/o/{org}/tokens/revoke", identity.TokenManage, (*visit).revokeTokens)),
		page("/o/{org}/tokens/{id}/revoke", identity.TokenManage, (*visit).askRevokeToken),
		act("/o/{org}/tokens/{id}/revoke", identity.TokenManage, (*visit).revokeToken),
	}
}

// tokens shows the visitor's API tokens; who oversees them sees everybody's.
func (v *visit) tokens() error {
	return v.showTokens(http.StatusOK, tokensPage{Notice: v.done()})
}

func (v *visit) showTokens(status int, p tokensPage) error {
	all, err := v.tokensInSight()
	if err != nil {
		return err
	}
	p.Everybody, p.Choose = v.may(identity.TokenOversee), v.in("tokens", "chosen")
	p.Frame, p.Action = v.frame(v.T("API tokens")), v.in("tokens")
	p.Head = ui.Head{Title: v.T("API tokens"), Lead: v.T("With a token a program acts as you, in this organisation, with the rights that you choose for it.")}
	p.Days = v.lifeChoice(tokenDays, v.T("It works for"), v.text("days"), identity.TokenLife)
	p.Verbs = ui.CheckGroup{Name: "verb", Label: v.T("What it may do"), Hint: v.T("Never more than you may do yourself at the time."), Ticked: v.r.PostForm["verb"]}
	for _, verb := range identity.TokenVerbs(v.actor) {
		p.Verbs.Options = append(p.Verbs.Options, ui.Option{Value: string(verb), Label: v.verbWords(verb)})
	}
	now := time.Now()
	for _, t := range all {
		row := tokenView{ID: t.ID, Name: t.Name, Prefix: t.Prefix(), Made: t.Created, Expires: t.Expires, Used: t.Used, Mine: t.Person.ID == v.actor.Person, Person: t.Person.Name, State: ui.Badge{Text: v.T("works"), Tone: ui.Good}}
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
			p.Working++
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

// tokensInSight are the visitor's own API tokens, or everybody's.
func (v *visit) tokensInSight() ([]identity.Token, error) {
	if v.may(identity.TokenOversee) {
		return v.Identity.AllTokens(v.r.Context(), v.actor)
	}
	return v.Identity.Tokens(v.r.Context(), v.actor)
}

// askRevokeTokens shows which of the chosen API tokens would be revoked, and asks.
func (v *visit) askRevokeTokens() error {
	err := v.r.ParseForm()
	if err != nil {
		return unreadable(err)
	}
	ask := bulkAsk{ids: v.r.PostForm["token"], one: oneToken, many: manyTokens, back: v.in("tokens")}
	if len(ask.ids) == 0 {
		return v.showTokens(http.StatusUnprocessableEntity, tokensPage{Notice: ui.Notice{Tone: ui.Bad, Text: v.T("Nothing is ticked. Tick the tokens that are to be revoked.")}})
	}
	a := revokeAct()
	return v.askBulk(http.StatusOK, &a, ask, ui.Notice{})
}

const (
	oneToken   entente.Text = "API token"
	manyTokens entente.Text = "API tokens"
)

func revokeAct() bulkAct {
	return bulkAct{
		key: "revoke", label: "Revoke", title: "Revoke %s", now: "Of whom", grave: true,
		warn:   "Nothing was changed yet. Programs that use these tokens are refused at once, and that cannot be undone.",
		action: func(v *visit) string { return v.in("tokens", "revoke") },
		plan:   (*visit).planRevoking,
	}
}

func (v *visit) planRevoking(ids []string) (bulkPlan, error) {
	all, err := v.tokensInSight()
	if err != nil {
		return bulkPlan{}, err
	}
	known := map[string]identity.Token{}
	for _, t := range all {
		known[t.ID] = t
	}
	var plan bulkPlan
	for _, id := range ids {
		t, ok := known[id]
		row := bulkRow{id: id, name: ui.Link{Text: t.Name}, now: t.Person.Name}
		switch {
		case !ok:
			row.name.Text, row.why = id, entente.NotFound("there is no such API token; it may have been revoked already")
		case !t.Revoked.IsZero():
			row.why = entente.Conflict("it is revoked already")
		}
		plan.rows = append(plan.rows, row)
	}
	return plan, nil
}

// revokeTokens revokes the API tokens that were chosen and confirmed.
func (v *visit) revokeTokens() error {
	ask := v.confirmed()
	ask.one, ask.many = oneToken, manyTokens
	err := v.Identity.RevokeTokens(v.r.Context(), v.actor, ask.ids)
	if err != nil {
		a := revokeAct()
		return v.refusedBulk(&a, ask, err)
	}
	return v.redirect(v.in("tokens") + "?done=tokens-revoked")
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
	identity.PartnerRead:        "Read the partners and the agreements with them",
	identity.PartnerManage:      "Invite partners, sign and end agreements, change keys",
	identity.ExchangeRead:       "Read what partners were told and what they said",
	identity.ExchangeShare:      "Tell partners something, take it back, answer",
	identity.ExchangeExport:     "Take the ledger of the exchange away as a file",
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
