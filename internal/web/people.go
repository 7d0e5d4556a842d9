package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/notify"
	"github.com/entente-project/entente/internal/web/ui"
)

func peopleRoutes() []Route {
	return []Route{
		page("/o/{org}/people", identity.PeopleRead, (*visit).people),
		choosing(act("/o/{org}/people", identity.PeopleRead, (*visit).people)),
		page("/o/{org}/people/{id}", identity.PeopleRead, (*visit).member),
		act("/o/{org}/people/{id}/role", identity.PeopleManage, (*visit).setRole),
		page("/o/{org}/people/{id}/remove", identity.PeopleManage, (*visit).askRemoveMember),
		act("/o/{org}/people/{id}/remove", identity.PeopleManage, (*visit).removeMember),
		page("/o/{org}/invitations", identity.InvitationManage, (*visit).invitations),
		act("/o/{org}/invitations", identity.InvitationManage, (*visit).invite),
		page("/o/{org}/invitations/{id}/withdraw", identity.InvitationManage, (*visit).askWithdrawInvitation),
		act("/o/{org}/invitations/{id}/withdraw", identity.InvitationManage, (*visit).withdrawInvitation),
		page("/invitation", "", (*visit).invitation).through(Open),
		act("/invitation", "", (*visit).acceptInvitation).through(Open),
	}
}

// peopleNotices are what [visit.done] tells after acts on people and access.
var peopleNotices = map[string]told{
	"role":             {ui.Good, "The role was changed. It applies at once."},
	"removed":          {ui.Good, "The person was removed, and their API tokens for this organisation were revoked."},
	"withdrawn":        {ui.Good, "The invitation was withdrawn. Its link opens nothing any more."},
	"revoked":          {ui.Good, "The token was revoked. Programs that use it are refused from now on."},
	"tokens-revoked":   {ui.Good, "The tokens were revoked. Programs that use them are refused from now on."},
	"renamed":          {ui.Good, "The organisation has its new name."},
	"app-removed":      {ui.Good, "The authenticator app and its recovery codes were removed. Your password alone opens your account now."},
	"passkey":          {ui.Good, "The passkey was added. From now on you can sign in with it."},
	"passkey-named":    {ui.Good, "The passkey has its new name."},
	"passkey-removed":  {ui.Good, "The passkey was removed. Nobody can sign in with it any more."},
	"password-removed": {ui.Good, "The password was removed. You sign in by passkey from now on."},
	"sso":              {ui.Good, "Single sign-on is set up. The provider answered."},
	"sso-removed":      {ui.Good, "Single sign-on was removed, and the sessions that it opened have ended."},
	"new-password":     {ui.Good, "The new password is set. Sign in with it."},
	"webhook-changed":  {ui.Good, "The webhook was saved."},
	"webhook-paused":   {ui.Calm, "The webhook pauses. What happens meanwhile is not told."},
	"webhook-resumed":  {ui.Good, "The webhook goes on."},
	"webhook-tested":   {ui.Good, "A test is on its way. What was delivered shows how it went."},
	"webhook-replayed": {ui.Good, "What was given up is delivered again."},
	"webhook-nothing":  {ui.Calm, "Nothing was given up since that day."},
	"webhook-again":    {ui.Good, "The message is delivered again."},
	"webhook-removed":  {ui.Good, "The webhook was removed."},
	"joined":           {ui.Good, "Welcome. You are a member now."},
}

