package web

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/carry"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/web/ui"
)

// sayLimits bound what is sent on from a preview: an advisory is carried along whole.
var sayLimits = limits{body: 4 << 20, time: 30 * time.Second}

func sayRoutes() []Route {
	return []Route{
		page("/o/{org}/say", identity.ExchangeShare, (*visit).sayForm),
		act("/o/{org}/say", identity.ExchangeShare, (*visit).say).within(sayLimits),
		act("/o/{org}/say/preview", identity.ExchangeShare, (*visit).previewSaying).within(uploadLimits),
		act("/o/{org}/say/edit", identity.ExchangeShare, (*visit).editSaying).within(sayLimits),
	}
}

// saying is a kind of entry that a person writes.
type saying struct {
	kind entente.EntryKind
	head entente.Text // of the page on which it is written
	what entente.Text // it is
}

var sayings = []saying{
	{entente.EntryConcern, "Tell a concern", "Something about a partner worries you, and you want an answer by a date."},
	{entente.EntryNote, "Share notes of a meeting", "When you met, who was there, and what you agreed."},
	{entente.EntryPractice, "Share good practice", "Something that works well with you, so that others can do it too."},
	{entente.EntryAdvisory, "Share an advisory", "Something you supply has a vulnerability: in your own words, or as a record in the OSV format."},
	{entente.EntrySBOM, "Share an SBOM", "What a product is made of: a file in CycloneDX or SPDX."},
	{entente.EntryThreat, "Share a threat", "What you have seen of attackers: a file in STIX 2.1."},
}

var answering = saying{entente.EntryAnswer, "Answer a concern", ""}

func sayingOf(kind string) (saying, bool) {
	if kind == string(answering.kind) {
		return answering, true
	}
	i := slices.IndexFunc(sayings, func(s saying) bool { return string(s.kind) == kind })
	if i < 0 {
		return saying{}, false
	}
	return sayings[i], true
}

// The fields of the form. What is typed is carried from step to step as it was typed.
const (
	sayKind, sayAbout                              = "kind", "about"
	sayTitle, sayText, sayDate, sayPeople          = "title", "text", "date", "people"
	sayPoints, sayBy                               = "points", "answer-by"
	sayAdvisory, sayDocument, sayRecord            = "advisory", "document", "record"
	sayProduct, sayVersion                         = "product", "version"
	sayID, sayPackage, sayVersions, sayFixed       = "id", "package", "versions", "fixed"
	sayFile, sayFileName, sayFileSize, sayFileHash = "file", "file-name", "file-size", "file-hash"
	sayLabel, sayWho, sayTo, sayNamed              = "label", "who", "to", "named"
	sayPurpose, sayPAP, sayWithheld                = "purpose", "pap", "withheld"
	sayExpires, sayEmbargo, sayBasis               = "expires", "embargo", "basis"
	sayLetGo, sayReason                            = "let-go-", "reason-" // and the number of a finding
	sayEveryone, sayChosen                         = "everyone", "chosen" // values of who
)

// sayForm offers the kinds, or the form of one.
func (v *visit) sayForm() error {
	q := v.r.URL.Query()
	kind, ok := sayingOf(q.Get(sayKind))
	if !ok {
		return v.showSayKinds()
	}
	values := url.Values{}
	for _, name := range []string{sayKind, sayAbout, sayTo, sayTitle, sayAdvisory, sayDocument} {
		if q.Has(name) {
			values[name] = q[name]
		}
	}
	values.Set(sayWho, sayEveryone)
	if values.Has(sayTo) || kind.kind == entente.EntryConcern || kind.kind == entente.EntryNote {
		values.Set(sayWho, sayChosen)
	}
	err := v.presetSaying(kind, values)
	if err != nil {
		return err
	}
	return v.showSayForm(http.StatusOK, values, ui.Notice{})
}

