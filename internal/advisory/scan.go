package advisory

import (
	"cmp"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// Scan asks whom advisories hit without a database: bills of materials and
// advisories are read once, and only what matches stays in memory.
type Scan struct {
	Documents []ScanDocument
	// Advisories hands over the advisories, as [osv.Walk] does.
	Advisories func(context.Context, osv.Visitor) error
	// Only narrows the scan to advisories with one of these names; empty means all.
	Only   []string
	Limits sbom.Limits // the zero value means [sbom.DefaultLimits]
	// Progress is told from time to time how far the scan is; it may be nil.
	Progress func(step ScanStep, done, total int) // total 0: unknown
}

// ScanStep is a part of a scan.
type ScanStep string

// The parts of a scan.
const (
	ScanDocuments  ScanStep = "documents"
	ScanAdvisories ScanStep = "advisories"
)

// ScanDocument is one bill of materials of a scan.
type ScanDocument struct {
	Name    string // file name
	Product string // id of the product in the chain, or any name of the reader's choice
	Open    func() (io.ReadCloser, error)
}

// Scanned is what a scan found.
type Scanned struct {
	Documents  []ScannedDocument // in the order of the scan
	Findings   []Finding         // the gravest first
	Undecided  []Finding         // what may be affected, with the reason why nobody can tell
	Advisories int               // records read
	Withdrawn  int               // of these, withdrawn ones
	Wrong      []Wrong           // records that could not be read
	MoreWrong  int               // those beyond the first thousand
	Missing    []string          // of Only: names that no advisory has

	index *Index
	hits  map[string][]packageHit // by the id of the group
	brief map[string]*Brief
}

// ScannedDocument is what a scan read of one bill of materials.
type ScannedDocument struct {
	Name, Product  string
	Document       sbom.Document
	Components     int
	Assessable     int // components that advisories can concern
	WithoutVersion int // of these, components without a version
	Err            error
}

// Wrong is a record that could not be read.
type Wrong struct {
	Where string          `json:"where"`
	What  entente.Message `json:"what"`
}

// Finding is a package of one document that falls, or may fall, under an advisory.
type Finding struct {
	Advisory *Brief
	Record   string // the record that says so
	Product  string
	Document string
	Package  inventory.Package
	State    State
	Why      string
}

// scanned is one record that concerns the inventory.
type scanned struct {
	brief Brief
	hits  []Hit
}

// Run reads everything and matches. A document or record that cannot be read is
// told in the result and stops nothing.
func (s *Scan) Run(ctx context.Context) (*Scanned, error) {
	out := &Scanned{hits: map[string][]packageHit{}, brief: map[string]*Brief{}}
	packages, err := s.readDocuments(ctx, out)
	if err != nil {
		return nil, err
	}
	records, groups, err := s.readAdvisories(ctx, out)
	if err != nil {
		return nil, err
	}
	s.join(out, packages, records, groups)
	return out, nil
}

// dictionary numbers the distinct packages of a scan.
type dictionary struct {
	list  []inventory.Package // by id; 0 is none
	known map[inventory.Package]uint32
}

func (d *dictionary) id(p inventory.Package) (id uint32, fresh bool) {
	key := p
	if key.Assessable() {
		key.PURL, key.CPE = "", ""
	}
	if id, known := d.known[key]; known {
		return id, false
	}
	id = uint32(len(d.list))
	p.ID = id
	d.list = append(d.list, p)
	d.known[key] = id
	return id, true
}

func (s *Scan) readDocuments(ctx context.Context, out *Scanned) ([]inventory.Package, error) {
	lim := s.Limits
	if lim == (sbom.Limits{}) {
		lim = sbom.DefaultLimits()
	}
	d := &dictionary{list: make([]inventory.Package, 1), known: map[inventory.Package]uint32{}}
	b := NewBuilder()
	for n, file := range s.Documents {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.progress(ScanDocuments, n, len(s.Documents))
		doc := ScannedDocument{Name: file.Name, Product: file.Product}
		var content []uint32
		emit := func(c sbom.Component) error {
			doc.Components++
			assessable, versioned := false, false
			for i, purl := range append([]string{c.PURL}, c.More...) {
				if i > 0 && purl == c.PURL {
					continue
				}
				one := c
				one.PURL = purl
				p := inventory.ParsePackage(&one, func(entente.Text, ...any) {})
				id, fresh := d.id(p)
				if fresh {
					b.AddPackage(id, KeyOf(&p))
				}
				content = append(content, id)
				assessable = assessable || p.Assessable()
				versioned = versioned || p.Version != ""
			}
			if assessable {
				doc.Assessable++
				if !versioned {
					doc.WithoutVersion++
				}
			}
			return nil
		}
		doc.Document, doc.Err = readDocument(file, lim, emit)
		if doc.Err == nil && doc.Document.Format == sbom.CycloneDX && doc.Document.Subject != nil {
			doc.Err = emit(*doc.Document.Subject)
		}
		if doc.Err != nil {
			content = nil
		}
		b.AddDocument(uint32(n), file.Product, content)
		out.Documents = append(out.Documents, doc)
	}
	s.progress(ScanDocuments, len(s.Documents), len(s.Documents))
	out.index = b.Index()
	return d.list, nil
}

func readDocument(file ScanDocument, lim sbom.Limits, emit sbom.Emit) (sbom.Document, error) {
	r, err := file.Open()
	if err != nil {
		return sbom.Document{}, err
	}
	doc, err := inventory.ReadSBOM(r, file.Name, lim, emit)
	return doc, errors.Join(err, r.Close())
}

func (s *Scan) progress(step ScanStep, done, total int) {
	if s.Progress != nil {
		s.Progress(step, done, total)
	}
}

// wrongKept bounds the list of records that could not be read.
const wrongKept = 1000

func (out *Scanned) wrong(where string, err error) {
	if len(out.Wrong) == wrongKept {
		out.MoreWrong++
		return
	}
	out.Wrong = append(out.Wrong, Wrong{where, message(err)})
}

// message gives what people may read of an error.
func message(err error) entente.Message {
	var e *entente.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return entente.Say("%s", err.Error())
}

// parsed is what a worker made of one record.
type parsed struct {
	where string
	id    string
	names []string
	at    time.Time
	one   *scanned // nil if it concerns nothing
	gone  bool     // withdrawn
	err   error
}

// readAdvisories matches every advisory as it comes, on all processors.
func (s *Scan) readAdvisories(ctx context.Context, out *Scanned) (map[string]*scanned, *Groups, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	const batch = 64
	work := make(chan []osv.Doc, 4)
	done := make(chan []parsed, 4)
	var workers sync.WaitGroup
	for range max(1, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for docs := range work {
				results := make([]parsed, 0, len(docs))
				for _, d := range docs {
					results = append(results, out.index.try(d))
				}
				done <- results
			}
		})
	}
	var walkErr error
	go func() {
		var docs []osv.Doc
		send := func() error {
			select {
			case work <- docs:
			case <-ctx.Done():
				return ctx.Err()
			}
			docs = nil
			return nil
		}
		walkErr = s.Advisories(ctx, osv.Visitor{
			Doc: func(d osv.Doc) error {
				docs = append(docs, d)
				if len(docs) < batch {
					return nil
				}
				return send()
			},
			Wrong: func(where string, err error) error {
				select {
				case done <- []parsed{{where: where, err: err}}:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			},
		})
		if walkErr == nil && len(docs) > 0 {
			walkErr = send()
		}
		close(work)
		workers.Wait()
		close(done)
	}()
	records := map[string]*scanned{}
	newest := map[string]time.Time{}
	groups := NewGroups()
	for results := range done {
		for _, r := range results {
			if r.err != nil {
				out.wrong(r.where, r.err)
				continue
			}
			out.Advisories++
			if r.gone {
				out.Withdrawn++
			}
			// The same record may lie in several archives; the newest counts.
			if at, twice := newest[r.id]; twice && !r.at.After(at) {
				continue
			}
			newest[r.id] = r.at
			groups.Add(r.id, r.names)
			delete(records, r.id)
			if r.one != nil {
				records[r.id] = r.one
			}
		}
		s.progress(ScanAdvisories, out.Advisories, 0)
	}
	if walkErr != nil {
		return nil, nil, walkErr
	}
	slices.SortFunc(out.Wrong, func(a, b Wrong) int { return strings.Compare(a.Where, b.Where) })
	return records, groups, nil
}

