package advisory

import (
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// Source is where advisories come from.
type Source struct {
	Name string // for the journal and the page of the advisory
	From Origin // where a partner said it
	Walk func(context.Context, osv.Visitor) error
}

// FromPath reads a file, an archive or a folder of the node.
func FromPath(path string) Source {
	return Source{Name: filepath.Base(path), Walk: func(ctx context.Context, v osv.Visitor) error {
		return osv.Walk(ctx, path, osv.DefaultLimits(), v)
	}}
}

// FromFS reads a file system, such as the advisories that ship with the program.
func FromFS(files fs.FS, name string) Source {
	return Source{Name: name, Walk: func(ctx context.Context, v osv.Visitor) error {
		return osv.WalkFS(ctx, files, osv.DefaultLimits(), v)
	}}
}

// FromReader reads one uploaded file; its name tells what it is.
func FromReader(r io.Reader, name string) Source {
	return Source{Name: filepath.Base(name), Walk: func(ctx context.Context, v osv.Visitor) error {
		return osv.WalkReader(ctx, r, name, osv.DefaultLimits(), v)
	}}
}

// IngestOptions are the settings of [Service.Ingest]; the zero value is right.
type IngestOptions struct {
	// Progress is told how many records were read so far; it may be nil.
	Progress func(read int)
}

// Report says what an ingest did.
type Report struct {
	Read      int     `json:"read"` // records
	New       int     `json:"new"`
	Changed   int     `json:"changed"`
	Unchanged int     `json:"unchanged"`
	Older     int     `json:"older"`     // than what is known already; left alone
	Withdrawn int     `json:"withdrawn"` // of the new and changed ones
	Skipped   int     `json:"skipped"`   // files that are no advisories by their name
	Wrong     []Wrong `json:"wrong"`     // records that could not be read
	MoreWrong int     `json:"more_wrong,omitempty"`
	Odd       []Wrong `json:"odd"` // what was left out of records that could
	MoreOdd   int     `json:"more_odd,omitempty"`
}

// batchSize is how many records one transaction writes. It bounds how long the
// organisation's other writers wait.
const batchSize = 500

// Ingest records what is new and changed. It writes in batches: when it is cut off,
// what was recorded stays, and repeating it goes on. A record that cannot be read is
// told in the report and stops nothing.
func (s *Service) Ingest(ctx context.Context, actor entente.Actor, from Source, o IngestOptions) (Report, error) {
	report := Report{Wrong: []Wrong{}, Odd: []Wrong{}}
	if err := identity.Require(actor, identity.AdvisoryEdit, identity.In(actor.Org)); err != nil {
		return report, err
	}
	known, err := s.digests(ctx, actor.Org)
	if err != nil {
		return report, err
	}
	from.Name = cleanText(cmp.Or(from.Name, "upload"))
	var docs []osv.Doc
	flush := func() error {
		batch := prepareAll(docs, known, &report)
		docs = docs[:0]
		if o.Progress != nil {
			o.Progress(report.Read)
		}
		for part := range slices.Chunk(batch, batchSize) {
			if err := s.record(ctx, actor, from, part, &report); err != nil {
				return err
			}
			for _, p := range part {
				known[p.digest] = true
			}
		}
		return nil
	}
	err = from.Walk(ctx, osv.Visitor{
		Doc: func(d osv.Doc) error {
			docs = append(docs, d)
			if len(docs) < batchSize {
				return nil
			}
			return flush()
		},
		Wrong: func(where string, err error) error {
			report.wrong(where, message(err))
			return nil
		},
		Skipped: func(string) { report.Skipped++ },
	})
	if err != nil {
		return report, err
	}
	return report, flush()
}

func (r *Report) wrong(where string, what entente.Message) {
	if len(r.Wrong) == wrongKept {
		r.MoreWrong++
		return
	}
	r.Wrong = append(r.Wrong, Wrong{where, what})
}

func (r *Report) odd(where string, odd []osv.Oddity) {
	for _, o := range odd {
		if len(r.Odd) == wrongKept {
			r.MoreOdd++
			continue
		}
		r.Odd = append(r.Odd, Wrong{where + ": " + o.Where, o.What})
	}
}

func (s *Service) digests(ctx context.Context, org entente.OrgID) (map[digest]bool, error) {
	known := map[digest]bool{}
	err := s.d.Read(ctx, func(tx *db.Tx) error {
		clear(known)
		return eachDigest(ctx, tx, org, func(d digest) { known[d] = true })
	})
	return known, err
}

// digest tells two records apart by their compact JSON.
type digest [16]byte

// prepared is a record ready to be written.
type prepared struct {
	where      string
	record     osv.Record
	digest     digest
	body       []byte
	names      []string // the record's id and its aliases
	keys       []PackageKey
	brief      Brief
	ecosystems string
	odd        []osv.Oddity
	same       bool
	err        error
}

// prepareAll reads records on all processors, and leaves out what is known.
func prepareAll(docs []osv.Doc, known map[digest]bool, report *Report) []*prepared {
	all := make([]prepared, len(docs))
	var next sync.Mutex
	at := 0
	var workers sync.WaitGroup
	for range min(len(docs), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			p := packers.Get().(*packer)
			defer packers.Put(p)
			for {
				next.Lock()
				i := at
				at++
				next.Unlock()
				if i >= len(docs) {
					return
				}
				all[i] = p.prepare(docs[i], known)
			}
		})
	}
	workers.Wait()
	var batch []*prepared
	for i := range all {
		p := &all[i]
		if p.err != nil {
			report.wrong(p.where, message(p.err))
			continue
		}
		report.Read++
		report.odd(p.where, p.odd)
		if p.same {
			report.Unchanged++
			continue
		}
		batch = append(batch, p)
	}
	return batch
}