func (v *visit) showSayKinds() error {
	partners, err := v.activePartners()
	if err != nil {
		return err
	}
	title := v.T("Say something to partners")
	shown := sayKindsPage{Frame: v.frame(title), Head: ui.Head{Title: title, Lead: v.T("It is signed for your organisation. You see who gets it, and why, before it goes.")}}
	if len(partners) == 0 {
		shown.None = v.nobodyToTell()
		return v.show(http.StatusOK, sayKindsView(shown))
	}
	for _, s := range sayings {
		link := v.in("say") + "?kind=" + string(s.kind)
		if to := v.r.URL.Query().Get(sayTo); to != "" {
			link += "&to=" + url.QueryEscape(to)
		}
		shown.Kinds = append(shown.Kinds, sayKindView{Link: ui.Link{Text: v.T(s.head), Href: link}, What: v.T(s.what)})
	}
	return v.show(http.StatusOK, sayKindsView(shown))
}

func (v *visit) nobodyToTell() ui.Empty {
	e := ui.Empty{Title: v.T("You have no partners yet"), Text: v.T("What is said goes to partners, by an agreement that both have signed.")}
	if v.may(identity.PartnerManage) {
		e.Next = ui.Link{Text: v.T("Invite a partner"), Href: v.in("invite-partner")}
	}
	return e
}

func (v *visit) activePartners() ([]exchange.Partner, error) {
	all, err := v.Exchange.Partners(v.r.Context(), v.actor)
	return slices.DeleteFunc(all, func(p exchange.Partner) bool { return p.State != exchange.Active }), err
}

// presetSaying fills in what the agreements, an advisory, a document or a concern say.
func (v *visit) presetSaying(kind saying, values url.Values) error {
	partners, err := v.activePartners()
	if err != nil {
		return err
	}
	label, hours := entente.TLP(0), 0
	for _, p := range partners {
		if to := values[sayTo]; len(to) > 0 && !slices.Contains(to, string(p.Party)) {
			continue
		}
		if t, ok := p.Agreement.Default(p.Agreement.Other(p.Party), kind.kind); ok {
			label = max(label, t)
		}
		if n := p.Agreement.AnswerConcern; n > 0 && (hours == 0 || n < hours) {
			hours = n
		}
	}
	if label == 0 {
		label = entente.TLPAmber
	}
	switch {
	case kind.kind == entente.EntryConcern && hours > 0:
		values.Set(sayBy, time.Now().Add(time.Duration(hours)*time.Hour).In(v.reader().Zone()).Format(time.DateOnly))
	case kind.kind == entente.EntryNote:
		values.Set(sayDate, time.Now().In(v.reader().Zone()).Format(time.DateOnly))
	case kind.kind == entente.EntryAnswer:
		ref, err := exchange.ReadRef(values.Get(sayAbout))
		if err != nil {
			return err
		}
		n, err := v.Exchange.AnswerTo(v.r.Context(), v.actor, ref, "-")
		if err != nil {
			return err
		}
		label = n.Marking.TLP
	case values.Has(sayAdvisory):
		if _, _, err := v.advisoryToShare(values.Get(sayAdvisory)); err != nil {
			return err
		}
	case kind.kind == entente.EntryAdvisory:
		values.Set(sayID, strings.ToUpper(entente.Slug(v.org.Name))+time.Now().In(v.reader().Zone()).Format("-2006-0102-1504"))
	case values.Has(sayDocument):
		_, product, err := v.documentToShare(values.Get(sayDocument))
		if err != nil {
			return err
		}
		values.Set(sayProduct, product.Name)
		values.Set(sayVersion, product.Version)
	}
	values.Set(sayLabel, label.String())
	return nil
}

// advisoryToShare gives the record of an advisory that is ours to share. What a partner
// said is the partner's: it is passed on with its marking, or not at all.
func (v *visit) advisoryToShare(id string) (record osv.Record, passOn string, err error) {
	detail, err := v.Advisory.Get(v.r.Context(), v.actor, id)
	if err != nil {
		return record, "", err
	}
	for _, r := range detail.Records {
		from := exchange.PartyOfSource(r.Source)
		if from == "" {
			return r.Record, "", nil
		}
		heard, err := v.Exchange.Inbox(v.r.Context(), v.actor, exchange.InboxQuery{Party: from, Kind: entente.EntryAdvisory, State: exchange.InboxStanding, Search: r.ID})
		if err != nil {
			return record, "", err
		}
		for _, e := range heard {
			if recordID(e.Body) == r.ID {
				passOn = v.entryPath(e) + "/pass-on"
			}
		}
	}
	return record, passOn, errPartners
}

