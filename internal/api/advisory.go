package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
)

// maxAdvisories bounds an upload of advisories; the whole of osv.dev is smaller.
const maxAdvisories = 2 << 30

var advisoryOperations = []operation{
	{
		id: "list-advisories", method: http.MethodGet, path: "/advisories", verb: identity.AdvisoryRead,
		summary: "List advisories", about: "Advisories, each with all its names: what several databases say of one thing is one advisory. Each says how many products of the organisation it hits.", register: answers(listAdvisories),
	},
	{
		id: "get-advisory", method: http.MethodGet, path: "/advisories/{advisory}", verb: identity.AdvisoryRead,
		summary: "One advisory", about: "By any of its names (CVE, GHSA, GO, …): its records as they were published, and how every package of the organisation stands to it, with the history of that.", register: answers(getAdvisory),
	},
	{
		id: "get-impact", method: http.MethodGet, path: "/advisories/{advisory}/impact", verb: identity.AdvisoryRead,
		summary: "Whom an advisory hits", about: "Which products contain what is affected, which processes that reaches, how surely and by which way, when processes stop if the products are switched off, and whom to call.", register: answers(getImpact),
	},
	{
		id: "list-findings", method: http.MethodGet, path: "/products/{id}/findings", verb: identity.AdvisoryRead, kind: string(chain.KindProduct), object: "id",
		summary: "List the advisories that concern a product", about: "One finding for each advisory and package, the affected and gravest first.", register: answers(listFindings),
	},
	{
		id: "record-advisories", method: http.MethodPost, path: "/advisories", verb: identity.AdvisoryEdit,
		summary: "Record advisories",
		about:   "Takes OSV records: one as JSON, several as JSON lines, or a zip in the layout of osv.dev. What is known and unchanged is left alone; a record that cannot be read is reported and stops nothing. Matching follows within moments.",
		upload: &upload{
			types: []string{"application/octet-stream", "application/json", "application/x-ndjson", "application/zip"}, limit: maxAdvisories,
			about: "OSV JSON, JSON lines or a zip of OSV JSON files.",
		}, register: answers(recordAdvisories),
	},
	{
		id: "advisory-totals", method: http.MethodGet, path: "/advisory-totals", verb: identity.AdvisoryRead,
		summary: "What the advisories come to", about: "How many are held, how many concern the organisation, and the ecosystems that they name.", register: answers(advisoryTotals),
	},
}

// Brief is one advisory in short.
type Brief struct {
	ID        string            `json:"id" doc:"The name by which it is best known."`
	Names     []string          `json:"names" doc:"All its names."`
	Summary   string            `json:"summary"`
	Severity  advisory.Severity `json:"severity"`
	Published *time.Time        `json:"published,omitempty"`
	Modified  *time.Time        `json:"modified,omitempty"`
	Withdrawn *time.Time        `json:"withdrawn,omitempty" doc:"Set when every record of it was withdrawn."`
}

func briefOf(b advisory.Brief) Brief {
	return Brief{
		ID: b.ID, Names: orEmpty(b.Names), Summary: b.Summary, Severity: b.Severity,
		Published: date(b.Published), Modified: date(b.Modified), Withdrawn: date(b.Withdrawn),
	}
}

// ListedAdvisory is one line of the list.
type ListedAdvisory struct {
	Brief
	Ecosystems []string `json:"ecosystems"`
	Products   int      `json:"products" doc:"Products of which a current document contains an affected package."`
	Undecided  int      `json:"undecided" doc:"Products with packages of which it cannot be told."`
}

func listedOf(l advisory.Listed) ListedAdvisory {
	return ListedAdvisory{Brief: briefOf(l.Brief), Ecosystems: orEmpty(l.Ecosystems), Products: l.Products, Undecided: l.Undecided}
}

func listAdvisories(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Listing
	Ecosystem string `query:"ecosystem" maxLength:"100" doc:"Only advisories that name a package of this ecosystem: npm, Go, …"`
	Severity  string `query:"severity" enum:"low,medium,high,critical" doc:"Only advisories at least this grave."`
	Hits      bool   `query:"hits" doc:"Only advisories that hit a product."`
	Undecided bool   `query:"undecided" doc:"Only advisories with packages of which it cannot be told."`
	Withdrawn string `query:"withdrawn" enum:"all,only" doc:"Withdrawn ones too, or only those; without it they are left out."`
	Order     string `query:"order" enum:"published,severity,name,hits" doc:"In this order; without it the newest change first."`
}) (*listOutput[ListedAdvisory], error) {
	q := advisory.Query{
		Search: in.Search, Ecosystem: in.Ecosystem, Level: advisory.Level(in.Severity), Hits: in.Hits, Undecided: in.Undecided,
		Withdrawn: advisory.Withdrawal(in.Withdrawn), Order: advisory.Order(in.Order),
	}
	filters, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paging, listedOf, []string{"advisories", string(filters)}, func(page inventory.Page) ([]advisory.Listed, int, error) {
		q.Limit, q.Offset = page.Limit, page.Offset
		return s.Advisory.List(ctx, actor, q)
	})
}

