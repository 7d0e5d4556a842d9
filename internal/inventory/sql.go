package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
)

// The tables inventory_package and inventory_word.

// lookUpAtOnce is how many keys one question below asks for.
const lookUpAtOnce = 64

func lookUpPackages(ctx context.Context, tx *db.Tx, org entente.OrgID, keys []key, found func(key, uint32)) error {
	var questions []db.Question
	for part := range slices.Chunk(keys, lookUpAtOnce) {
		args := make([]any, 1+lookUpAtOnce)
		args[0] = string(org)
		for i := range lookUpAtOnce {
			args[1+i] = part[min(i, len(part)-1)][:]
		}
		questions = append(questions, db.Ask(`SELECT key, id FROM inventory_package WHERE org = $1 AND key IN (
			$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
			$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33,
			$34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49,
			$50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65)`, func(r db.Scanner) error {
			var k []byte
			var id uint32
			if err := r.Scan(&k, &id); err != nil {
				return err
			}
			found(key(k), id)
			return nil
		}, args...))
	}
	return db.Together(ctx, tx, questions...)
}

func lastPackage(ctx context.Context, tx *db.Tx, org entente.OrgID) (uint32, error) {
	return db.One(ctx, tx, db.Value[uint32], `SELECT COALESCE(MAX(id), 0) FROM inventory_package WHERE org = $1`, org)
}

// firstSurvey is the size of a dictionary from which on looking through it costs more
// than its keys.
const firstSurvey = 4096

// grown says whether a dictionary has become many times as large as when PostgreSQL
// was last told.
func grown(before, now uint32) bool {
	at := uint64(firstSurvey)
	for at <= uint64(before) {
		at *= 4
	}
	return at <= uint64(now)
}

// refreshStatistics tells PostgreSQL how large the dictionary has become. Without it,
// a first large import would look through all of it for every document until
// PostgreSQL's own survey comes around. SQLite chooses by the order of the indexes alone.
func (s *Service) refreshStatistics(ctx context.Context, tx *db.Tx) error {
	if s.d.Engine() != db.Postgres {
		return nil
	}
	_, err := tx.Exec(ctx, `ANALYZE inventory_package`)
	return err
}

func insertPackages(ctx context.Context, tx *db.Tx, org entente.OrgID, packages iter.Seq2[key, Package]) error {
	row := make([]any, 12)
	_, err := tx.Insert(ctx, `INSERT INTO inventory_package (org, id, key, type, namespace, name, version, qualifiers, subpath, purl, cpe, search) VALUES`, "", func(yield func([]any) bool) {
		for k, p := range packages {
			row[0], row[1], row[2], row[3] = string(org), int64(p.ID), k[:], p.Type
			row[4], row[5], row[6], row[7] = p.Namespace, p.Name, p.Version, p.Qualifiers
			row[8], row[9], row[10], row[11] = p.Subpath, p.PURL, p.CPE, p.search()
			if !yield(row) {
				return
			}
		}
	})
	return err
}

func lookUpWords(ctx context.Context, tx *db.Tx, org entente.OrgID, words []string, found func(string, uint32)) error {
	var questions []db.Question
	for part := range slices.Chunk(words, lookUpAtOnce) {
		args := make([]any, 1+lookUpAtOnce)
		args[0] = string(org)
		for i := range lookUpAtOnce {
			args[1+i] = part[min(i, len(part)-1)]
		}
		questions = append(questions, db.Ask(`SELECT word, id FROM inventory_word WHERE org = $1 AND word IN (
			$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
			$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33,
			$34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49,
			$50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65)`, func(r db.Scanner) error {
			var w string
			var id uint32
			if err := r.Scan(&w, &id); err != nil {
				return err
			}
			found(w, id)
			return nil
		}, args...))
	}
	return db.Together(ctx, tx, questions...)
}

func lastWord(ctx context.Context, tx *db.Tx, org entente.OrgID) (uint32, error) {
	return db.One(ctx, tx, db.Value[uint32], `SELECT COALESCE(MAX(id), 0) FROM inventory_word WHERE org = $1`, org)
}

func insertWords(ctx context.Context, tx *db.Tx, org entente.OrgID, words iter.Seq2[uint32, string]) error {
	_, err := tx.Insert(ctx, `INSERT INTO inventory_word (org, id, word) VALUES`, "", func(yield func([]any) bool) {
		for id, w := range words {
			if !yield([]any{string(org), int64(id), w}) {
				return
			}
		}
	})
	return err
}

const packageColumns = `p.id, p.type, p.namespace, p.name, p.version, p.qualifiers, p.subpath, p.purl, p.cpe`

