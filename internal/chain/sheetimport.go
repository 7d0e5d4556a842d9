package chain

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// SheetState says how far the import of a sheet is.
type SheetState string

// The states of an import.
const (
	SheetDraft   SheetState = "draft"   // uploaded; nothing was changed yet
	SheetWaiting SheetState = "waiting" // started
	SheetDone    SheetState = "done"
	SheetFailed  SheetState = "failed" // nothing was changed; it can be started again
	SheetUndone  SheetState = "undone"
)

// SheetImport is the import of a spreadsheet, from its upload on.
type SheetImport struct {
	ID       int64
	Kind     SheetKind
	File     string // its name
	State    SheetState
	Rows     int
	Checked  int // rows so far, while it runs; all of them once it is taking over
	Heading  []string
	Options  SheetOptions
	Counts   SheetCounts // once it is done
	Note     string      // why it failed
	By       string      // the name of the person
	At       time.Time   // of the upload
	Done     time.Time
	Undone   time.Time
	UndoneBy string
	CanUndo  bool
}

// Bounds of what is kept.
const (
	maxOpenSheets = 20
	keepDrafts    = 24 * time.Hour
	keepUndo      = 90 * 24 * time.Hour
	maxSheetFile  = 200 // characters of its name
	maxConflicts  = 20
)

// jobImport runs a started import.
const jobImport = "chain.import"

type importJob struct {
	Import   int64         `json:"import"`
	Revision int64         `json:"revision"`
	Actor    entente.Actor `json:"actor"` // as they were a moment ago, when they started it
}

// SheetSubject names the import of a sheet as the subject of its events.
func SheetSubject(id int64) string { return "sheet/" + strconv.FormatInt(id, 10) }

// Jobs are the handlers of the jobs that this room schedules.
func (s *Service) Jobs() map[string]journal.JobHandler {
	return map[string]journal.JobHandler{jobImport: s.runImport}
}

// requireSheet refuses who may change nothing of what sheets of a kind are about.
// What a person may change only in part is decided row by row.
func requireSheet(actor entente.Actor, k SheetKind) error {
	object := identity.Object{Kind: string(sheetNodes[k]), Org: actor.Org}
	if ok, _ := identity.Can(actor, identity.ChainEdit, object); ok {
		return nil
	}
	for _, id := range actor.Scope {
		object.ID = id
		if ok, _ := identity.Can(actor, identity.ChainEdit, object); ok {
			return nil
		}
	}
	return identity.Require(actor, identity.ChainEdit, identity.In(actor.Org))
}

func mayEdit(actor entente.Actor) func(NodeKind, NodeID) error {
	whole, _ := identity.Can(actor, identity.ChainEdit, identity.In(actor.Org))
	return func(kind NodeKind, id NodeID) error {
		if whole {
			return nil
		}
		return identity.Require(actor, identity.ChainEdit, identity.Object{Kind: string(kind), Org: actor.Org, ID: string(id)})
	}
}

// KeepSheet keeps an uploaded sheet for the steps of its import, with a guess of
// which column is which. Drafts are thrown away after a day.
func (s *Service) KeepSheet(ctx context.Context, actor entente.Actor, kind SheetKind, file string, sheet Sheet) (SheetImport, error) {
	if !kind.Valid() {
		return SheetImport{}, entente.NotFound("there are no sheets of the kind %.40q", kind)
	}
	if err := requireSheet(actor, kind); err != nil {
		return SheetImport{}, err
	}
	if err := sheet.check(); err != nil {
		return SheetImport{}, err
	}
	packed, err := pack(sheet)
	if err != nil {
		return SheetImport{}, err
	}
	kept := SheetImport{
		Kind: kind, File: cut(strings.ToValidUTF8(strings.ReplaceAll(file, "\x00", ""), ""), maxSheetFile), State: SheetDraft, Rows: len(sheet.Rows), Heading: sheet.Heading,
		Options: SheetOptions{Mapping: GuessMapping(kind, sheet.Heading), Exists: ExistsSkip, Wrong: WrongStop},
		By:      actor.Name, At: time.Now(),
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		if err := clearSheets(ctx, tx, actor.Org, kept.At); err != nil {
			return err
		}
		var err error
		kept.ID, err = insertSheet(ctx, tx, actor, kept, packed)
		return err
	})
	return kept, err
}