// try parses one record and matches it with the index.
func (x *Index) try(d osv.Doc) parsed {
	r, _, err := osv.Decode(d.Data)
	if err != nil {
		return parsed{where: d.Where, err: err}
	}
	p := parsed{where: d.Where, id: r.ID, names: r.Aliases, at: r.Modified, gone: !r.Withdrawn.IsZero()}
	if p.gone || !x.Concerns(KeysOf(&r)) {
		return p
	}
	if hits := x.Match(Compile(&r)); len(hits) > 0 {
		p.one = &scanned{brief: briefOf(&r), hits: hits}
	}
	return p
}

// briefOf tells one record as a finding of its own.
func briefOf(r *osv.Record) Brief {
	return Brief{
		ID: r.ID, Summary: summaryOf(r), Severity: SeverityOf(r),
		Published: r.Published, Modified: r.Modified, Withdrawn: r.Withdrawn,
	}
}

// summaryOf gives the summary, else the begin of the details.
func summaryOf(r *osv.Record) string {
	text := r.Summary
	if strings.TrimSpace(text) == "" {
		text, _, _ = strings.Cut(strings.TrimSpace(r.Details), "\n")
	}
	text = strings.ToValidUTF8(strings.TrimSpace(text), "\uFFFD")
	const longest = 300
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest-1]) + "…"
	}
	return text
}