func (p *Package) fields() []any {
	return []any{&p.ID, &p.Type, &p.Namespace, &p.Name, &p.Version, &p.Qualifiers, &p.Subpath, &p.PURL, &p.CPE}
}

func scanPackage(r db.Scanner) (Package, error) {
	var p Package
	err := r.Scan(p.fields()...)
	return p, err
}

func packageByID(ctx context.Context, tx *db.Tx, org entente.OrgID, id uint32) (Package, error) {
	p, err := db.One(ctx, tx, scanPackage, `SELECT `+packageColumns+` FROM inventory_package p WHERE p.org = $1 AND p.id = $2`, org, id)
	if errors.Is(err, db.ErrNoRow) {
		return p, entente.NotFound("there is no package %d in this organisation", id)
	}
	return p, err
}

// contains makes a LIKE pattern for texts that contain s, in folded case.
func contains(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(strings.TrimSpace(s)))
	return "%" + s + "%"
}

// current is the condition that a package stands in a current document.
const current = `EXISTS (
			SELECT 1 FROM inventory_component c
			JOIN inventory_document d ON d.org = c.org AND d.id = c.document
			WHERE c.org = p.org AND c.package = p.id AND d.superseded_at = 0 AND d.removed_at = 0
		)`

func (q PackageQuery) choose(sel *db.Query) *db.Query {
	return sel.AndIf(strings.TrimSpace(q.Search) != "", `p.search LIKE $1 ESCAPE '\'`, contains(q.Search)).
		AndIf(q.Type == "none", `p.type = ''`).
		AndIf(q.Type != "" && q.Type != "none", `p.type = $1`, q.Type)
}