func (sheet Sheet) check() error {
	if len(sheet.Heading) == 0 || len(sheet.Rows) == 0 {
		return entente.Invalid("the sheet holds no rows below its heading")
	}
	if len(sheet.Rows) > MaxSheetRows {
		return entente.TooLarge("the sheet has %d rows; at most %d are imported at once", len(sheet.Rows), MaxSheetRows)
	}
	size := 0
	for _, r := range sheet.Rows {
		for _, c := range r.Cells {
			size += len(c)
		}
	}
	if size > MaxSheetBytes {
		return entente.TooLarge("the cells of the sheet hold more than %d MiB", MaxSheetBytes>>20)
	}
	return nil
}

func cut(s string, most int) string {
	r := []rune(s)
	return string(r[:min(len(r), most)])
}

// SheetImport gives one import.
func (s *Service) SheetImport(ctx context.Context, actor entente.Actor, id int64) (SheetImport, error) {
	var found SheetImport
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		found, err = selectSheet(ctx, tx, actor.Org, id)
		return err
	})
	if err != nil {
		return SheetImport{}, err
	}
	return found, requireSheet(actor, found.Kind)
}

// SheetImports lists the latest imports, the newest first.
func (s *Service) SheetImports(ctx context.Context, actor entente.Actor, limit int) ([]SheetImport, error) {
	var all []SheetImport
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		all, err = selectSheets(ctx, tx, actor.Org, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	var denied error
	shown := slices.DeleteFunc(all, func(i SheetImport) bool {
		err := requireSheet(actor, i.Kind)
		if err != nil {
			denied = err
		}
		return err != nil
	})
	if len(shown) > 0 {
		return shown, nil
	}
	for _, k := range SheetKinds() {
		denied = requireSheet(actor, k)
		if denied == nil {
			return nil, nil
		}
	}
	return nil, denied
}

// SetSheetOptions changes how a draft is imported.
func (s *Service) SetSheetOptions(ctx context.Context, actor entente.Actor, id int64, opt SheetOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	found, err := s.SheetImport(ctx, actor, id)
	if err != nil {
		return err
	}
	if err := checkMapping(found.Kind, opt.Mapping, len(found.Heading)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error { return updateSheetOptions(ctx, tx, actor.Org, id, opt) })
}

// DropSheet throws a draft away.
func (s *Service) DropSheet(ctx context.Context, actor entente.Actor, id int64) error {
	if _, err := s.SheetImport(ctx, actor, id); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error { return deleteSheet(ctx, tx, actor.Org, id) })
}

// SheetRows gives the rows that are kept of an import: all of a draft, those that
// were refused once it is done.
func (s *Service) SheetRows(ctx context.Context, actor entente.Actor, id int64) (Sheet, error) {
	if _, err := s.SheetImport(ctx, actor, id); err != nil {
		return Sheet{}, err
	}
	var sheet Sheet
	err := s.db.Read(ctx, func(tx *db.Tx) error { return unpackColumn(ctx, tx, actor.Org, id, columnSheet, &sheet) })
	return sheet, err
}

// SheetResult tells what became of each row of an import that is done.
func (s *Service) SheetResult(ctx context.Context, actor entente.Actor, id int64) ([]PlannedRow, error) {
	if _, err := s.SheetImport(ctx, actor, id); err != nil {
		return nil, err
	}
	var rows []PlannedRow
	err := s.db.Read(ctx, func(tx *db.Tx) error { return unpackColumn(ctx, tx, actor.Org, id, columnResult, &rows) })
	return rows, err
}

// PreviewSheet tells what the import of a draft would do, row by row, and changes
// nothing.
func (s *Service) PreviewSheet(ctx context.Context, actor entente.Actor, id int64) (*SheetPlan, error) {
	found, err := s.SheetImport(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	var plan *SheetPlan
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		var sheet Sheet
		if err := unpackColumn(ctx, tx, actor.Org, id, columnSheet, &sheet); err != nil {
			return err
		}
		g, err := s.GraphIn(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		var m *Map // the compiled chain's own, which planSheet does not change
		if g.Revision() > 0 {
			m = g.Map()
		}
		plan, err = planSheet(firstMap(m, actor.Org, found.Options), found.Kind, sheet, found.Options, mayEdit(actor), nil)
		if err == nil {
			plan.Revision = g.Revision()
		}
		return err
	})
	return plan, err
}

