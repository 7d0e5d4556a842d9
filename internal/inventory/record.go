package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory/sbom"
	"github.com/entente-project/entente/internal/journal"
)

// Record records a bill of materials as the current one of a product; what was
// current before is superseded. It says whether anything changed: the same bytes as
// the current document change nothing. The name is that of the file, for messages
// and lists.
//
// The document is received and read before the transaction begins, so that neither a
// slow sender nor a wrong document holds anybody up, and is stored in one
// transaction: all of it or nothing.
func (s *Service) Record(ctx context.Context, actor entente.Actor, product chain.NodeID, name string, r io.Reader) (doc Document, changed bool, err error) {
	return s.RecordPart(ctx, actor, product, "", name, r)
}

// RecordPart is [Service.Record] for a product that several documents describe: each
// part has a current document and a history of its own, and the other parts stay. A
// document of the whole product, whose part is "", and those of parts supersede each
// other.
func (s *Service) RecordPart(ctx context.Context, actor entente.Actor, product chain.NodeID, part, name string, r io.Reader) (doc Document, changed bool, err error) {
	return s.record(ctx, actor, product, part, name, r, Origin{}, func(other string) bool { return part != "" && other != "" })
}

// RecordFrom is [Service.Record] for a document that a partner brought: it goes when
// the partner takes it back ([Service.Recall]).
func (s *Service) RecordFrom(ctx context.Context, actor entente.Actor, product chain.NodeID, from Origin, name string, r io.Reader) (doc Document, changed bool, err error) {
	return s.record(ctx, actor, product, "", name, r, from, func(string) bool { return false })
}

// record supersedes the current document of the part, and of every other part that
// does not stay.
func (s *Service) record(ctx context.Context, actor entente.Actor, product chain.NodeID, part, name string, r io.Reader, from Origin, stays func(part string) bool) (doc Document, changed bool, err error) {
	if err := identity.Require(actor, identity.InventoryUpload, onProduct(actor, product)); err != nil {
		return Document{}, false, err
	}
	if part != word(part) {
		return Document{}, false, entente.Invalid("the name of the part is longer than %d bytes or begins or ends with a space", maxWord)
	}
	same := func(tx *db.Tx, sum string) (found bool, err error) {
		if err := requireProduct(ctx, tx, actor.Org, product); err != nil {
			return false, err
		}
		if sum == "" {
			return false, nil
		}
		doc, err = currentOf(ctx, tx, actor.Org, product, part)
		if errors.Is(err, db.ErrNoRow) {
			return false, nil
		}
		return err == nil && doc.SHA256 == sum, err
	}
	// An unknown product is told before the upload is read.
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		_, err := same(tx, "")
		return err
	})
	if err != nil {
		return Document{}, false, err
	}
	in, err := receive(ctx, s.dir, name, r, s.lim.Bytes)
	if err != nil {
		return Document{}, false, err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	known := false
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		known, err = same(tx, in.sha256)
		return err
	})
	if err != nil || known {
		return doc, false, err
	}
	out, err := newLines(s.dir)
	if err != nil {
		return Document{}, false, err
	}
	defer func() { err = errors.Join(err, out.close()) }()
	fresh, agents, err := s.understand(ctx, name, in, out)
	if err != nil {
		return Document{}, false, err
	}
	fresh.Product, fresh.Part, fresh.RecordedBy, fresh.From = product, part, cmp.Or(from.Name, actor.Name), from
	err = s.d.Write(ctx, actor.Org, func(tx *db.Tx) error {
		known, err = same(tx, in.sha256)
		if err != nil || known {
			return err
		}
		doc = fresh
		doc.Recorded = db.Time(db.Millis(s.now()))
		return s.store(ctx, tx, actor, &doc, out, agents, stays)
	})
	if err != nil {
		return Document{}, false, err
	}
	return doc, !known, nil
}

