package inventory

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db/dbtest"
)

func TestBindFolder(t *testing.T) {
	dir := fstest.MapFS{}
	for _, name := range []string{"portal.cdx.json", "Scale.SPDX.json.gz", "scale-app.json", "sub/scale-server.xml", "other.json", "README.md", ".hidden.json", ".git/portal.json", "log4j-2.17.json", "notes.txt", "shop"} {
		dir[name] = &fstest.MapFile{}
	}
	got, err := BindFolder(dir, []chain.Product{
		{ID: "portal"}, {ID: "scale"}, {ID: "scales", SBOMs: []string{"scale-*.json", "sub/*.xml"}}, {ID: "log4j-2.17"},
		{ID: "shop", SBOMs: []string{"shop"}}, {ID: "server", SBOMs: []string{"*-server.xml"}}, {ID: "missing"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Folder{
		Bound: []BoundFile{
			{"log4j-2.17.json", "log4j-2.17", ""}, {"portal.cdx.json", "portal", ""}, {"Scale.SPDX.json.gz", "scale", ""},
			{"scale-app.json", "scales", "scale-app.json"}, {"sub/scale-server.xml", "scales", "sub/scale-server.xml"},
			{"sub/scale-server.xml", "server", ""}, {"shop", "shop", ""},
		},
		Unbound: []string{"other.json"},
		Without: []chain.NodeID{"missing"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want - got +\n%s", diff)
	}
	if _, err := BindFolder(dir, []chain.Product{{ID: "x", SBOMs: []string{"["}}}); entente.KindOf(err) != entente.KindInvalid {
		t.Errorf("got %v", err)
	}
}

func TestRecordFolder(t *testing.T) {
	s := stage(t, dbtest.SQLite(t))
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	products := []chain.Product{{ID: "portal"}, {ID: "scale", SBOMs: []string{"scale-*.json"}}}
	run := func(dir fstest.MapFS, want string) FolderReport {
		t.Helper()
		f, err := BindFolder(dir, products)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		report, err := s.RecordFolder(t.Context(), analyst, dir, f, func(BoundFile) { seen++ })
		if err != nil {
			t.Fatal(err)
		}
		if seen != len(f.Bound) {
			t.Errorf("told of %d files of %d", seen, len(f.Bound))
		}
		if got := strings.Join(pairs(t, s.d), " "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		return report
	}
	one := fstest.MapFS{"portal.json": file("{"), "scale-a.json": file(cyclone(lib("a", "1")))}
	report := run(one, "1:a@1 1:portal@7")
	if len(report.Recorded) != 1 || len(report.Failed) != 1 || report.Failed[0].Path != "portal.json" {
		t.Errorf("got %+v", report)
	}
	one["portal.json"] = file(cyclone(lib("p", "1")))
	one["scale-b.json"] = file(cyclone(lib("b", "1")))
	report = run(one, "3:a@1 2:portal@7 3:portal@7 4:portal@7 2:p@1 4:b@1")
	if len(report.Recorded) != 3 || len(report.Stale) != 0 {
		t.Errorf("got %+v", report)
	}
	report = run(one, "3:a@1 2:portal@7 3:portal@7 4:portal@7 2:p@1 4:b@1")
	if report.Unchanged != 3 {
		t.Errorf("got %+v", report)
	}
	delete(one, "scale-b.json")
	report = run(one, "5:a@1 2:portal@7 5:portal@7 2:p@1")
	if len(report.Recorded) != 1 || len(report.Stale) != 0 {
		t.Errorf("got %+v", report)
	}
}