// join makes findings of the records that hit, one for each group, package and
// document.
func (s *Scan) join(out *Scanned, packages []inventory.Package, records map[string]*scanned, groups *Groups) {
	wanted := map[string]bool{}
	for _, name := range s.Only {
		wanted[strings.ToUpper(strings.TrimSpace(name))] = false
	}
	for _, g := range groups.All() {
		chosen := len(wanted) == 0
		for _, name := range g.Names {
			if _, asked := wanted[strings.ToUpper(name)]; asked {
				wanted[strings.ToUpper(name)] = true
				chosen = true
			}
		}
		if !chosen {
			continue
		}
		var told []*scanned
		for _, id := range g.Records {
			if r := records[id]; r != nil {
				told = append(told, r)
			}
		}
		if len(told) == 0 {
			continue
		}
		brief := mergeBriefs(g, told)
		out.brief[g.ID] = &brief
		out.hits[g.ID] = mergeHits(told, func(id uint32) (name, version string) {
			return packages[id].Title(), packages[id].Version
		})
	}
	for name, found := range wanted {
		if !found {
			out.Missing = append(out.Missing, name)
		}
	}
	slices.Sort(out.Missing)
	out.findings(packages)
}

// mergeBriefs tells a group by its records: the principal's words where it has
// some, the gravest severity, the newest time.
func mergeBriefs(g Group, records []*scanned) Brief {
	b := Brief{ID: g.ID, Names: g.Names, Records: g.Records}
	slices.SortFunc(records, func(x, y *scanned) int {
		return cmp.Or(cmp.Compare(btoi(x.brief.ID != g.ID), btoi(y.brief.ID != g.ID)), strings.Compare(x.brief.ID, y.brief.ID))
	})
	withdrawn := 0
	for _, r := range records {
		b.absorb(&r.brief)
		if !r.brief.Withdrawn.IsZero() {
			withdrawn++
		}
	}
	if withdrawn < len(records) {
		b.Withdrawn = time.Time{}
	}
	return b
}