// understand reads a document and writes its components, taken apart, to out. It
// gives the head of the document and the names behind identifiers of suppliers.
func (s *Service) understand(ctx context.Context, name string, in *upload, out *lines) (Document, map[string]string, error) {
	notes := sbom.NewNotes(s.lim.Oddities)
	doc := Document{File: header(name), SHA256: in.sha256, Size: in.size}
	n := 0
	keep := func(c *sbom.Component, role Role) error {
		odd := func(sentence entente.Text, args ...any) {
			notes.Add(func() string { return placeOf(c, n, role) }, sentence, args...)
		}
		packages := packagesIn(c, odd)
		doc.Counts.add(packages)
		for i := range packages {
			as := role
			if i > 0 {
				as = RoleAlso
			}
			if err := out.add(&packages[i], as, c.Depth, word(c.Type), word(c.Scope), word(c.Supplier), licence(c.Licences)); err != nil {
				return fmt.Errorf("keep an upload: %w", err)
			}
		}
		return nil
	}
	read, err := ReadSBOM(&cancelled{ctx, in}, name, s.lim, func(c sbom.Component) error {
		n++
		return keep(&c, RoleComponent)
	})
	if err != nil {
		return Document{}, nil, err
	}
	// The subject of an SPDX document is among its packages.
	if c := read.Subject; c != nil && read.Format == sbom.CycloneDX && (c.PURL != "" || c.CPE != "") {
		if err := keep(c, RoleSubject); err != nil {
			return Document{}, nil, err
		}
	}
	if n == 0 && read.Vulnerabilities == 0 {
		notes.At("the document", "it lists no components")
	}
	doc.Format, doc.SpecVersion, doc.Encoding = read.Format, header(read.SpecVersion), read.Encoding
	doc.Serial, doc.Revision, doc.Name, doc.Subject = header(read.Serial), header(read.Revision), header(read.Name), header(subject(read.Subject))
	doc.Created, doc.Authors, doc.Tools = read.Created, headers(read.Authors), headers(read.Tools)
	doc.Vulnerabilities = read.Vulnerabilities
	var own sbom.Document
	notes.Into(&own)
	doc.Oddities = append(read.Oddities, own.Oddities...)
	doc.MoreOddities = read.MoreOddities + own.MoreOddities
	if over := len(doc.Oddities) - s.lim.Oddities; over > 0 {
		doc.Oddities = doc.Oddities[:s.lim.Oddities]
		doc.MoreOddities += over
	}
	for i := range doc.Oddities {
		doc.Oddities[i].Where, doc.Oddities[i].What = header(doc.Oddities[i].Where), header(doc.Oddities[i].What)
	}
	return doc, read.Agents, nil
}

// packagesIn takes a component apart into its packages, the first of which stands
// for it.
func packagesIn(c *sbom.Component, odd note) []Package {
	packages := []Package{ParsePackage(c, odd)}
	for _, more := range c.More {
		packages = append(packages, parseMore(c, more, odd))
	}
	return packages
}

func placeOf(c *sbom.Component, n int, role Role) string {
	what := fmt.Sprintf("component %d", n)
	if role == RoleSubject {
		what = "the subject"
	}
	if c.Name != "" {
		what += " (" + sbom.Clip(c.Name) + ")"
	}
	return what
}

func headers(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = header(s)
	}
	return out
}

// store writes a document with its components and the event, in the transaction.
func (s *Service) store(ctx context.Context, tx *db.Tx, actor entente.Actor, doc *Document, from *lines, agents map[string]string, stays func(part string) bool) error {
	var err error
	doc.ID, err = nextDocument(ctx, tx, actor.Org)
	if err != nil {
		return err
	}
	imp, err := newImporter(ctx, tx, actor.Org, doc.ID, agents)
	if err != nil {
		return err
	}
	if err := from.each(imp.take); err != nil {
		return err
	}
	doc.Packages, err = imp.finish()
	if err != nil {
		return err
	}
	if grown(imp.before, imp.newest) {
		if err := s.refreshStatistics(ctx, tx); err != nil {
			return err
		}
	}
	superseded, err := supersede(ctx, tx, actor.Org, doc, stays)
	if err != nil {
		return err
	}
	if err := insertDocument(ctx, tx, actor.Org, doc); err != nil {
		return err
	}
	body := Recorded{
		Document: doc.ID, Part: doc.Part, File: doc.File, SHA256: doc.SHA256, Components: doc.Components,
		Assessable: doc.Assessable, Superseded: superseded,
	}
	body.FirstPackage, body.LastPackage = imp.newPackages()
	return journal.Append(ctx, tx, actor, EventRecorded, string(doc.Product), body)
}