// firstMap is the chain, or its beginning if there is none yet.
func firstMap(m *Map, org entente.OrgID, opt SheetOptions) *Map {
	if m != nil {
		return m
	}
	own := Organisation{ID: NodeID(org), Name: opt.OwnName}
	if own.Name == "" {
		own.Name = string(org)
	}
	m = &Map{Own: own.ID, Currency: opt.Currency, Organisations: []Organisation{own}}
	if m.Currency == "" {
		m.Currency = "EUR"
	}
	return m
}

// StartSheet lets the import of a draft run in the background. A revision other
// than 0 is that of the preview: if the chain has changed since, the import fails
// as a conflict.
func (s *Service) StartSheet(ctx context.Context, actor entente.Actor, id, revision int64) error {
	if _, err := s.SheetImport(ctx, actor, id); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		if err := startSheet(ctx, tx, actor.Org, id); err != nil {
			return err
		}
		_, err := journal.Schedule(ctx, tx, actor.Org, jobImport, time.Now(), importJob{Import: id, Revision: revision, Actor: actor})
		return err
	})
}

// runImport is the job of [Service.StartSheet]. What is wrong with the sheet is
// written down; only a fault is tried again.
func (s *Service) runImport(ctx context.Context, job *journal.Job) error {
	var body importJob
	if err := json.Unmarshal(job.Body, &body); err != nil {
		return journal.GiveUp(err)
	}
	if body.Actor.Org != job.Org {
		return journal.GiveUp(errors.New("chain: the import is of another organisation"))
	}
	_, err := s.RunSheet(ctx, body.Actor, body.Import, body.Revision)
	var known *entente.Error
	if err == nil || !errors.As(err, &known) || known.Kind == entente.KindInternal || known.Kind == entente.KindUnavailable {
		return err
	}
	return s.db.Write(ctx, job.Org, func(tx *db.Tx) error { return failSheet(ctx, tx, job.Org, body.Import, known.Error()) })
}

// RunSheet imports a started sheet, in one transaction with its event.
func (s *Service) RunSheet(ctx context.Context, actor entente.Actor, id, revision int64) (Changed, error) {
	found, err := s.SheetImport(ctx, actor, id)
	if err != nil {
		return Changed{}, err
	}
	if found.State != SheetWaiting {
		return Changed{}, nil // an attempt before this one has done it
	}
	var sheet Sheet
	err = s.db.Read(ctx, func(tx *db.Tx) error { return unpackColumn(ctx, tx, actor.Org, id, columnSheet, &sheet) })
	if err != nil {
		return Changed{}, err
	}
	plan, err := s.planAhead(ctx, actor, found, sheet, revision)
	if err != nil {
		return Changed{}, err
	}
	return s.takeOver(ctx, actor, found, sheet, plan, revision)
}

// planAhead works the rows of a sheet out before the transaction that writes them,
// which keeps that one short, and notes down how far it is.
func (s *Service) planAhead(ctx context.Context, actor entente.Actor, found SheetImport, sheet Sheet, revision int64) (*SheetPlan, error) {
	var m *Map
	var now moment
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		m, now, err = s.loadKept(ctx, tx, actor.Org)
		return err
	})
	if err == nil {
		err = madeFor(revision, now)
	}
	if err != nil {
		return nil, err
	}
	if err := s.noteProgress(ctx, actor.Org, found.ID, 0); err != nil {
		return nil, err
	}
	plan, err := planSheet(firstMap(m, actor.Org, found.Options), found.Kind, sheet, found.Options, mayEdit(actor), s.notesOfProgress(ctx, actor.Org, found.ID))
	if err != nil {
		return nil, err
	}
	plan.Revision = now.revision
	return plan, s.noteProgress(ctx, actor.Org, found.ID, found.Rows)
}

