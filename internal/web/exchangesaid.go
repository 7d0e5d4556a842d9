package web

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/advisory/vex"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/threat/stix"
	"github.com/entente-project/entente/internal/web/ui"
)

// saidView is what an entry says, in plain words.
type saidView struct {
	Title   string
	Text    string
	Points  []string
	Defs    []ui.Def
	Columns []ui.Column
	Rows    []ui.Row
	Links   []ui.Link // to other web sites
	Files   []saidFile
	Raw     string // as it was signed
	Unknown bool   // this program does not know what it is about
}

type saidFile struct {
	Link ui.Link
	Note string
}

// mostRaw bounds how much of a content is shown as it was signed.
const mostRaw = 100_000

// saidOf reads the body of an entry. What cannot be read is shown as it is.
func (v *visit) saidOf(kind entente.EntryKind, body json.RawMessage, blobs []entente.Blob) saidView {
	var s saidView
	for _, b := range blobs {
		s.Files = append(s.Files, saidFile{Link: ui.Link{Text: b.Name}, Note: v.reader().Bytes(b.Size)})
	}
	if len(body) == 0 {
		return s
	}
	var indented bytes.Buffer
	if json.Indent(&indented, body, "", "  ") == nil {
		s.Raw = indented.String()
		if len(s.Raw) > mostRaw {
			s.Raw = strings.ToValidUTF8(s.Raw[:mostRaw], "") + "…"
		}
	}
	switch kind {
	case entente.EntryPractice, entente.EntryConcern, entente.EntryAnswer:
		v.sayTitled(&s, body)
	case entente.EntryNote:
		v.sayNote(&s, body)
	case entente.EntrySBOM:
		var b entente.SBOM
		if json.Unmarshal(body, &b) == nil {
			s.Defs = []ui.Def{{Term: v.T("Product"), Text: b.Product}, {Term: v.T("Version"), Text: b.Version}}
		}
	case entente.EntryAdvisory:
		v.sayAdvisory(&s, body)
	case entente.EntryThreat:
		v.sayThreat(&s, body)
	case entente.EntryChain:
		v.sayChain(&s, body)
	case entente.EntryVEX:
		v.sayStates(&s, body)
	case entente.EntryContacts:
		v.sayContacts(&s, body)
	case entente.EntryEmbargo:
		v.sayEmbargo(&s, body)
	}
	return s
}

// recordID is the id of a record that is the content of an entry.
func recordID(body json.RawMessage) string {
	var b struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	return b.ID
}

// sayTitled says what has a title and a text.
func (v *visit) sayTitled(s *saidView, body json.RawMessage) {
	var b entente.Concern
	if json.Unmarshal(body, &b) != nil {
		return
	}
	s.Title, s.Text = b.Title, b.Text
	if !b.AnswerBy.IsZero() {
		s.Defs = []ui.Def{{Term: v.T("Answer until"), View: ui.Time(b.AnswerBy)}}
	}
}

func (v *visit) sayNote(s *saidView, body json.RawMessage) {
	var b entente.Note
	if json.Unmarshal(body, &b) != nil {
		return
	}
	s.Title, s.Text, s.Points = b.Title, b.Text, b.Points
	s.Defs = []ui.Def{{Term: v.T("Met"), Text: b.Date}, {Term: v.T("Who was there"), Text: strings.Join(b.People, "; ")}}
}

func (v *visit) sayAdvisory(s *saidView, body json.RawMessage) {
	r, _, err := osv.Parse(body)
	if err != nil {
		return
	}
	s.Title, s.Text = r.Summary, strings.TrimSpace(r.Details)
	s.Defs = []ui.Def{{Term: v.T("Name"), Text: r.ID}, {Term: v.T("Other names"), Text: strings.Join(r.Aliases, ", ")}}
	for _, one := range r.Severity {
		s.Defs = append(s.Defs, ui.Def{Term: v.T("Vector"), Text: one.Score})
	}
	s.Columns = []ui.Column{{Label: "Package"}, {Label: "Ecosystem"}, {Label: "Affected versions"}}
	for _, a := range r.Affected {
		s.Rows = append(s.Rows, ui.Row{Cells: []ui.Cell{plainCell(cmp.Or(a.Package.Name, a.Package.PURL, v.T("not named"))), plainCell(a.Package.Ecosystem), plainCell(v.versionWords(&a))}})
	}
	for _, ref := range r.References {
		if u, err := url.Parse(ref.URL); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
			s.Links = append(s.Links, ui.Link{Text: ref.URL, Href: ref.URL})
		}
	}
}