// packer packs records, one after the other, with one compressor.
type packer struct {
	w *flate.Writer
}

// packers are kept, and readers too, because they are large beside one record.
var (
	packers = sync.Pool{New: func() any { return &packer{} }}
	readers = sync.Pool{New: func() any { return flate.NewReader(nil) }}
)

func (k *packer) prepare(d osv.Doc, known map[digest]bool) prepared {
	p := prepared{where: d.Where}
	var compact bytes.Buffer
	compact.Grow(len(d.Data))
	if err := json.Compact(&compact, d.Data); err == nil {
		sum := sha256.Sum256(compact.Bytes())
		p.digest = digest(sum[:len(p.digest)])
		if known[p.digest] {
			p.same = true
			return p
		}
	}
	r, odd, err := osv.Decode(d.Data)
	if err != nil {
		p.err = err
		return p
	}
	if r.ID != cleanText(r.ID) {
		p.err = entente.Invalid("the id %q holds a character that no identifier has", r.ID)
		return p
	}
	p.record, p.odd = r, odd
	p.names = []string{r.ID}
	for _, a := range r.Aliases {
		if a == cleanText(a) {
			p.names = append(p.names, a)
		}
	}
	ecosystems := map[string]bool{}
	for _, key := range KeysOf(&r) {
		if key.Ecosystem != cleanText(key.Ecosystem) || key.Name != cleanText(key.Name) || len(key.Ecosystem)+len(key.Name) > 1000 {
			p.odd = append(p.odd, osv.Oddity{Where: "affected", What: entente.Say("%.80q is no name of a package; it was left out", key.String())})
			continue
		}
		p.keys = append(p.keys, key)
		if key.Ecosystem != ecoGit {
			ecosystems[key.Ecosystem] = true
		}
	}
	p.ecosystems = joinEcosystems(ecosystems)
	p.brief = briefOf(&r)
	p.brief.Summary = cleanText(p.brief.Summary)
	p.brief.Severity.Vector = cleanText(p.brief.Severity.Vector)
	p.body, p.err = k.pack(compact.Bytes())
	return p
}

func (k *packer) pack(data []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(data)/2 + 64)
	if k.w == nil {
		w, err := flate.NewWriter(&out, flate.DefaultCompression)
		if err != nil {
			return nil, err
		}
		k.w = w
	}
	k.w.Reset(&out)
	if _, err := k.w.Write(data); err != nil {
		return nil, err
	}
	if err := k.w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unpack(body []byte) ([]byte, error) {
	r := readers.Get().(io.ReadCloser)
	defer readers.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(body), nil); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, osv.MaxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("the stored advisory is damaged: %w", err)
	}
	return data, r.Close()
}

