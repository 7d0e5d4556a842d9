package chain

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/journal"
)

func mustExport(t *testing.T, s *Service, org entente.OrgID) *Map {
	t.Helper()
	m, err := s.Export(t.Context(), actor(org, entente.RoleOwner))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// carryOut keeps a sheet, starts its import and lets the job run.
func carryOut(t *testing.T, d *db.DB, s *Service, a entente.Actor, kind SheetKind, sheet Sheet, opt SheetOptions) SheetImport {
	t.Helper()
	kept, err := s.KeepSheet(t.Context(), a, kind, "sheet.csv", sheet)
	if err != nil {
		t.Fatal(err)
	}
	opt.Mapping = kept.Options.Mapping
	if err := s.SetSheetOptions(t.Context(), a, kept.ID, opt); err != nil {
		t.Fatal(err)
	}
	plan, err := s.PreviewSheet(t.Context(), a, kept.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.StartSheet(t.Context(), a, kept.ID, plan.Revision); err != nil {
		t.Fatal(err)
	}
	if err := journal.NewRunner(d, nil, nil, s.Jobs()).CatchUp(t.Context(), a.Org); err != nil {
		t.Fatal(err)
	}
	after, err := s.SheetImport(t.Context(), a, kept.ID)
	if err != nil {
		t.Fatal(err)
	}
	return after
}

var passing = SheetOptions{Exists: ExistsUpdate, Wrong: WrongPass}

func TestImportOfASheetAndItsUndoing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := New(d)
		mustImport(t, s, owner, readMap(t, "testdata/portal.yaml"))
		before := mustExport(t, s, "beanline")
		sheet := sheetOf("Supplier|Country|Delivers|Nature|Contact",
			"Nordhost|DE|Hosting|cloud|Desk", "Badland|Atlantis|||", "Rösthof AS|SE|Spot beans|goods|Ada", "Nimbus Hosting||||")
		done := carryOut(t, d, s, owner, SheetSuppliers, sheet, passing)
		if want := (SheetCounts{Rows: 4, Add: 2, Same: 1, Refuse: 1, Exist: 1}); done.State != SheetDone || done.Counts != want || !done.CanUndo {
			t.Fatalf("%+v %s", done, done.Note)
		}
		after := mustExport(t, s, "beanline")
		if organisationOf(after, "nordhost") == nil || organisationOf(after, "rosthof").Country != "SE" {
			t.Error("the import did not reach the chain")
		}
		refused, err := s.SheetRows(t.Context(), owner, done.ID)
		if err != nil || len(refused.Rows) != 1 || refused.Rows[0].Line != 3 {
			t.Errorf("the refused rows: %+v, %v", refused, err)
		}
		rows, err := s.SheetResult(t.Context(), owner, done.ID)
		if err != nil || len(rows) != 4 || rows[0].ID != "nordhost" || rows[1].Problems[0].Column != "Country" {
			t.Errorf("the result: %+v, %v", rows, err)
		}
		all := events(t, d, "beanline")
		if last := all[len(all)-1]; len(all) != 2 || last.Kind != EventImported || last.Subject != "sheet/1" || last.Actor != "Ada" {
			t.Errorf("events: %+v", all)
		}
		if _, err := s.UndoSheet(t.Context(), owner, done.ID); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, mustExport(t, s, "beanline")); diff != "" {
			t.Errorf("the undoing left a difference: %s", diff)
		}
		if again, err := s.SheetImport(t.Context(), owner, done.ID); err != nil || again.State != SheetUndone || again.UndoneBy != "Ada" {
			t.Errorf("%+v, %v", again, err)
		}
		if _, err := s.UndoSheet(t.Context(), owner, done.ID); entente.KindOf(err) != entente.KindConflict {
			t.Errorf("undone twice: %v", err)
		}
		if n := len(events(t, d, "beanline")); n != 3 {
			t.Errorf("%d events", n)
		}
	})
}