// takeOver writes what was planned. If somebody has changed the chain since, and the
// import is not bound to a revision, it is planned again.
func (s *Service) takeOver(ctx context.Context, actor entente.Actor, found SheetImport, sheet Sheet, plan *SheetPlan, revision int64) (Changed, error) {
	edit := func(old *Map, now moment) (*Map, error) {
		if err := madeFor(revision, now); err != nil {
			return nil, err
		}
		if plan.Revision < now.mapped || plan.Revision > now.revision {
			again, err := planSheet(firstMap(old, actor.Org, found.Options), found.Kind, sheet, found.Options, mayEdit(actor), nil)
			if err != nil {
				return nil, err
			}
			plan = again
			plan.Revision = now.revision
		}
		if !plan.Blocked.Blank() {
			return nil, entente.Invalid("nothing was imported: %s", plan.Blocked)
		}
		return plan.next, nil
	}
	return s.writeAnd(ctx, actor, EventImported, SheetSubject(found.ID), edit, func(tx *db.Tx, old, m *Map) error {
		return finishSheet(ctx, tx, actor.Org, found.ID, plan, refusedOf(sheet, plan), undoOf(old, m, plan.touched))
	})
}

// refusedOf keeps the rows that were refused, for people to correct.
func refusedOf(sheet Sheet, plan *SheetPlan) Sheet {
	kept := Sheet{Heading: sheet.Heading}
	refused := map[int]bool{}
	for _, r := range plan.Rows {
		if r.Action == RowRefuse {
			refused[r.Line] = true
		}
	}
	for _, r := range sheet.Rows {
		if refused[r.Line] {
			kept.Rows = append(kept.Rows, r)
		}
	}
	return kept
}

// undoEntry is what a thing was before an import, and how to tell that nothing has
// touched it since.
type undoEntry struct {
	Kind   NodeKind `json:"kind"`
	ID     NodeID   `json:"id"`
	Before any      `json:"before,omitempty"` // absent for what the import added
	After  string   `json:"after"`
}

func fingerprint(thing any) string {
	sum := sha256.Sum256([]byte(thingText(thing)))
	return fmt.Sprintf("%x", sum[:12])
}

func undoOf(old, m *Map, touched []NodeID) []undoEntry {
	before := map[NodeID]spot{}
	if old != nil {
		before = spots(old)
	}
	after := spots(m)
	entries := make([]undoEntry, 0, len(touched))
	for _, id := range touched {
		now := m.thing(after[id])
		e := undoEntry{Kind: after[id].kind, ID: id, After: fingerprint(now)}
		if was, known := before[id]; known {
			e.Before = old.thing(was)
			if fingerprint(e.Before) == e.After {
				continue
			}
		}
		entries = append(entries, e)
	}
	return entries
}

// UndoSheet takes an import back: what it added goes, and what it changed becomes
// what it was. If anything of that was touched since, nothing is undone, and the
// conflict names it.
func (s *Service) UndoSheet(ctx context.Context, actor entente.Actor, id int64) (Changed, error) {
	found, err := s.SheetImport(ctx, actor, id)
	if err != nil {
		return Changed{}, err
	}
	if found.State == SheetUndone {
		return Changed{}, entente.Conflict("this import was undone already, by %s", found.UndoneBy)
	}
	if !found.CanUndo {
		return Changed{}, entente.Conflict("this import cannot be undone: it was not carried out, or it is older than %d days", int(keepUndo.Hours()/24))
	}
	var raw []struct {
		undoEntry
		Before json.RawMessage `json:"before"`
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error { return unpackColumn(ctx, tx, actor.Org, id, columnUndo, &raw) })
	if err != nil {
		return Changed{}, err
	}
	may := mayEdit(actor)
	entries := make([]undoEntry, len(raw))
	for i, r := range raw {
		if err := may(r.Kind, r.ID); err != nil {
			return Changed{}, err
		}
		entries[i] = r.undoEntry
		entries[i].Before = nil
		if len(r.Before) > 0 {
			entries[i].Before, err = remade(r.Kind, r.Before)
			if err != nil {
				return Changed{}, fmt.Errorf("chain: the undo data of import %d: %w", id, err)
			}
		}
	}
	edit := func(old *Map, _ moment) (*Map, error) {
		if old == nil {
			return nil, entente.Conflict("the chain is gone")
		}
		return undone(old, entries)
	}
	return s.writeAnd(ctx, actor, EventImported, SheetSubject(id), edit, func(tx *db.Tx, _, _ *Map) error {
		return undoneSheet(ctx, tx, actor, id)
	})
}