// Remove withdraws a document that was recorded by mistake. Its head and the event
// stay; its components do not. If it was the current one, the document that it
// superseded is current again.
func (s *Service) Remove(ctx context.Context, actor entente.Actor, id uint32) (Document, error) {
	if err := identity.Require(actor, identity.InventoryRemove, identity.In(actor.Org)); err != nil {
		return Document{}, err
	}
	var doc Document
	err := s.d.Write(ctx, actor.Org, func(tx *db.Tx) (err error) {
		doc, err = s.remove(ctx, tx, actor, id, ending{})
		return err
	})
	return doc, err
}

// Recall withdraws the documents that an entry of a partner brought, as
// [Service.Remove] does. expired is when their time ran out; zero: the partner took them
// back.
func (s *Service) Recall(ctx context.Context, actor entente.Actor, party entente.PartyID, number uint64, expired time.Time) error {
	if err := identity.Require(actor, identity.InventoryRemove, identity.In(actor.Org)); err != nil {
		return err
	}
	as := ending{at: expired, recalled: expired.IsZero(), expired: !expired.IsZero()}
	return s.d.Write(ctx, actor.Org, func(tx *db.Tx) error {
		ids, err := db.All(ctx, tx, db.Value[uint32], `SELECT id FROM inventory_document WHERE org = $1 AND party = $2 AND number = $3 AND removed_at = 0 ORDER BY id`, actor.Org, party, int64(number))
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := s.remove(ctx, tx, actor, id, as); err != nil {
				return err
			}
		}
		return nil
	})
}

// ending is how a document goes. Without at, it goes now.
type ending struct {
	at                time.Time
	recalled, expired bool
}

func (s *Service) remove(ctx context.Context, tx *db.Tx, actor entente.Actor, id uint32, as ending) (Document, error) {
	doc, err := documentByID(ctx, tx, actor.Org, id)
	if err != nil {
		return doc, err
	}
	if !doc.Removed.IsZero() {
		return doc, entente.Conflict("document %d was removed already, on %s", id, doc.Removed.Format("2 January 2006"))
	}
	current := doc.Current()
	if as.at.IsZero() {
		as.at = s.now()
	}
	doc.Removed, doc.Recalled, doc.Expired = db.Time(db.Millis(as.at)), as.recalled, as.expired
	if err := removeDocument(ctx, tx, actor.Org, &doc); err != nil {
		return doc, err
	}
	body := Removed{Document: id, Part: doc.Part, Recalled: as.recalled, Expired: as.expired}
	if current {
		body.Restored, err = restore(ctx, tx, actor.Org, &doc)
		if err != nil {
			return doc, err
		}
	}
	return doc, journal.Append(ctx, tx, actor, EventRemoved, string(doc.Product), body)
}

// requireProduct refuses a product that the chain does not know, and suggests others.
func requireProduct(ctx context.Context, tx *db.Tx, org entente.OrgID, id chain.NodeID) error {
	known, err := productNames(ctx, tx, org, id)
	if err != nil {
		return err
	}
	if known == nil {
		return nil
	}
	if len(known) == 0 {
		return entente.NotFound("there is no product %q: the chain has no products yet; import a map that names them", id)
	}
	return entente.NotFound("there is no product %q in the chain; %s", id, suggestion(string(id), known))
}

// suggestion names the products that were perhaps meant.
func suggestion(want string, known []productName) string {
	const most = 5
	if len(known) <= most {
		var ids []string
		for _, k := range known {
			ids = append(ids, k.id)
		}
		return "its products are " + strings.Join(ids, ", ")
	}
	best := nearest(want, known, most)
	if len(best) == 0 {
		return fmt.Sprintf("it has %d products, none of a similar name", len(known))
	}
	return "perhaps you mean " + strings.Join(best, " or ")
}