func packagesOf(ctx context.Context, tx *db.Tx, org entente.OrgID, q PackageQuery) (list []PackageUse, total int, err error) {
	page := q.choose(db.Select(`SELECT `+packageColumns+` FROM inventory_package p WHERE p.org = $1 AND `+current, org)).
		Order(`p.search, p.version, p.id`).
		Page(q.limit(), q.Offset)
	err = db.EachOf(ctx, tx, page, func(r db.Scanner) error {
		p, err := scanPackage(r)
		list = append(list, PackageUse{Package: p})
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	for i := range list {
		if err := countUses(ctx, tx, org, &list[i]); err != nil {
			return nil, 0, err
		}
	}
	if total = q.Offset + len(list); len(list) > 0 && len(list) < q.limit() {
		return list, total, nil
	}
	// To count all of a large dictionary takes seconds, and nobody pages through it.
	total = 0
	all := q.choose(db.Select(`SELECT p.id FROM inventory_package p WHERE p.org = $1 AND `+current, org)).Page(MaxCounted, 0)
	err = db.EachOf(ctx, tx, all, func(db.Scanner) error { total++; return nil })
	return list, total, err
}

func countUses(ctx context.Context, tx *db.Tx, org entente.OrgID, u *PackageUse) error {
	return db.Each(ctx, tx, `SELECT COUNT(DISTINCT d.product), COUNT(DISTINCT d.id)
		FROM inventory_component c
		JOIN inventory_document d ON d.org = c.org AND d.id = c.document AND d.superseded_at = 0 AND d.removed_at = 0
		WHERE c.org = $1 AND c.package = $2`, func(r db.Scanner) error {
		return r.Scan(&u.Products, &u.Documents)
	}, org, u.ID)
}

func usesOf(ctx context.Context, tx *db.Tx, org entente.OrgID, id uint32) ([]Use, error) {
	return db.All(ctx, tx, func(r db.Scanner) (Use, error) {
		var u Use
		err := r.Scan(&u.Product, &u.Document, &u.Part)
		return u, err
	}, `SELECT DISTINCT d.product, d.id, d.part
		FROM inventory_component c
		JOIN inventory_document d ON d.org = c.org AND d.id = c.document AND d.superseded_at = 0 AND d.removed_at = 0
		WHERE c.org = $1 AND c.package = $2
		ORDER BY d.product, d.part, d.id`, org, id)
}

// The tables inventory_component and inventory_content.

func insertComponents(ctx context.Context, tx *db.Tx, rows iter.Seq[[]any]) error {
	_, err := tx.Insert(ctx, `INSERT INTO inventory_component (org, document, n, package, role, depth, type, scope, supplier, licence) VALUES`, "", rows)
	return err
}

func insertContent(ctx context.Context, tx *db.Tx, org entente.OrgID, document uint32, packages []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO inventory_content (org, document, packages) VALUES ($1, $2, $3)`, org, document, packages)
	return err
}

func componentsOf(ctx context.Context, tx *db.Tx, org entente.OrgID, document uint32, q ComponentQuery) (list []Component, total int, err error) {
	sel := db.Select(`SELECT `+packageColumns+`, c.n, c.role, c.depth, COALESCE(t.word, ''), COALESCE(o.word, ''), COALESCE(s.word, ''), COALESCE(l.word, ''), COUNT(*) OVER ()
		FROM inventory_component c
		JOIN inventory_package p ON p.org = c.org AND p.id = c.package
		LEFT JOIN inventory_word t ON t.org = c.org AND t.id = c.type
		LEFT JOIN inventory_word o ON o.org = c.org AND o.id = c.scope
		LEFT JOIN inventory_word s ON s.org = c.org AND s.id = c.supplier
		LEFT JOIN inventory_word l ON l.org = c.org AND l.id = c.licence
		WHERE c.org = $1 AND c.document = $2`, org, document).
		AndIf(strings.TrimSpace(q.Search) != "", `p.search LIKE $1 ESCAPE '\'`, contains(q.Search)).
		AndIf(q.Type == "none", `p.type = ''`).
		AndIf(q.Type != "" && q.Type != "none", `p.type = $1`, q.Type).
		AndIf(q.Unversioned, `p.type <> '' AND p.version = ''`).
		Page(q.limit(), q.Offset)
	switch q.Order {
	case ByName:
		sel = sel.Order(`p.search, p.version, c.n`)
	case ByPackageType:
		sel = sel.Order(`p.type, p.search, c.n`)
	case BySupplier:
		sel = sel.Order(`COALESCE(s.word, ''), p.search, c.n`)
	default:
		sel = sel.Order(`c.n`)
	}
	err = db.EachOf(ctx, tx, sel, func(r db.Scanner) error {
		var c Component
		if err := r.Scan(append(c.Package.fields(), &c.N, &c.Role, &c.Depth, &c.Type, &c.Scope, &c.Supplier, &c.Licence, &total)...); err != nil {
			return err
		}
		list = append(list, c)
		return nil
	})
	return list, total, err
}

// The table inventory_document.

const documentColumns = `d.id, d.product, d.part, d.file, d.format, d.spec_version, d.encoding, d.serial, d.revision, d.name, d.subject,
	d.created_at, d.recorded_at, d.recorded_by, d.sha256, d.size, d.components, d.packages, d.assessable, d.unversioned, d.vulnerabilities,
	d.types, d.authors, d.tools, d.oddities, d.more_oddities, d.superseded_at, d.superseded_by, d.removed_at, d.party, d.number, d.recalled, d.expired`

func scanDocument(r db.Scanner) (Document, error) {
	var d Document
	var created, recorded, superseded, removed int64
	var types, authors, tools, oddities []byte
	err := r.Scan(&d.ID, &d.Product, &d.Part, &d.File, &d.Format, &d.SpecVersion, &d.Encoding, &d.Serial, &d.Revision, &d.Name, &d.Subject,
		&created, &recorded, &d.RecordedBy, &d.SHA256, &d.Size, &d.Components, &d.Packages, &d.Assessable, &d.Unversioned, &d.Vulnerabilities,
		&types, &authors, &tools, &oddities, &d.MoreOddities, &superseded, &d.SupersededBy, &removed, &d.From.Party, &d.From.Number, &d.Recalled, &d.Expired)
	if err != nil {
		return d, err
	}
	d.Created, d.Recorded, d.Superseded, d.Removed = db.Time(created), db.Time(recorded), db.Time(superseded), db.Time(removed)
	if d.From.Party != "" {
		d.From.Name = d.RecordedBy
	}
	for _, j := range []struct {
		raw  []byte
		into any
	}{{types, &d.Types}, {authors, &d.Authors}, {tools, &d.Tools}, {oddities, &d.Oddities}} {
		if err := json.Unmarshal(j.raw, j.into); err != nil {
			return d, fmt.Errorf("document %d: %w", d.ID, err)
		}
	}
	return d, nil
}

func documentByID(ctx context.Context, tx *db.Tx, org entente.OrgID, id uint32) (Document, error) {
	d, err := db.One(ctx, tx, scanDocument, `SELECT `+documentColumns+` FROM inventory_document d WHERE d.org = $1 AND d.id = $2`, org, id)
	if errors.Is(err, db.ErrNoRow) {
		return d, entente.NotFound("there is no document %d in this organisation", id)
	}
	return d, err
}

func documentsOf(ctx context.Context, tx *db.Tx, org entente.OrgID, product chain.NodeID) ([]Document, error) {
	return db.All(ctx, tx, scanDocument, `SELECT `+documentColumns+` FROM inventory_document d WHERE d.org = $1 AND d.product = $2 ORDER BY d.id DESC`, org, string(product))
}

// currentOf gives the current document of a part of a product, or db.ErrNoRow.
func currentOf(ctx context.Context, tx *db.Tx, org entente.OrgID, product chain.NodeID, part string) (Document, error) {
	return db.One(ctx, tx, scanDocument, `SELECT `+documentColumns+` FROM inventory_document d
		WHERE d.org = $1 AND d.product = $2 AND d.part = $3 AND d.superseded_at = 0 AND d.removed_at = 0`, org, string(product), part)
}

// nextDocument gives the next number; documents keep theirs when they are removed.
func nextDocument(ctx context.Context, tx *db.Tx, org entente.OrgID) (uint32, error) {
	last, err := db.One(ctx, tx, db.Value[uint32], `SELECT COALESCE(MAX(id), 0) FROM inventory_document WHERE org = $1`, org)
	return last + 1, err
}

// supersede ends the current documents of the same product that are of the same part
// or of one that does not stay.
func supersede(ctx context.Context, tx *db.Tx, org entente.OrgID, by *Document, stays func(part string) bool) ([]uint32, error) {
	current, err := db.All(ctx, tx, func(r db.Scanner) (CurrentDocument, error) {
		var d CurrentDocument
		err := r.Scan(&d.ID, &d.Part)
		return d, err
	}, `SELECT id, part FROM inventory_document
		WHERE org = $1 AND product = $2 AND superseded_at = 0 AND removed_at = 0 ORDER BY id`, org, string(by.Product))
	if err != nil {
		return nil, err
	}
	var ids []uint32
	for _, d := range current {
		if d.Part != by.Part && stays(d.Part) {
			continue
		}
		_, err := tx.Exec(ctx, `UPDATE inventory_document SET superseded_at = $3, superseded_by = $4 WHERE org = $1 AND id = $2`,
			org, d.ID, db.Millis(by.Recorded), by.ID)
		if err != nil {
			return nil, err
		}
		ids = append(ids, d.ID)
	}
	return ids, nil
}

func insertDocument(ctx context.Context, tx *db.Tx, org entente.OrgID, d *Document) error {
	var texts [4]string
	for i, v := range []any{d.Types, d.Authors, d.Tools, d.Oddities} {
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		texts[i] = string(raw)
	}
	_, err := tx.Exec(ctx, `INSERT INTO inventory_document (org, id, product, part, file, format, spec_version, encoding, serial, revision, name, subject,
		created_at, recorded_at, recorded_by, sha256, size, components, packages, assessable, unversioned, vulnerabilities,
		types, authors, tools, oddities, more_oddities, superseded_at, superseded_by, removed_at, party, number)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, 0, 0, 0, $28, $29)`,
		org, d.ID, string(d.Product), d.Part, d.File, string(d.Format), d.SpecVersion, d.Encoding, d.Serial, d.Revision, d.Name, d.Subject,
		db.Millis(d.Created), db.Millis(d.Recorded), d.RecordedBy, d.SHA256, d.Size, d.Components, d.Packages, d.Assessable, d.Unversioned, d.Vulnerabilities,
		texts[0], texts[1], texts[2], texts[3], d.MoreOddities, d.From.Party, int64(d.From.Number))
	return err
}

// removeDocument takes a document's contents away and marks its head.
func removeDocument(ctx context.Context, tx *db.Tx, org entente.OrgID, d *Document) error {
	if _, err := tx.Exec(ctx, `DELETE FROM inventory_component WHERE org = $1 AND document = $2`, org, d.ID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM inventory_content WHERE org = $1 AND document = $2`, org, d.ID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE inventory_document SET removed_at = $3, recalled = $4, expired = $5 WHERE org = $1 AND id = $2`, org, d.ID, db.Millis(d.Removed), d.Recalled, d.Expired)
	return err
}

// restore makes the newest document that is left of the product and part the current
// one again.
func restore(ctx context.Context, tx *db.Tx, org entente.OrgID, removed *Document) (uint32, error) {
	id, err := db.One(ctx, tx, db.Value[uint32], `SELECT id FROM inventory_document
		WHERE org = $1 AND product = $2 AND part = $3 AND removed_at = 0 ORDER BY id DESC LIMIT 1`, org, string(removed.Product), removed.Part)
	if errors.Is(err, db.ErrNoRow) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `UPDATE inventory_document SET superseded_at = 0, superseded_by = 0 WHERE org = $1 AND id = $2`, org, id)
	return id, err
}