// cleanText takes out what a database cannot keep.
func cleanText(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// joinEcosystems writes a set so that one of them can be searched in it with its
// bars: "|Go|npm|".
func joinEcosystems(set map[string]bool) string {
	if len(set) == 0 {
		return ""
	}
	all := make([]string, 0, len(set))
	for e := range set {
		all = append(all, strings.ReplaceAll(e, "|", ""))
	}
	slices.Sort(all)
	return "|" + strings.Join(all, "|") + "|"
}

func splitEcosystems(s string) []string {
	s = strings.Trim(s, "|")
	if s == "" {
		return []string{}
	}
	return strings.Split(s, "|")
}

// record writes one batch in one transaction with its event.
func (s *Service) record(ctx context.Context, actor entente.Actor, from Source, batch []*prepared, report *Report) error {
	var done Report
	err := s.d.Write(ctx, actor.Org, func(tx *db.Tx) (err error) {
		done, err = s.recordIn(ctx, tx, actor, from, batch, report.New)
		return err
	})
	if err != nil {
		return err
	}
	report.New += done.New
	report.Changed += done.Changed
	report.Unchanged += done.Unchanged
	report.Older += done.Older
	report.Withdrawn += done.Withdrawn
	return nil
}

// recordIn writes one batch with its event, after before new records of the same source.
func (s *Service) recordIn(ctx context.Context, tx *db.Tx, actor entente.Actor, from Source, batch []*prepared, before int) (done Report, err error) {
	write, old, err := chooseRecords(ctx, tx, actor.Org, batch, &done)
	if err != nil || len(write) == 0 {
		return done, err
	}
	if err := putRecords(ctx, tx, actor.Org, write, old, from, s.now()); err != nil {
		return done, err
	}
	if err := regroup(ctx, tx, actor.Org, write, old); err != nil {
		return done, err
	}
	if grown := before + done.New; grown >= batchSize && doubled(before, grown) {
		if err := s.refreshStatistics(ctx, tx); err != nil {
			return done, err
		}
	}
	body := Recorded{Source: from.Name, New: done.New, Changed: done.Changed, Withdrawn: done.Withdrawn}
	for _, p := range write {
		body.Records = append(body.Records, p.record.ID)
	}
	return done, journal.Append(ctx, tx, actor, EventRecorded, from.Name, body)
}

// Learn records the advisory that a partner sent, and gives its id. What is known from
// another source stays as it is.
func (s *Service) Learn(ctx context.Context, actor entente.Actor, from Source) (id string, err error) {
	err = s.d.Write(ctx, actor.Org, func(tx *db.Tx) error {
		id, err = s.LearnIn(ctx, tx, actor, from)
		return err
	})
	return id, err
}

// LearnIn is [Service.Learn] inside a Write that does more.
func (s *Service) LearnIn(ctx context.Context, tx *db.Tx, actor entente.Actor, from Source) (id string, err error) {
	if err := identity.Require(actor, identity.AdvisoryEdit, identity.In(actor.Org)); err != nil {
		return "", err
	}
	from.Name = cleanText(from.Name)
	var docs []osv.Doc
	var wrong error
	err = from.Walk(ctx, osv.Visitor{
		Doc:     func(d osv.Doc) error { docs = append(docs, d); return nil },
		Wrong:   func(_ string, err error) error { wrong = err; return nil },
		Skipped: func(string) {},
	})
	if err != nil {
		return "", err
	}
	report := Report{}
	batch := prepareAll(docs, nil, &report)
	switch {
	case wrong != nil:
		return "", entente.Invalid("it is no advisory that can be read: %s", message(wrong))
	case len(report.Wrong) > 0:
		return "", entente.Invalid("it is no advisory that can be read: %s", report.Wrong[0].What)
	case len(batch) != 1:
		return "", entente.Invalid("it is no advisory that can be read: %s", entente.Say("it holds %d records, and not one", len(batch)))
	}
	id = batch[0].record.ID
	known, err := recordHeads(ctx, tx, actor.Org, []string{id})
	if err != nil {
		return "", err
	}
	if h, is := known[id]; is && !h.ended && (h.party == "" || h.party != from.From.Party) {
		return "", entente.Conflict("%s is known from %s already; what a partner says does not change it", id, h.source)
	}
	done, err := s.recordIn(ctx, tx, actor, from, batch, 0)
	if err == nil && done.Older > 0 {
		err = entente.Conflict("a later word on %s is recorded already", id)
	}
	return id, err
}

// doubled says whether a count has passed a batch times a power of two.
func doubled(before, after int) bool {
	return bits.Len(uint(before/batchSize)) < bits.Len(uint(after/batchSize))
}

// chooseRecords leaves out what is known or older than what is known, and gives for
// the rest the groups to which the records belong so far.
func chooseRecords(ctx context.Context, tx *db.Tx, org entente.OrgID, batch []*prepared, done *Report) ([]*prepared, map[string]string, error) {
	ids := make([]string, len(batch))
	for i, p := range batch {
		ids[i] = p.record.ID
	}
	stored, err := recordHeads(ctx, tx, org, ids)
	if err != nil {
		return nil, nil, err
	}
	chosen := map[string]*prepared{}
	var order []string
	for _, p := range batch {
		id := p.record.ID
		head, known := stored[id]
		twin := chosen[id]
		switch {
		case known && head.digest == p.digest, twin != nil && twin.digest == p.digest:
			done.Unchanged++
			continue
		case known && !head.ended && p.record.Modified.Before(head.modified), twin != nil && p.record.Modified.Before(twin.record.Modified):
			done.Older++
			continue
		}
		if twin == nil {
			order = append(order, id)
			if known {
				done.Changed++
			} else {
				done.New++
			}
		}
		chosen[id] = p
	}
	old := map[string]string{}
	var write []*prepared
	for _, id := range order {
		p := chosen[id]
		write = append(write, p)
		if head, known := stored[id]; known {
			old[id] = head.memberOf
		}
		if !p.record.Withdrawn.IsZero() {
			done.Withdrawn++
		}
	}
	return write, old, nil
}
