package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func keyRoutes() []Route {
	return []Route{
		page("/o/{org}/key", identity.PartnerRead, (*visit).key),
		act("/o/{org}/key", identity.PartnerManage, (*visit).changeKey),
	}
}

// key shows the organisation's own key and those before it.
func (v *visit) key() error { return v.showKey(http.StatusOK, v.done()) }

func (v *visit) showKey(status int, notice ui.Notice) error {
	self, err := v.Exchange.Self(v.r.Context(), v.actor)
	if errors.Is(err, exchange.ErrNoKey) {
		title := v.T("Key")
		return v.show(status, keyView(keyPage{Frame: v.frame(title), Head: ui.Head{Title: title}, Notice: notice, NoKey: v.sentence(exchange.ErrNoKey)}))
	}
	if err != nil {
		return err
	}
	current := self.Ring.Current()
	p := keyPage{
		Frame: v.frame(v.T("Key")), Notice: notice, Words: self.Fingerprint(),
		Head: ui.Head{Title: v.T("Key"), Lead: v.T("What %s says to partners is signed with this key. Its words are what your partners' people compare with yours.", v.org.Name)},
		Defs: []ui.Def{
			{Term: v.T("In force since"), View: ui.Time(current.From)}, {Term: v.T("Key"), View: code(string(current.Public.ID()))},
			{Term: v.T("Name among all nodes"), View: code(string(self.Party()))}, {Term: v.T("Node"), View: code(self.Document.Address)},
		},
	}
	for _, k := range slices.Backward(self.Ring.Keys) {
		p.History = append(p.History, v.keyRow(k))
	}
	if v.may(identity.PartnerManage) {
		p.Action = v.in("key")
		p.Head.Actions = []ui.Link{{Text: v.T("Move to a node of your own"), Href: v.in("move")}}
		partners, err := v.Exchange.Partners(v.r.Context(), v.actor)
		if err != nil {
			return err
		}
		told := len(slices.DeleteFunc(partners, func(o exchange.Partner) bool { return o.State != exchange.Active }))
		p.Told = v.N(told, "%d partner is told at once, and trusts the new key because the old one vouches for it.", "%d partners are told at once, and trust the new key because the old one vouches for it.", told)
	}
	return v.show(status, keyView(p))
}

func (v *visit) keyRow(k entente.Key) ui.Row {
	state := ui.Badge{Text: v.T("in force"), Tone: ui.Good}
	switch {
	case !k.Revoked.IsZero():
		state = ui.Badge{Text: v.T("revoked"), Tone: ui.Bad}
	case !k.Until.IsZero():
		state = ui.Badge{Text: v.T("replaced")}
	}
	until := ui.Cell{}
	if !k.Until.IsZero() {
		until = momentCell(v, k.Until)
	}
	return ui.Row{Cells: []ui.Cell{codeCell(string(k.Public.ID())), badgeCell(state), {Text: strings.Join(k.Public.Fingerprint(), " "), Same: true}, momentCell(v, k.From), until}}
}

// keyColumns are those of [visit.keyRow].
var keyColumns = []ui.Column{{Label: "Key"}, {Label: "State"}, {Label: "Its words", Wide: true}, {Label: "From", Tight: true}, {Label: "Until", Tight: true}}

// changeKey puts a new key in the place of the old one, which is revoked with it if
// somebody else may have it.
func (v *visit) changeKey() error {
	reason, stolen := v.text("reason"), v.text("stolen") != ""
	var err error
	if stolen && reason == "" {
		err = entente.Invalid("say what happened: your partners are told, and must decide what they still believe")
	} else {
		err = v.Exchange.Rotate(v.r.Context(), v.actor, reason, stolen)
	}
	if err == nil {
		return v.redirect(v.in("key") + "?done=key-changed")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showKey(statusFor(wrong), v.wrongNotice(wrong))
}