// mostObjects bounds the objects of a bundle that are listed.
const mostObjects = 200

// sayThreat lists the objects of a STIX bundle by what they are called.
func (v *visit) sayThreat(s *saidView, body json.RawMessage) {
	d, err := stix.Read(body)
	if err != nil {
		return
	}
	s.Columns = []ui.Column{{Label: "Kind"}, {Label: "Name"}, {Label: "Description", Wide: true}}
	for _, o := range d.Objects {
		if len(s.Rows) == mostObjects {
			break
		}
		s.Rows = append(s.Rows, ui.Row{Cells: []ui.Cell{plainCell(v.threatType(o.Type)), {Text: o.Title(), Note: o.Text("pattern")}, plainCell(o.Text("description"))}})
	}
}

// sayChain lists the suppliers that a partner told of.
func (v *visit) sayChain(s *saidView, body json.RawMessage) {
	d, err := chain.ParseDisclosure(body)
	if err != nil {
		return
	}
	s.Columns = disclosureColumns
	for _, o := range d.Suppliers {
		who := ui.Cell{Text: o.Name, Note: strings.Join(append(nonEmpty(o.LEI, o.Country), o.Domains...), ", ")}
		if o.Name == "" {
			who = ui.Cell{Text: v.T("Without a name"), Note: v.T("behind a blind id: the same one elsewhere is the same supplier")}
		}
		s.Rows = append(s.Rows, ui.Row{Cells: []ui.Cell{who, plainCell(o.Category), plainCell(v.hangsOn(o.Needed, o.Buffer))}})
	}
	if d.Counted > 0 {
		s.Text = v.N(d.Counted, "There is %d more supplier, of which nothing else is told.", "There are %d more suppliers, of which nothing else is told.")
	}
	if d.Complete {
		s.Text = strings.TrimSpace(s.Text + " " + v.T("There are no others."))
	}
}

// mostStatements bounds the statements of a VEX document that are listed.
const mostStatements = 200

// sayStates lists how products stand to vulnerabilities.
func (v *visit) sayStates(s *saidView, body json.RawMessage) {
	all, err := vex.Read(body)
	if err != nil {
		return
	}
	s.Columns = []ui.Column{{Label: "Vulnerability"}, {Label: "Product"}, {Label: "State"}, {Label: "Why, and what to do", Wide: true}}
	for _, one := range all[:min(len(all), mostStatements)] {
		var products []string
		for _, p := range one.Products {
			products = append(products, strings.TrimSpace(cmp.Or(p.Name, p.ID)+" "+p.Version))
		}
		state := string(one.Status)
		if text, ok := vexTexts[one.Status]; ok {
			state = v.T(text)
		}
		why := one.Justification
		if text, ok := justificationTexts[why]; ok {
			why = v.T(text)
		}
		s.Rows = append(s.Rows, ui.Row{Cells: []ui.Cell{
			{Text: one.Vulnerability, Note: strings.Join(one.Aliases, ", ")}, plainCell(strings.Join(products, ", ")), plainCell(state), {Text: cmp.Or(one.Text, why), Note: one.Action},
		}})
	}
}

// sayContacts lists whom to reach for what.
func (v *visit) sayContacts(s *saidView, body json.RawMessage) {
	var b struct {
		Contacts []entente.Contact `json:"contacts"`
	}
	if json.Unmarshal(body, &b) != nil {
		return
	}
	s.Columns = []ui.Column{{Label: "Name"}, {Label: "For what"}, {Label: "E-mail"}, {Label: "Telephone"}}
	for _, c := range b.Contacts {
		s.Rows = append(s.Rows, ui.Row{Cells: []ui.Cell{plainCell(c.Name), plainCell(c.Role), plainCell(c.Email), plainCell(c.Phone)}})
	}
}

// sayEmbargo says which step of an embargo was taken.
func (v *visit) sayEmbargo(s *saidView, body json.RawMessage) {
	var step entente.EmbargoStep
	if json.Unmarshal(body, &step) != nil {
		return
	}
	s.Text = step.Reason
	s.Defs = []ui.Def{{Term: v.T("Embargo"), Text: v.Say(word(embargoActs, step.Act))}}
	if !step.Until.IsZero() {
		s.Defs = append(s.Defs, ui.Def{Term: v.T("Until"), View: ui.Time(step.Until)})
	}
}