// errPartners says that an advisory is not ours to share.
var errPartners = entente.Conflict("a partner told you this advisory: pass on what they said instead, by its marking")

// shareAdvisory leads to where an advisory is shared, or passed on if a partner told it.
func (v *visit) shareAdvisory(id string) (ui.Link, error) {
	if !v.may(identity.ExchangeShare) {
		return ui.Link{}, nil
	}
	_, passOn, err := v.advisoryToShare(id)
	switch {
	case err == nil:
		return ui.Link{Text: v.T("Share this advisory with partners"), Href: v.in("say") + "?" + url.Values{sayKind: {string(entente.EntryAdvisory)}, sayAdvisory: {id}}.Encode()}, nil
	case passOn != "":
		return ui.Link{Text: v.T("Pass this advisory on"), Href: passOn}, nil
	case entente.KindOf(err) == entente.KindConflict:
		return ui.Link{}, nil
	}
	return ui.Link{}, err
}

// saidPath is where the ledger tells of a statement.
func (v *visit) saidPath(id string) string { return v.in("ledger", id) }

// inboxItem leads to the inbox, with what is unread.
func (v *visit) inboxItem() []ui.NavItem {
	items := v.item(identity.ExchangeRead, "Inbox", "inbox")
	if len(items) == 0 {
		return nil
	}
	waits, err := v.waits()
	if err == nil && waits.Unread > 0 { // without the count, the link is there all the same
		items[0].Text = v.T("Inbox (%s)", v.reader().Count(waits.Unread))
	}
	return items
}

// waits counts what waits for the visitor. Entries also expire and times run out, so what
// was counted holds for a minute at most.
func (v *visit) waits() (exchange.Waiting, error) {
	waits, _, err := atHead(v, asked{"waits", time.Now().Unix() / 60, []string{fromEntries, fromStatements}}, func() (exchange.Waiting, int, int, error) {
		w, err := v.Exchange.Waits(v.r.Context(), v.actor)
		return w, 0, 0, err
	})
	return waits, err
}

// documentToShare gives a bill of materials of a product of ours.
func (v *visit) documentToShare(number string) (d inventory.Document, product *chain.Product, err error) {
	id, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return d, nil, entente.NotFound("There is no document %q.", number)
	}
	d, err = v.Inventory.Document(v.r.Context(), v.actor, uint32(id))
	if err != nil {
		return d, nil, err
	}
	p, err := v.picture()
	if err != nil {
		return d, nil, err
	}
	product, err = p.productOf(d.Product)
	if err == nil && product.Supplier != p.g.Map().Own {
		err = entente.Conflict("this is a product of others: only what you ship yourselves is yours to share")
	}
	return d, product, err
}

// sentSaying reads what was sent: plain fields, and a file that is kept at once.
func (v *visit) sentSaying() (url.Values, error) {
	if v.isForm() {
		err := v.r.ParseForm()
		if err != nil {
			return nil, unreadable(err)
		}
		return v.r.PostForm, nil
	}
	form, err := v.r.MultipartReader()
	if err != nil {
		return nil, unreadable(err)
	}
	values := url.Values{}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, unreadable(err)
		}
		if part.FormName() == sayFile {
			err = v.keepSent(values, part)
			if err != nil {
				return values, err
			}
			continue
		}
		text, err := io.ReadAll(io.LimitReader(part, entente.MaxEntry))
		if err != nil {
			return nil, unreadable(err)
		}
		if len(values) > 10_000 {
			return nil, entente.TooLarge("the form has too many fields")
		}
		values.Add(part.FormName(), string(text))
	}
}