// undone gives the map without what an import did.
func undone(old *Map, entries []undoEntry) (*Map, error) {
	at := spots(old)
	var since []entente.FieldError
	gone := map[NodeID]bool{}
	m := *old
	m.Organisations, m.Processes, m.Systems = slices.Clone(old.Organisations), slices.Clone(old.Processes), slices.Clone(old.Systems)
	m.Supplies, m.Products = slices.Clone(old.Supplies), slices.Clone(old.Products)
	for _, e := range entries {
		s, known := at[e.ID]
		switch {
		case !known || s.kind != e.Kind:
			since = append(since, entente.FieldError{Field: string(e.ID), Message: entente.Say("it was removed since")})
		case fingerprint(old.thing(s)) != e.After:
			since = append(since, entente.FieldError{Field: thingName(old.thing(s)), Message: entente.Say("it was changed since")})
		case e.Before == nil:
			gone[e.ID] = true
		default:
			m.put(s, e.Before)
		}
	}
	m.Organisations = slices.DeleteFunc(m.Organisations, func(o Organisation) bool { return gone[o.ID] })
	m.Processes = slices.DeleteFunc(m.Processes, func(p Process) bool { return gone[p.ID] })
	m.Systems = slices.DeleteFunc(m.Systems, func(y System) bool { return gone[y.ID] })
	m.Supplies = slices.DeleteFunc(m.Supplies, func(y Supply) bool { return gone[y.ID] })
	m.Products = slices.DeleteFunc(m.Products, func(p Product) bool { return gone[p.ID] })
	if len(since) == 0 {
		for _, f := range Validate(&m) {
			since = append(since, entente.FieldError{Message: entente.Say("%s: it refers since to what the import added: %s", m.holderOf(f.Field), f.Message)})
		}
	}
	if len(since) == 0 {
		return &m, nil
	}
	wrong := entente.Conflict("the import cannot be undone, because things have changed since; nothing was undone")
	if len(since) > maxConflicts {
		more := len(since) - maxConflicts
		since = append(since[:maxConflicts], entente.FieldError{Message: entente.Say("… and %d more", more)})
	}
	wrong.Fields = since
	return nil, wrong
}

// holderOf names the thing that the path of a field leads to.
func (m *Map) holderOf(field string) entente.Message {
	list, rest, _ := strings.Cut(field, "[")
	number, _, _ := strings.Cut(rest, "]")
	i, err := strconv.Atoi(number)
	kind, known := map[string]NodeKind{
		"organisations": KindOrganisation, "processes": KindProcess, "systems": KindSystem, "supplies": KindSupply, "products": KindProduct,
	}[list]
	switch {
	case err != nil:
		return entente.Say("%s", field)
	case known:
		return entente.Say("%s", thingName(m.thing(spot{kind, i})))
	case list == "flows":
		return entente.Say("the flow %s", m.Flows[i].ID)
	}
	return entente.Say("%s", field)
}

// progressEvery is how often the progress of an import is written down.
const progressEvery = 250 * time.Millisecond

// notesOfProgress gives the function that writes down how many rows of an import are
// checked, each time in a transaction of its own, so that every replica can tell.
// Progress that cannot be written is none to stop an import for.
func (s *Service) notesOfProgress(ctx context.Context, org entente.OrgID, id int64) func(rows int) {
	var last time.Time
	return func(rows int) {
		if time.Since(last) < progressEvery {
			return
		}
		_ = s.noteProgress(ctx, org, id, rows)
		last = time.Now()
	}
}

func (s *Service) noteProgress(ctx context.Context, org entente.OrgID, id int64, rows int) error {
	return s.db.Write(ctx, org, func(tx *db.Tx) error { return updateChecked(ctx, tx, org, id, rows) })
}