// ByAdvisory is what operations on one advisory take.
type ByAdvisory struct {
	Advisory string `path:"advisory" maxLength:"200" doc:"Any name of the advisory, in any case."`
}

// AdvisoryDetail is one advisory with everything that is known of it.
type AdvisoryDetail struct {
	ListedAdvisory
	Records []AdvisoryRecord `json:"records" doc:"What was published of it, by one or several databases."`
	Matches []Match          `json:"matches" doc:"Affected and unknown first, then those that hold no longer."`
}

// AdvisoryRecord is one record of an advisory.
type AdvisoryRecord struct {
	ID       string          `json:"id"`
	Source   string          `json:"source" doc:"Where it came from."`
	Recorded time.Time       `json:"recorded"`
	Party    string          `json:"party,omitempty" doc:"The partner who said it."`
	Entry    uint64          `json:"entry,omitempty" doc:"The entry of that partner."`
	Recalled *time.Time      `json:"recalled,omitempty" doc:"When the partner took it back: what it said is deleted, and it counts no more."`
	Expired  *time.Time      `json:"expired,omitempty" doc:"When the time ran out for which the partner shared it: what it said is deleted, and it counts no more."`
	OSV      json.RawMessage `json:"osv" doc:"The record as it was published, in the OSV format."`
}

// Match is how one package stands to an advisory.
type Match struct {
	Record   string      `json:"record" doc:"The record that says so."`
	Package  uint32      `json:"package"`
	Name     string      `json:"name"`
	Version  string      `json:"version"`
	State    string      `json:"state" doc:"affected; unknown, when it cannot be told; not, or withdrawn."`
	Why      string      `json:"why"`
	Since    time.Time   `json:"since" doc:"When it was first matched."`
	Changed  time.Time   `json:"changed" doc:"When the state began."`
	Past     []PastState `json:"past,omitempty" doc:"The states before, the oldest first."`
	Products []string    `json:"products" doc:"Products of which a current document contains the package; at most 20."`
	More     int         `json:"more,omitempty" doc:"How many more products there are."`
}

// PastState is a state that a match had.
type PastState struct {
	State string    `json:"state"`
	Why   string    `json:"why"`
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
}

func getAdvisory(s *server, ctx context.Context, actor entente.Actor, in *ByAdvisory) (*one[AdvisoryDetail], error) {
	d, err := s.Advisory.Get(ctx, actor, in.Advisory)
	if err != nil {
		return nil, err
	}
	return &one[AdvisoryDetail]{AdvisoryDetail{
		ListedAdvisory: listedOf(d.Listed),
		Records: orEmpty(each(d.Records, func(r advisory.RecordDetail) AdvisoryRecord {
			out := AdvisoryRecord{ID: r.ID, Source: r.Source, Recorded: r.Recorded, Party: string(r.From.Party), Entry: r.From.Number, OSV: r.Raw}
			if r.Expired {
				out.Expired = date(r.Ended)
			} else {
				out.Recalled = date(r.Ended)
			}
			return out
		})),
		Matches: orEmpty(each(d.Matches, func(m advisory.Match) Match {
			return Match{
				Record: m.Record, Package: m.Package, Name: m.Name, Version: m.Version, State: string(m.State), Why: m.Why,
				Since: m.Since, Changed: m.Changed, Products: orEmpty(each(m.Products, word)), More: m.More,
				Past: each(m.Past, func(p advisory.Past) PastState {
					return PastState{State: string(p.State), Why: p.Why, Began: p.Began, Ended: p.Ended}
				}),
			}
		})),
	}}, nil
}