// people lists the members of the organisation.
func (v *visit) people() error {
	members, err := v.Identity.Members(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	processes, err := v.processNames()
	if err != nil {
		return err
	}
	l := list[identity.Member]{
		id: func(m identity.Member) string { return string(m.Person.ID) }, acts: v.roleActs(),
		name: "people", one: "person", many: "people", search: "Search by name or e-mail address", sort: "name",
		empty: ui.Empty{Title: v.T("Nobody belongs to this organisation")},
		text:  func(m identity.Member) []string { return []string{m.Person.Name, m.Person.Email} },
		columns: []column[identity.Member]{
			{key: "name", label: "Name", order: byText(func(m identity.Member) string { return m.Person.Name }), cell: func(m identity.Member) ui.Cell {
				return ui.Cell{Text: m.Person.Name, Href: v.in("people", string(m.Person.ID)), Note: m.Person.Email}
			}},
			{key: "role", label: "Role", order: by(func(m identity.Member) int { return slices.Index(entente.Roles(), m.Role) }), cell: func(m identity.Member) ui.Cell {
				return plainCell(v.roleHead(m.Role))
			}},
			{label: "Limited to", cell: func(m identity.Member) ui.Cell { return plainCell(v.scopeWords(m.Role, m.Scope, processes)) }},
			{key: "since", label: "Member since", tight: true, order: by(func(m identity.Member) int64 { return m.Since.Unix() }), cell: func(m identity.Member) ui.Cell {
				return dateCell(v, m.Since)
			}},
		},
		filters: []filter[identity.Member]{{
			key: "role", label: "Role", options: v.roleOptions(members),
			match: func(m identity.Member, value string) bool { return string(m.Role) == value },
		}},
	}
	head := ui.Head{Title: v.T("People"), Lead: v.T("Who belongs to the organisation, and what each of them may do in it.")}
	if v.may(identity.InvitationManage) {
		head.Main = ui.Link{Text: v.T("Invite a colleague"), Href: v.in("invitations")}
	}
	return l.show(v, held[identity.Member]{l, members}, func(shown ui.List) templ.Component {
		return peopleView(peoplePage{Frame: v.frame(head.Title), Head: head, List: shown, Roles: v.roleMeanings()})
	})
}

// roleOptions are the roles that somebody has, to filter by.
func (v *visit) roleOptions(members []identity.Member) []ui.Option {
	options := []ui.Option{{Label: v.T("All")}}
	for _, r := range entente.Roles() {
		if slices.ContainsFunc(members, func(m identity.Member) bool { return m.Role == r }) {
			options = append(options, ui.Option{Value: string(r), Label: v.roleHead(r)})
		}
	}
	return options
}

// processNames gives the names of the organisation's processes by their ids.
func (v *visit) processNames() (map[string]string, error) {
	if !v.may(identity.ChainRead) {
		return nil, nil
	}
	g, err := v.Chain.Graph(v.r.Context(), v.actor)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, p := range g.Map().Processes {
		names[string(p.ID)] = p.Name
	}
	return names, nil
}

// scopeWords says what a role is limited to; "" for a role without such a limit.
func (v *visit) scopeWords(role entente.Role, scope []string, names map[string]string) string {
	switch {
	case role != entente.RoleBusinessOwner && role != entente.RoleContact:
		return ""
	case len(scope) == 0:
		return v.T("nothing yet")
	}
	words := make([]string, len(scope))
	for i, id := range scope {
		words[i] = id
		if names[id] != "" {
			words[i] = names[id]
		}
	}
	return v.reader().AndMore(words, 4)
}

func (v *visit) roleMeanings() []ui.Def {
	var defs []ui.Def
	for _, r := range entente.Roles() {
		defs = append(defs, ui.Def{Term: v.roleHead(r), Text: v.T(meaningOfRole[r])})
	}
	return defs
}

// roleForm makes the fields in which a role and its scope are chosen. A contact is a
// guest of one partnership, so nobody becomes one here.
func (v *visit) roleForm(role entente.Role, scope []string, wrong string) (roleForm, error) {
	f := roleForm{
		Role:  ui.Choice{Name: "role", Label: v.T("Role"), Value: string(role)},
		Scope: ui.CheckGroup{Name: "scope", Label: v.T("Processes that the business owner may change"), Class: "scope", Ticked: scope},
		Wrong: wrong, Meanings: v.roleMeanings(),
	}
	for _, r := range entente.Roles() {
		if r != entente.RoleContact || role == r {
			f.Role.Options = append(f.Role.Options, ui.Option{Value: string(r), Label: v.roleHead(r)})
		}
	}
	names, err := v.processNames()
	if err != nil {
		return f, err
	}
	for id, name := range names {
		f.Scope.Options = append(f.Scope.Options, ui.Option{Value: id, Label: name})
	}
	slices.SortFunc(f.Scope.Options, func(a, b ui.Option) int { return strings.Compare(a.Label+a.Value, b.Label+b.Value) })
	if len(f.Scope.Options) == 0 {
		f.Scope.Hint = v.T("The chain has no process yet. Assign some once it has.")
	}
	return f, nil
}

// chosenRole reads the fields of [visit.roleForm]. Ticks in a scope that the role does not
// have are left from another choice and mean nothing; ids that are no process of the
// chain are refused.
func (v *visit) chosenRole(before []string) (entente.Role, []string, error) {
	role := entente.Role(v.text("role"))
	switch role {
	case entente.RoleContact:
		return role, before, nil
	case entente.RoleBusinessOwner:
	default:
		return role, nil, nil
	}
	names, err := v.processNames()
	if err != nil {
		return role, nil, err
	}
	scope := v.r.PostForm["scope"]
	for _, id := range scope {
		if names[id] == "" {
			return role, nil, entente.Invalid("there is no process %.60q in the chain any more; choose among those that are listed", id)
		}
	}
	return role, scope, nil
}

// member shows one person of the organisation.
func (v *visit) member() error {
	return v.showMember(http.StatusOK, "", "", nil)
}

func (v *visit) showMember(status int, wrong string, role entente.Role, scope []string) error {
	m, err := v.Identity.Member(v.r.Context(), v.actor, entente.PersonID(v.r.PathValue("id")))
	if err != nil {
		return err
	}
	names, err := v.processNames()
	if err != nil {
		return err
	}
	p := memberPage{
		Frame: v.frame(m.Person.Name), Notice: v.done(),
		Head: ui.Head{Crumbs: []ui.Link{{Text: v.T("People"), Href: v.in("people")}}, Title: m.Person.Name, Badges: []ui.Badge{{Text: v.role(m.Role)}}},
		Defs: []ui.Def{
			{Term: v.T("E-mail address"), Text: m.Person.Email}, {Term: v.T("Role"), Text: v.T("%s: %s", roleHeads[m.Role], meaningOfRole[m.Role])},
			{Term: v.T("Limited to"), Text: v.scopeWords(m.Role, m.Scope, names)}, {Term: v.T("Member since"), View: ui.Date(m.Since)},
		},
		Self: m.Person.ID == v.actor.Person,
	}
	if wrong != "" {
		p.Notice = ui.Notice{Tone: ui.Bad, Text: wrong}
	} else {
		role, scope = m.Role, m.Scope
		p.Notice, err = v.undoRole(p.Notice, m.Person.ID)
		if err != nil {
			return err
		}
	}
	if v.may(identity.PeopleManage) {
		p.Name, p.RoleAction, p.RemoveAction = m.Person.Name, v.in("people", string(m.Person.ID), "role"), v.in("people", string(m.Person.ID), "remove")
		p.Form, err = v.roleForm(role, scope, "")
		if err != nil {
			return err
		}
	}
	return v.show(status, memberView(p))
}

func (v *visit) setRole() error {
	id := entente.PersonID(v.r.PathValue("id"))
	m, err := v.Identity.Member(v.r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	role, scope, err := v.chosenRole(m.Scope)
	if err == nil {
		err = v.Identity.SetRole(v.r.Context(), v.actor, id, role, scope)
	}
	if err == nil {
		if id == v.actor.Person && role != v.actor.Role {
			return v.redirect(v.in("account")) // the page may not be theirs any more
		}
		return v.redirect(v.in("people", string(id)) + "?done=role")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showMember(statusFor(wrong), v.T("The role was not changed: %s.", wrong.Message), role, v.r.PostForm["scope"])
}

func (v *visit) removeMember() error {
	id := entente.PersonID(v.r.PathValue("id"))
	err := v.Identity.RemoveMember(v.r.Context(), v.actor, id)
	var wrong *entente.Error
	switch {
	case err == nil && id == v.actor.Person:
		return v.redirect("/")
	case err == nil:
		return v.redirect(v.in("people") + "?done=removed")
	case !asInvalid(err, &wrong):
		return err
	}
	m, failed := v.Identity.Member(v.r.Context(), v.actor, id)
	if failed != nil {
		return failed
	}
	return v.showMember(statusFor(wrong), v.T("The person was not removed: %s.", wrong.Message), m.Role, m.Scope)
}

func statusFor(e *entente.Error) int {
	status, _ := statusOf(e.Kind)
	return status
}

// Days for which invitations and API tokens can be made to live.
var (
	invitationDays = []int{1, 3, 7, 14, 30}
	tokenDays      = []int{7, 30, 90, 180, 365}
)

const day = 24 * time.Hour

func (v *visit) lifeChoice(days []int, label, chosen string, standard time.Duration) ui.Choice {
	c := ui.Choice{Name: "days", Label: label, Value: chosen}
	if chosen == "" {
		c.Value = strconv.Itoa(int(standard / day))
	}
	for _, d := range days {
		c.Options = append(c.Options, ui.Option{Value: strconv.Itoa(d), Label: v.N(d, "%d day", "%d days")})
	}
	return c
}

// life reads the choice of [lifeChoice].
func (v *visit) life() (time.Duration, error) {
	n, err := strconv.Atoi(v.text("days"))
	if err != nil || n < 1 || n > 1000 {
		return 0, entente.Invalid("choose for how many days it is to last")
	}
	return time.Duration(n) * day, nil
}

// invitations shows the form that invites, and the invitations so far.
func (v *visit) invitations() error {
	asked := v.r.URL.Query() // a link of a contact brings who it is
	return v.showInvitations(http.StatusOK, invitationsPage{Notice: v.done(), Email: firstRunes(asked.Get("email"), 254), Name: firstRunes(asked.Get("name"), 120)}, entente.RoleAnalyst)
}

func (v *visit) showInvitations(status int, p invitationsPage, role entente.Role) error {
	all, err := v.Identity.Invitations(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	names, err := v.processNames()
	if err != nil {
		return err
	}
	p.Form, err = v.roleForm(role, v.r.PostForm["scope"], "")
	if err != nil {
		return err
	}
	p.Frame, p.Action, p.CanMail = v.frame(v.T("Invitations")), v.in("invitations"), v.Notify.CanMail()
	p.Head = ui.Head{
		Crumbs: []ui.Link{{Text: v.T("People"), Href: v.in("people")}}, Title: v.T("Invitations"),
		Lead: v.T("You get a link and give it to your colleague, in whatever way you trust. It works once."),
	}
	p.Days = v.lifeChoice(invitationDays, v.T("The link works for"), v.text("days"), identity.InvitationLife)
	now := time.Now()
	for _, i := range all {
		row := invitationView{
			Email: i.Email, Role: v.roleHead(i.Role), Scope: v.scopeWords(i.Role, i.Scope, names), By: i.InvitedBy, Made: i.Created, State: ui.Badge{Text: v.T("open"), Tone: ui.Accent},
		}
		switch {
		case i.Outcome != identity.InvitationOpen:
			row.State, row.Ended = ui.Badge{Text: v.T("withdrawn")}, entente.Say("Withdrawn %s", ui.Time(i.OutcomeAt))
			if i.Outcome == identity.InvitationAccepted {
				row.State, row.Ended = ui.Badge{Text: v.T("accepted"), Tone: ui.Good}, entente.Say("Accepted %s", ui.Time(i.OutcomeAt))
			}
		case !now.Before(i.Expires):
			row.State, row.Ended = ui.Badge{Text: v.T("expired")}, entente.Say("Expired %s", ui.Time(i.Expires))
		default:
			row.Ended, row.Withdraw = entente.Say("Works until %s", ui.Time(i.Expires)), v.in("invitations", i.ID, "withdraw")
		}
		p.All = append(p.All, row)
	}
	return v.show(status, invitationsView(p))
}

// invite makes an invitation and shows its link, this once.
func (v *visit) invite() error {
	p := invitationsPage{Email: v.text("email"), Name: v.text("name")}
	life, err := v.life()
	role, scope, wrongRole := v.chosenRole(nil)
	if err == nil {
		err = wrongRole
	}
	if err == nil && role == entente.RoleContact {
		err = entente.Invalid("a contact is a guest of a partnership; choose another role for a colleague")
	}
	if err == nil {
		var secret string
		var made identity.Invitation
		secret, made, err = v.Identity.Invite(v.r.Context(), v.actor, identity.NewInvitation{Email: p.Email, Name: p.Name, Role: role, Scope: scope, Life: life})
		if err == nil {
			done := invitationsPage{Link: v.base() + "/invitation?" + url.Values{"key": {secret}}.Encode(), LinkFor: made.Email, LinkUntil: made.Expires}
			done.Mailed, err = v.mailInvitation(made, secret)
			if err != nil {
				return err
			}
			v.r.PostForm = url.Values{}
			return v.showInvitations(http.StatusCreated, done, entente.RoleAnalyst)
		}
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	p.Notice = ui.Notice{Tone: ui.Bad, Text: v.T("Nobody was invited: %s.", wrong.Message)}
	return v.showInvitations(statusFor(wrong), p, role)
}

// mailInvitation mails the link of an invitation, where the node can and the visitor
// wants it to. Its address is the node's own, whatever the request said.
func (v *visit) mailInvitation(made identity.Invitation, secret string) (bool, error) {
	if v.text("mail") == "" || !v.Notify.CanMail() {
		return false, nil
	}
	link := v.Notify.Origin() + "/invitation?" + url.Values{"key": {secret}}.Encode()
	to, err := v.readerFor(made.Email)
	if err != nil {
		return false, err
	}
	text := to.T("%s invites you to %s. This link accepts the invitation, once, until %s: %s", made.InvitedBy, v.org.Name, made.Expires, link) + "\n"
	err = v.Notify.Mail(v.r.Context(), v.actor, notify.Mail{To: made.Email, Subject: to.T("An invitation to %s", v.org.Name), Text: text, Until: made.Expires})
	return err == nil, err
}

// base is the address by which the visitor reached this node.
func (v *visit) base() string {
	if v.Secure || v.r.URL.Scheme == "https" {
		return "https://" + v.r.Host
	}
	return "http://" + v.r.Host
}

func (v *visit) withdrawInvitation() error {
	err := v.Identity.WithdrawInvitation(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.redirect(v.in("invitations") + "?done=withdrawn")
}

// invitation shows an invitation to the one who opened its link.
func (v *visit) invitation() error {
	return v.showOffer(http.StatusOK, v.r.URL.Query().Get("key"), offerPage{})
}

func (v *visit) showOffer(status int, secret string, p offerPage) error {
	offer, err := v.Identity.Offer(v.r.Context(), secret)
	if err != nil {
		return err
	}
	p.Org, p.Role, p.Meaning, p.By = offer.OrgName, offer.Role, v.T(meaningOfRole[offer.Role]), offer.InvitedBy
	p.Email, p.Expires, p.Key, p.Shortest = offer.Email, offer.Expires, secret, identity.MinPassword
	if p.Name == "" && p.Notice.Text == "" {
		p.Name = offer.Name
	}
	switch {
	case v.signedIn() && v.who.Person.Email == offer.Email:
		p.As = offerAccept
	case v.signedIn():
		p.As, p.Other = offerOther, v.who.Person.Email
	case offer.HasAccount:
		p.As = offerSignIn
		p.SignIn = "/sign-in?" + url.Values{"next": {"/invitation?" + url.Values{"key": {secret}}.Encode()}}.Encode()
	default:
		p.As = offerNew
		p.Passkey = v.passkeyOffer(passkeyForm{
			Does: "create", Begin: "/invitation/passkey/begin", Finish: "/invitation/passkey/finish", Button: v.T("Join with a passkey"), Carried: []ui.Option{{Value: "key", Label: secret}},
			Fields: []ui.Field{{Name: "full-name", Label: v.T("Your name"), Value: p.Name, Autocomplete: "name", Hint: v.T("As colleagues know you."), Required: true, MaxLength: 120}},
		})
	}
	return v.show(status, offerView(p))
}

func (v *visit) signedIn() bool { return v.who != nil && !v.who.Pending }

// acceptInvitation makes the visitor a member: with the account of the session, or
// with a new one.
func (v *visit) acceptInvitation() error {
	secret := v.text("key")
	if v.signedIn() {
		org, err := v.Identity.AcceptInvitation(v.r.Context(), secret, *v.who)
		if err != nil {
			return err
		}
		return v.redirect(pathIn(org, "account") + "?done=joined")
	}
	name := v.text("name")
	token, session, err := v.Identity.AcceptInvitationAsNew(v.r.Context(), secret, name, v.r.PostFormValue("password"), v.client())
	if err == nil {
		v.remember(token, session)
		return v.redirect("/")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showOffer(statusFor(wrong), secret, offerPage{Name: name, Notice: ui.Notice{Tone: ui.Bad, Text: v.sentence(wrong)}})
}

func firstRunes(s string, most int) string {
	r := []rune(s)
	return string(r[:min(len(r), most)])
}

// inviteColleagues adds to contacts of our own organisation the way to invite them.
func (v *visit) inviteColleagues(all []ui.Contact) {
	if !v.may(identity.InvitationManage) {
		return
	}
	for i := range all {
		if all[i].Email != "" {
			all[i].Invite = v.in("invitations") + "?" + url.Values{"email": {all[i].Email}, "name": {all[i].Name}}.Encode()
		}
	}
}