// absorb adds what another record of the group says.
func (b *Brief) absorb(r *Brief) {
	if b.Summary == "" {
		b.Summary = r.Summary
	}
	s, t := b.Severity, r.Severity
	if cmp.Or(cmp.Compare(t.Level.weight(), s.Level.weight()), cmp.Compare(t.Score, s.Score)) > 0 {
		b.Severity = t
	}
	if b.Published.IsZero() || !r.Published.IsZero() && r.Published.Before(b.Published) {
		b.Published = r.Published
	}
	if r.Modified.After(b.Modified) {
		b.Modified = r.Modified
	}
	if r.Withdrawn.After(b.Withdrawn) {
		b.Withdrawn = r.Withdrawn
	}
}

// mergeHits gives each package once, with the worst that a record of the group says.
func mergeHits(records []*scanned, told func(id uint32) (name, version string)) []packageHit {
	var hits []packageHit
	at := map[uint32]int{}
	for _, r := range records {
		for _, h := range r.hits {
			i, known := at[h.Package]
			if known && rank(hits[i].state) >= rank(h.State) {
				continue
			}
			if !known {
				i = len(hits)
				at[h.Package] = i
				hits = append(hits, packageHit{})
			}
			name, version := told(h.Package)
			hits[i] = packageHit{id: h.Package, name: name, version: version, state: h.State, why: h.Why, record: r.brief.ID}
		}
	}
	slices.SortFunc(hits, func(a, b packageHit) int { return cmp.Compare(a.id, b.id) })
	return hits
}

func (out *Scanned) findings(packages []inventory.Package) {
	for id, hits := range out.hits {
		for _, h := range hits {
			out.index.Documents(h.id, func(p Posting) {
				f := Finding{
					Advisory: out.brief[id], Record: h.record, Product: p.Product, Document: out.Documents[p.Document].Name,
					Package: packages[h.id], State: h.state, Why: h.why,
				}
				if h.state == Affected {
					out.Findings = append(out.Findings, f)
				} else {
					out.Undecided = append(out.Undecided, f)
				}
			})
		}
	}
	for _, list := range [][]Finding{out.Findings, out.Undecided} {
		slices.SortFunc(list, func(a, b Finding) int {
			return cmp.Or(
				cmp.Compare(b.Advisory.Severity.Level.weight(), a.Advisory.Severity.Level.weight()),
				cmp.Compare(b.Advisory.Severity.Score, a.Advisory.Severity.Score),
				strings.Compare(a.Advisory.ID, b.Advisory.ID),
				strings.Compare(a.Product, b.Product),
				strings.Compare(a.Document, b.Document),
				strings.Compare(a.Package.Title(), b.Package.Title()),
				strings.Compare(a.Package.Version, b.Package.Version),
				cmp.Compare(a.Package.ID, b.Package.ID),
			)
		})
	}
}

// Briefs lists the findings' advisories, the gravest first.
func (out *Scanned) Briefs() []*Brief {
	all := make([]*Brief, 0, len(out.brief))
	for _, b := range out.brief {
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b *Brief) int {
		return cmp.Or(cmp.Compare(b.Severity.Level.weight(), a.Severity.Level.weight()), cmp.Compare(b.Severity.Score, a.Severity.Score), strings.Compare(a.ID, b.ID))
	})
	return all
}

// Impact joins one advisory of the scan, by the id of its [Brief], with the chain.
func (out *Scanned) Impact(g *chain.Graph, advisory string, o ImpactOptions) (AdvisoryImpact, bool) {
	brief, known := out.brief[advisory]
	if !known {
		return AdvisoryImpact{}, false
	}
	return assess(g, out.index, *brief, out.hits[advisory], o), true
}