func TestUndoingNamesWhatChangedSince(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := New(d)
		mustImport(t, s, owner, readMap(t, "testdata/portal.yaml"))
		done := carryOut(t, d, s, owner, SheetSuppliers, sheetOf("Supplier|Country|Delivers|Nature", "Nordhost|DE|Hosting|cloud", "Solo|DE||"), passing)
		m := mustExport(t, s, "beanline")
		p := m.Processes[0]
		p.Needs = append(p.Needs, Need{Any: []NodeID{"nordhost-hosting"}})
		if _, err := s.PutProcess(t.Context(), owner, p, 0); err != nil {
			t.Fatal(err)
		}
		touched := mustExport(t, s, "beanline")
		_, err := s.UndoSheet(t.Context(), owner, done.ID)
		if entente.KindOf(err) != entente.KindConflict || !strings.Contains(err.Error(), p.Name) || !strings.Contains(err.Error(), "nordhost-hosting") {
			t.Errorf("a process needs it since: %v", err)
		}
		if diff := cmp.Diff(touched, mustExport(t, s, "beanline")); diff != "" {
			t.Error(diff)
		}
		changed := mustExport(t, s, "beanline")
		organisationOf(changed, "solo").Country = "FR"
		mustImport(t, s, owner, changed)
		_, err = s.UndoSheet(t.Context(), owner, done.ID)
		if entente.KindOf(err) != entente.KindConflict || !strings.Contains(err.Error(), "Solo: it was changed since") {
			t.Errorf("it was changed since: %v", err)
		}
	})
}

func TestImportBeginsAChain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := New(d)
		opt := passing
		opt.OwnName, opt.Currency = "Newcomer Ltd", "CHF"
		a := actor("newcomer", entente.RoleOwner)
		done := carryOut(t, d, s, a, SheetSuppliers, sheetOf("Supplier", "Nordhost"), opt)
		m := mustExport(t, s, "newcomer")
		if done.State != SheetDone || m.Currency != "CHF" || organisationOf(m, "newcomer").Name != "Newcomer Ltd" || len(m.Organisations) != 2 {
			t.Errorf("%+v %+v", done, m)
		}
	})
}