// keepSent keeps a file that was chosen: an SBOM as a file of its own, what is small as
// the content itself.
func (v *visit) keepSent(values url.Values, part *multipart.Part) error {
	if part.FileName() == "" {
		return nil
	}
	name := path.Base(strings.ReplaceAll(part.FileName(), `\`, "/"))
	if values.Get(sayKind) != string(entente.EntrySBOM) {
		text, err := io.ReadAll(io.LimitReader(part, entente.MaxEntry/2+1))
		if err != nil {
			return unreadable(err)
		}
		if len(text) > entente.MaxEntry/2 {
			return entente.TooLarge("this is larger than %d bytes", entente.MaxEntry/2)
		}
		var compact bytes.Buffer
		if json.Compact(&compact, text) != nil {
			return entente.Invalid("the content is no JSON")
		}
		values.Set(sayRecord, compact.String())
		values.Set(sayFileName, name)
		return nil
	}
	blob, err := v.Exchange.PutBlob(v.r.Context(), v.actor, name, mediaOf(name), part)
	if err != nil {
		return unreadable(err)
	}
	values.Set(sayFileName, blob.Name)
	values.Set(sayFileSize, strconv.FormatInt(blob.Size, 10))
	values.Set(sayFileHash, blob.Hash.String())
	return nil
}

// mediaOf is the media type of an SBOM, as far as its name tells.
func mediaOf(name string) string {
	switch {
	case strings.HasSuffix(name, ".cdx.json") || strings.HasSuffix(name, "bom.json"):
		return "application/vnd.cyclonedx+json"
	case strings.HasSuffix(name, ".spdx.json"):
		return "application/spdx+json"
	case strings.HasSuffix(name, ".json"):
		return "application/json"
	case strings.HasSuffix(name, ".xml"):
		return "application/xml"
	}
	return "application/octet-stream"
}

// sayingDraft makes of what was typed what is to be said.
func (v *visit) sayingDraft(values url.Values) (n exchange.NewStatement, err error) {
	text := func(name string) string { return strings.TrimSpace(values.Get(name)) }
	kind, ok := sayingOf(text(sayKind))
	if !ok {
		return n, entente.Invalid("choose what you want to say")
	}
	n = exchange.NewStatement{Kind: kind.kind, Basis: text(sayBasis)}
	n.Marking, err = v.typedMarking(values)
	if err != nil {
		return n, err
	}
	if kind.kind == entente.EntryAnswer {
		return v.answerDraft(values, n)
	}
	w := exchange.Words{
		Title: text(sayTitle), Text: text(sayText), Date: text(sayDate), People: linesOf(values.Get(sayPeople)), Points: linesOf(values.Get(sayPoints)),
		Product: text(sayProduct), Version: text(sayVersion),
	}
	switch kind.kind {
	case entente.EntryConcern:
		w.AnswerBy, err = v.endOfDay(text(sayBy))
	case entente.EntryAdvisory:
		w.Record, err = v.recordDraft(values)
	case entente.EntrySBOM:
		err = v.sbomDraft(values, &n)
	case entente.EntryThreat:
		w.Record = json.RawMessage(values.Get(sayRecord))
		if len(w.Record) == 0 {
			return n, errNoFile
		}
		var title string
		title, err = carry.ThreatToSay(w.Record, n.Marking.TLP)
		w.Title = cmp.Or(w.Title, title, values.Get(sayFileName))
	}
	if err != nil {
		return n, err
	}
	err = w.Into(&n)
	if err != nil {
		return n, err
	}
	err = v.typedAudience(values, &n)
	if err != nil {
		return n, err
	}
	return n, v.typedDecisions(values, &n)
}

func (v *visit) answerDraft(values url.Values, n exchange.NewStatement) (exchange.NewStatement, error) {
	ref, err := exchange.ReadRef(values.Get(sayAbout))
	if err != nil {
		return n, err
	}
	answer, err := v.Exchange.AnswerTo(v.r.Context(), v.actor, ref, strings.TrimSpace(values.Get(sayText)))
	if err != nil {
		return n, err
	}
	err = entente.CheckBody(answer.Kind, answer.Body)
	if err != nil {
		return n, err
	}
	if n.Marking.TLP < answer.Marking.TLP {
		return n, entente.Invalid("an answer bears a label no wider than what it answers: at least %s", answer.Marking.TLP.String())
	}
	answer.Marking, answer.Basis = n.Marking, n.Basis
	if answer.Marking.TLP == entente.TLPRed {
		answer.Marking.Audience = answer.To
	}
	return answer, v.typedDecisions(values, &answer)
}

// recordDraft is the advisory that is recorded here, that was chosen as a file, or that
// was written in words.
func (v *visit) recordDraft(values url.Values) (json.RawMessage, error) {
	if id := values.Get(sayAdvisory); id != "" {
		record, _, err := v.advisoryToShare(id)
		return record.Raw, err
	}
	text := []byte(values.Get(sayRecord))
	if len(text) == 0 {
		var err error
		text, err = advisory.Words{
			ID: values.Get(sayID), Summary: values.Get(sayTitle), Details: values.Get(sayText), Package: values.Get(sayPackage), Versions: linesOf(values.Get(sayVersions)),
			Fixed: strings.TrimSpace(values.Get(sayFixed)), At: time.Now().UTC().Truncate(time.Second),
		}.Record()
		if err != nil {
			return nil, err
		}
	}
	record, _, err := osv.Parse(text)
	if err != nil {
		return nil, entente.Invalid("it is no advisory that can be read: %s", err.Error())
	}
	from, err := v.knownFrom(record.ID)
	if err == nil && from != "" {
		err = errPartners
	}
	return text, err
}

// knownFrom is the partner who told a record that is known here.
func (v *visit) knownFrom(id string) (entente.PartyID, error) {
	known, err := v.Advisory.Get(v.r.Context(), v.actor, id)
	if err != nil && entente.KindOf(err) != entente.KindNotFound {
		return "", err
	}
	for _, r := range known.Records {
		if from := exchange.PartyOfSource(r.Source); r.ID == id && from != "" {
			return from, nil
		}
	}
	return "", nil
}

// sbomDraft is the file that was chosen.
func (v *visit) sbomDraft(values url.Values, n *exchange.NewStatement) error {
	size, err := strconv.ParseInt(values.Get(sayFileSize), 10, 64)
	var hash entente.Hash
	if err != nil || hash.UnmarshalText([]byte(values.Get(sayFileHash))) != nil {
		return errNoFile
	}
	name := values.Get(sayFileName)
	n.Blobs = []entente.Blob{{Name: name, Type: mediaOf(name), Size: size, Hash: hash}}
	if number := values.Get(sayDocument); number != "" {
		d, _, err := v.documentToShare(number)
		if err != nil {
			return err
		}
		if d.SHA256 != hash.String() {
			return entente.Invalid("this is another file than the one that was recorded here as %s", v.documentName(&d))
		}
	}
	return nil
}

// linesOf gives the lines of a text that say something.
func linesOf(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// endOfDay is the end of a day in the visitor's time zone; zero for none.
func (v *visit) endOfDay(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, v.reader().Zone())
	if err != nil {
		return day, entente.Invalid("give a day as in 2027-03-31")
	}
	return day.AddDate(0, 0, 1).Add(-time.Second).UTC(), nil
}

func (v *visit) typedMarking(values url.Values) (m entente.Marking, err error) {
	m.TLP, err = entente.ParseTLP(values.Get(sayLabel))
	if err != nil {
		return m, entente.Invalid("choose a label")
	}
	m.Purpose, m.PAP, m.NoAttribution = strings.TrimSpace(values.Get(sayPurpose)), entente.PAP(values.Get(sayPAP)), values.Get(sayWithheld) != ""
	if m.TLP == entente.TLPRed {
		m.People = linesOf(values.Get(sayNamed))
		if len(m.People) == 0 {
			return m, entente.Invalid("TLP:RED is for people: name them as they are known at the partner, by name, e-mail address or role")
		}
	}
	for name, into := range map[string]*time.Time{sayExpires: &m.Expires, sayEmbargo: &m.Embargo} {
		*into, err = v.endOfDay(strings.TrimSpace(values.Get(name)))
		if err != nil {
			return m, err
		}
		if !into.IsZero() && into.Before(time.Now()) {
			return m, entente.Invalid("the day until which it counts, or is under embargo, is over")
		}
	}
	err = m.Validate()
	if err != nil {
		return m, entente.Invalid("the marking is not valid: %s", err.Error())
	}
	return m, nil
}

func (v *visit) typedAudience(values url.Values, n *exchange.NewStatement) error {
	if values.Get(sayWho) == sayEveryone && n.Marking.TLP != entente.TLPRed && n.Kind != entente.EntryConcern {
		n.Everyone = true
		return nil
	}
	for _, to := range values[sayTo] {
		party := entente.PartyID(to)
		if party.Valid() == nil && !slices.Contains(n.To, party) {
			n.To = append(n.To, party)
		}
	}
	if len(n.To) == 0 {
		return entente.Invalid("choose who gets it")
	}
	if n.Marking.TLP == entente.TLPRed {
		n.Marking.Audience = n.To
	}
	return nil
}

// typedDecisions reads what was decided about the findings that the preview showed.
func (v *visit) typedDecisions(values url.Values, n *exchange.NewStatement) error {
	found, err := v.Exchange.Findings(v.r.Context(), v.actor, *n)
	if err != nil {
		return err
	}
	n.Decided = decidedOf(values, found)
	for _, d := range n.Decided {
		if len(d.Reason) > entente.MaxMarkingText {
			return entente.TooLarge("the reason is longer than %d characters", entente.MaxMarkingText)
		}
	}
	return nil
}

// decidedOf are the findings that a person lets go: those whose box is ticked. The box
// carries what was found, so that nothing else is let go by it.
func decidedOf(values url.Values, found []exchange.Finding) []exchange.Decision {
	var decided []exchange.Decision
	for i, f := range found {
		at := strconv.Itoa(i)
		if values.Get(sayLetGo+at) == string(f.Kind)+" "+f.What {
			decided = append(decided, exchange.Decision{Finding: f, Reason: strings.TrimSpace(values.Get(sayReason + at))})
		}
	}
	return decided
}

// previewSaying shows who would get what was typed, and who would not.
func (v *visit) previewSaying() error {
	values, err := v.sentSaying()
	if err != nil && values == nil {
		return err
	}
	var n exchange.NewStatement
	if err == nil {
		n, err = v.sayingDraft(values)
	}
	if err != nil {
		return v.sayAgain(values, err)
	}
	return v.showSayPreview(http.StatusOK, values, n, ui.Notice{})
}

// sayAgain shows the form again, with what was wrong.
func (v *visit) sayAgain(values url.Values, err error) error {
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showSayForm(statusFor(wrong), values, v.wrongNotice(wrong))
}

// editSaying goes back from the preview to the form.
func (v *visit) editSaying() error {
	values, err := v.sentSaying()
	if err != nil {
		return err
	}
	return v.showSayForm(http.StatusOK, values, ui.Notice{})
}

// say says what was typed and previewed.
func (v *visit) say() error {
	values, err := v.sentSaying()
	if err != nil {
		return err
	}
	n, err := v.sayingDraft(values)
	if err != nil {
		return v.sayAgain(values, err)
	}
	found, err := v.Exchange.Findings(v.r.Context(), v.actor, n)
	if err != nil {
		return err
	}
	if open := len(found) - len(n.Decided); open > 0 {
		return v.showSayPreview(http.StatusUnprocessableEntity, values, n, ui.Notice{Tone: ui.Bad, Text: v.N(open, "Decide about %d more finding: let it go, or go back and take it out.", "Decide about %d more findings: let them go, or go back and take them out.")})
	}
	id, _, err := v.Exchange.Say(v.r.Context(), v.actor, n)
	var wrong *entente.Error
	switch {
	case err == nil && n.Kind == entente.EntryAnswer:
		return v.redirect(v.in("inbox", values.Get(sayAbout)) + "?done=answer-sent")
	case err == nil:
		return v.redirect(v.saidPath(id) + "?done=said")
	case errors.As(err, &wrong) && (wrong.Kind == entente.KindDenied || asInvalid(err, &wrong)):
		return v.showSayPreview(statusFor(wrong), values, n, v.wrongNotice(wrong))
	}
	return err
}