// Finding is an advisory that concerns one package of a product.
type Finding struct {
	Advisory Brief     `json:"advisory"`
	Record   string    `json:"record"`
	Document uint32    `json:"document"`
	Package  uint32    `json:"package"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	State    string    `json:"state"`
	Why      string    `json:"why"`
	Since    time.Time `json:"since"`
}

func listFindings(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByID
	Paging
}) (*listOutput[Finding], error) {
	found, err := s.Advisory.OfProduct(ctx, actor, chain.NodeID(in.ID))
	if err != nil {
		return nil, err
	}
	return filtered(found, func(*advisory.ProductFinding) bool { return true }, in.Paging, func(f advisory.ProductFinding) Finding {
		return Finding{
			Advisory: briefOf(f.Advisory), Record: f.Record, Document: f.Document, Package: f.Package, Name: f.Name,
			Version: f.Version, State: string(f.State), Why: f.Why, Since: f.Since,
		}
	}, "findings", in.ID)
}

// IngestReport says what a recording of advisories did.
type IngestReport struct {
	Read      int           `json:"read" doc:"How many records were read."`
	New       int           `json:"new"`
	Changed   int           `json:"changed"`
	Unchanged int           `json:"unchanged"`
	Older     int           `json:"older" doc:"Older than what is known already, and left alone."`
	Withdrawn int           `json:"withdrawn" doc:"Of the new and changed ones."`
	Skipped   int           `json:"skipped" doc:"Files that are no advisories by their name."`
	Wrong     []WrongRecord `json:"wrong" doc:"Records that could not be read."`
	MoreWrong int           `json:"more_wrong,omitempty"`
	Odd       []WrongRecord `json:"odd" doc:"What was left out of records that could be read."`
	MoreOdd   int           `json:"more_odd,omitempty"`
}

// WrongRecord says what is wrong, and where.
type WrongRecord struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

func recordAdvisories(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Upload
	File string `query:"file" maxLength:"255" doc:"What the file is called, for messages; .json, .jsonl and .zip also say what it is."`
}) (*one[IngestReport], error) {
	source, done, err := advisoriesFrom(in.file, in.File)
	if err != nil {
		return nil, in.verdict(err)
	}
	defer done()
	report, err := s.Advisory.Ingest(ctx, actor, source, advisory.IngestOptions{})
	if err != nil {
		return nil, in.verdict(err)
	}
	wrong := func(w advisory.Wrong) WrongRecord { return WrongRecord{Where: w.Where, What: w.What.String()} }
	return &one[IngestReport]{IngestReport{
		Read: report.Read, New: report.New, Changed: report.Changed, Unchanged: report.Unchanged, Older: report.Older,
		Withdrawn: report.Withdrawn, Skipped: report.Skipped, Wrong: orEmpty(each(report.Wrong, wrong)), MoreWrong: report.MoreWrong,
		Odd: orEmpty(each(report.Odd, wrong)), MoreOdd: report.MoreOdd,
	}}, nil
}

// advisoriesFrom makes a source of an upload. An archive is read from its end and
// is put aside first; done removes it.
func advisoriesFrom(r io.Reader, name string) (source advisory.Source, done func(), err error) {
	in := bufio.NewReader(r)
	head, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return source, nil, err
	}
	archive := bytes.HasPrefix(head, []byte("PK"))
	name = filepath.Base(filepath.Clean(name))
	kinds := []string{".json", ".jsonl", ".ndjson"}
	if archive {
		kinds = []string{".zip"}
	}
	if !slices.Contains(kinds, filepath.Ext(name)) {
		name = "upload" + kinds[0]
	}
	if !archive {
		return advisory.FromReader(in, name), func() {}, nil
	}
	f, err := os.CreateTemp("", "entente-advisories-*.zip")
	if err != nil {
		return source, nil, err
	}
	done = func() { os.Remove(f.Name()) }
	_, err = io.Copy(f, in)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		done()
		return source, nil, err
	}
	source = advisory.FromPath(f.Name())
	source.Name = name
	return source, done, nil
}

// AdvisoryTotals counts what the advisories come to.
type AdvisoryTotals struct {
	Records    int        `json:"records" doc:"Records held."`
	Advisories int        `json:"advisories" doc:"Advisories that stand: records of one thing under several names count once."`
	Concerning int        `json:"concerning" doc:"Of these, those that affect a package of the organisation."`
	Undecided  int        `json:"undecided" doc:"Those with packages of which it cannot be told."`
	Updated    *time.Time `json:"updated,omitempty" doc:"When a record was last new or changed."`
	Ecosystems []string   `json:"ecosystems"`
}

func advisoryTotals(s *server, ctx context.Context, actor entente.Actor, _ *struct{}) (*one[AdvisoryTotals], error) {
	t, err := s.Advisory.Totals(ctx, actor)
	if err != nil {
		return nil, err
	}
	ecosystems, err := s.Advisory.Ecosystems(ctx, actor)
	if err != nil {
		return nil, err
	}
	return &one[AdvisoryTotals]{AdvisoryTotals{
		Records: t.Records, Advisories: t.Advisories, Concerning: t.Concerning, Undecided: t.Undecided, Updated: date(t.Updated),
		Ecosystems: orEmpty(ecosystems),
	}}, nil
}