func TestImportAfterAnotherChangeFails(t *testing.T) {
	d := dbtest.SQLite(t)
	s := New(d)
	mustImport(t, s, owner, readMap(t, "testdata/portal.yaml"))
	draft, err := s.KeepSheet(t.Context(), owner, SheetSuppliers, "s.csv", sheetOf("Supplier", "Nordhost"))
	if err != nil {
		t.Fatal(err)
	}
	m := mustExport(t, s, "beanline")
	m.Processes[0].Owner = "Somebody else"
	mustImport(t, s, owner, m)
	if err := s.StartSheet(t.Context(), owner, draft.ID, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.StartSheet(t.Context(), owner, draft.ID, 1); entente.KindOf(err) != entente.KindConflict {
		t.Errorf("started twice: %v", err)
	}
	if err := journal.NewRunner(d, nil, nil, s.Jobs()).CatchUp(t.Context(), "beanline"); err != nil {
		t.Fatal(err)
	}
	failed, err := s.SheetImport(t.Context(), owner, draft.ID)
	if err != nil || failed.State != SheetFailed || !strings.Contains(failed.Note, "has changed since") {
		t.Errorf("%+v, %v", failed, err)
	}
	if err := s.DropSheet(t.Context(), owner, draft.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SheetImport(t.Context(), owner, draft.ID); entente.KindOf(err) != entente.KindNotFound {
		t.Errorf("dropped: %v", err)
	}
}

// Every method asks for the right to change the chain, and rows ask for theirs.
func TestSheetsAskForTheirRight(t *testing.T) {
	d := dbtest.SQLite(t)
	s := New(d)
	mustImport(t, s, owner, readMap(t, "testdata/portal.yaml"))
	sheet := sheetOf("Supplier", "Nordhost")
	draft, err := s.KeepSheet(t.Context(), owner, SheetSuppliers, "s.csv", sheet)
	if err != nil {
		t.Fatal(err)
	}
	id := draft.ID
	for name, act := range map[string]func(ctx context.Context, a entente.Actor) error{
		"keep": func(ctx context.Context, a entente.Actor) error {
			_, err := s.KeepSheet(ctx, a, SheetSuppliers, "s", sheet)
			return err
		},
		"get":     func(ctx context.Context, a entente.Actor) error { _, err := s.SheetImport(ctx, a, id); return err },
		"list":    func(ctx context.Context, a entente.Actor) error { _, err := s.SheetImports(ctx, a, 10); return err },
		"options": func(ctx context.Context, a entente.Actor) error { return s.SetSheetOptions(ctx, a, id, draft.Options) },
		"rows":    func(ctx context.Context, a entente.Actor) error { _, err := s.SheetRows(ctx, a, id); return err },
		"result":  func(ctx context.Context, a entente.Actor) error { _, err := s.SheetResult(ctx, a, id); return err },
		"preview": func(ctx context.Context, a entente.Actor) error { _, err := s.PreviewSheet(ctx, a, id); return err },
		"start":   func(ctx context.Context, a entente.Actor) error { return s.StartSheet(ctx, a, id, 0) },
		"run":     func(ctx context.Context, a entente.Actor) error { _, err := s.RunSheet(ctx, a, id, 0); return err },
		"undo":    func(ctx context.Context, a entente.Actor) error { _, err := s.UndoSheet(ctx, a, id); return err },
		"drop":    func(ctx context.Context, a entente.Actor) error { return s.DropSheet(ctx, a, id) },
	} {
		for _, role := range []entente.Role{entente.RoleAuditor, entente.RoleContact} {
			if err := act(t.Context(), actor("beanline", role)); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s as %s: %v", name, role, err)
			}
		}
		other := act(t.Context(), actor(entente.OrgID("other-"+name), entente.RoleOwner))
		if name != "keep" && name != "list" && entente.KindOf(other) != entente.KindNotFound {
			t.Errorf("%s from another organisation: %v", name, other)
		}
	}
	buyer := actor("beanline", entente.RoleProcurement)
	if done := carryOut(t, d, s, buyer, SheetSuppliers, sheet, passing); done.State != SheetDone {
		t.Errorf("procurement imports suppliers: %+v", done)
	}
	if _, err := s.KeepSheet(t.Context(), buyer, SheetProcesses, "s", sheet); entente.KindOf(err) != entente.KindDenied {
		t.Errorf("procurement imports processes: %v", err)
	}
	holder := actor("beanline", entente.RoleBusinessOwner, "bean-procurement")
	done := carryOut(t, d, s, holder, SheetProcesses, sheetOf("Process|Owner", "Bean procurement|Ada", "Bean distribution|Ada", "New one|Ada"), passing)
	if want := (SheetCounts{Rows: 3, Update: 1, Refuse: 2, Exist: 2}); done.Counts != want {
		t.Errorf("a business owner: %+v", done.Counts)
	}
}

// At most so many drafts are kept, and old ones go.
func TestDraftsAreBounded(t *testing.T) {
	d := dbtest.SQLite(t)
	s := New(d)
	for i := range maxOpenSheets + 3 {
		if _, err := s.KeepSheet(t.Context(), owner, SheetSuppliers, fmt.Sprint(i), sheetOf("Supplier", "A")); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.SheetImports(t.Context(), owner, 100)
	if err != nil || len(all) != maxOpenSheets || all[0].File != fmt.Sprint(maxOpenSheets+2) {
		t.Errorf("%d drafts, %v", len(all), err)
	}
	err = d.Write(t.Context(), "beanline", func(tx *db.Tx) error {
		return clearSheets(t.Context(), tx, "beanline", time.Now().Add(keepDrafts+time.Minute))
	})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := s.SheetImports(t.Context(), owner, 100); err != nil || len(all) != 0 {
		t.Errorf("%d drafts are left after a day, %v", len(all), err)
	}
	for name, bad := range map[string]Sheet{"no rows": sheetOf("Supplier"), "nothing": {}} {
		if _, err := s.KeepSheet(t.Context(), owner, SheetSuppliers, "x", bad); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := Sheet{Heading: []string{"Supplier"}, Rows: make([]SheetRow, MaxSheetRows+1)}
	if _, err := s.KeepSheet(t.Context(), owner, SheetSuppliers, "x", long); entente.KindOf(err) != entente.KindTooLarge {
		t.Errorf("too many rows: %v", err)
	}
}

// How far an import of 10,000 rows is can be read from another replica, which has
// nothing in common with the one that runs it but the database.
func TestProgressOfAnImportIsSeenByOtherReplicas(t *testing.T) {
	const rows = 10_000
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		d := dbtest.Open(t, c)
		s, other := New(d), New(d)
		if d.Engine() == db.Postgres { // SQLite is for one process
			other = New(dbtest.Open(t, c))
		}
		a := actor("newcomer", entente.RoleOwner)
		kept, err := s.KeepSheet(t.Context(), a, SheetSuppliers, "s.csv", bigSheet(rows))
		if err != nil {
			t.Fatal(err)
		}
		kept.Options.Wrong = WrongPass
		if err := s.SetSheetOptions(t.Context(), a, kept.ID, kept.Options); err != nil {
			t.Fatal(err)
		}
		if err := s.StartSheet(t.Context(), a, kept.ID, 0); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := s.RunSheet(t.Context(), a, kept.ID, 0)
			ended <- err
		}()
		var seen []int
		var last SheetImport
		for last.State != SheetDone {
			last, err = other.SheetImport(t.Context(), a, kept.ID)
			if err != nil {
				t.Fatal(err)
			}
			if last.State != SheetWaiting && last.State != SheetDone {
				t.Fatalf("%+v, %v", last, <-ended)
			}
			if n := len(seen); n == 0 || seen[n-1] != last.Checked {
				seen = append(seen, last.Checked)
			}
		}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		between := slices.ContainsFunc(seen, func(n int) bool { return n > 0 && n < rows })
		if !between || !slices.IsSorted(seen) || seen[len(seen)-1] != rows {
			t.Errorf("seen by the other replica: %d", seen)
		}
		if err := s.DropSheet(t.Context(), a, kept.ID); entente.KindOf(err) != entente.KindConflict {
			t.Errorf("thrown away once it is done: %v", err)
		}
		if last.Counts.Rows != rows || !last.CanUndo {
			t.Errorf("%+v", last)
		}
	})
}

// Whoever changes the chain between the working out of the rows and their writing is
// not overwritten.
func TestImportIsWorkedOutAgainAfterAnotherChange(t *testing.T) {
	d := dbtest.SQLite(t)
	s := New(d)
	mustImport(t, s, owner, readMap(t, "testdata/portal.yaml"))
	sheet := sheetOf("Supplier", "Nordhost")
	kept, err := s.KeepSheet(t.Context(), owner, SheetSuppliers, "s.csv", sheet)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.StartSheet(t.Context(), owner, kept.ID, 0); err != nil {
		t.Fatal(err)
	}
	found, err := s.SheetImport(t.Context(), owner, kept.ID)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := s.planAhead(t.Context(), owner, found, sheet, 0)
	if err != nil {
		t.Fatal(err)
	}
	quicker := mustExport(t, s, "beanline")
	quicker.Organisations = append(quicker.Organisations, Organisation{ID: "meanwhile", Name: "Meanwhile"})
	mustImport(t, s, owner, quicker)
	if _, err := s.takeOver(t.Context(), owner, found, sheet, plan, plan.Revision); entente.KindOf(err) != entente.KindConflict {
		t.Errorf("bound to the preview: %v", err)
	}
	if _, err := s.takeOver(t.Context(), owner, found, sheet, plan, 0); err != nil {
		t.Fatal(err)
	}
	m := mustExport(t, s, "beanline")
	if organisationOf(m, "meanwhile") == nil || organisationOf(m, "nordhost") == nil {
		t.Error("one of the two changes is lost")
	}
}

func BenchmarkImportSheet(b *testing.B) {
	d := dbtest.SQLite(b)
	s := New(d)
	n := 0
	for b.Loop() {
		n++
		a := actor(entente.OrgID(fmt.Sprintf("org-%d", n)), entente.RoleOwner)
		kept, err := s.KeepSheet(b.Context(), a, SheetSuppliers, "s.csv", bigSheet(10_000))
		if err != nil {
			b.Fatal(err)
		}
		kept.Options.Wrong = WrongPass
		if err := s.SetSheetOptions(b.Context(), a, kept.ID, kept.Options); err != nil {
			b.Fatal(err)
		}
		if err := s.StartSheet(b.Context(), a, kept.ID, 0); err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		if _, err := s.RunSheet(b.Context(), a, kept.ID, 0); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begin).Milliseconds()), "ms/run")
		begin = time.Now()
		if _, err := s.UndoSheet(b.Context(), a, kept.ID); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begin).Milliseconds()), "ms/undo")
	}
}
