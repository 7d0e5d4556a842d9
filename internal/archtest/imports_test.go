package archtest

import (
	"slices"
	"strings"
	"testing"
)

// floors is the direction of the house, from the ground up: a room imports only
// rooms on lower floors, never one beside it. "" is the vocabulary.
var floors = [][]string{
	{""},
	{"internal/db", "internal/draw", "internal/outbound", "internal/sheet"},
	{"internal/journal"},
	{"internal/identity"},
	{"internal/chain", "internal/exchange", "internal/notify"},
	{"internal/partner", "internal/inventory"},
	{"internal/assurance", "internal/contract", "internal/advisory", "internal/threat"},
	{"internal/incident"},
	{"internal/posture", "internal/commons"},
	{"internal/search", "internal/diagram"},
	{"internal/carry"},
	{"internal/api"},
	{"internal/web"},
	{"internal/node"},
	{"internal/nodetest"},
	{"cmd", "internal/bench"},
}

// apart never import a domain room: they carry what the rooms hand them.
var apart = []string{"internal/exchange", "internal/notify"}

// carriers are what the rooms of apart may know.
var carriers = []string{"", "internal/outbound", "internal/db", "internal/journal", "internal/identity"}

// pure packages have no part in rooms: they may import only what is listed, from
// the house, and never a database.
var pure = map[string][]string{
	"catalog":                       {},
	"internal/archtest":             {},
	"internal/inventory/jsonstream": {},
	"internal/inventory/sbom":       {},
	"internal/inventory/cyclonedx":  {"internal/inventory/sbom", "internal/inventory/jsonstream"},
	"internal/inventory/spdx":       {"internal/inventory/sbom", "internal/inventory/jsonstream"},
	"internal/advisory/osv":         {},
	"internal/advisory/csaf":        {},
	"internal/advisory/vex":         {},
	"internal/threat/stix":          {},
}

// ends are reached by nobody but the floor above them.
var ends = []string{"internal/web", "internal/api"}

// room gives the room that a folder belongs to.
func room(dir string) string {
	parts := strings.Split(dir, "/")
	switch {
	case dir == "":
		return ""
	case parts[0] == "internal" && len(parts) > 1:
		return "internal/" + parts[1]
	}
	return parts[0]
}

func floor(room string) int {
	return slices.IndexFunc(floors, func(f []string) bool { return slices.Contains(f, room) })
}

func TestImportDirection(t *testing.T) {
	for _, s := range sources(t) {
		if _, listed := pure[s.dir]; !listed && room(s.dir) != "tools" && floor(room(s.dir)) < 0 {
			t.Errorf("%s: the folder %s has no floor; give it one in archtest, or move it into a room", s.path, s.dir)
			continue
		}
		for _, imported := range s.imports {
			inside := imported == module || strings.HasPrefix(imported, module+"/")
			if s.dir == "" && !s.test && !inside && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("%s imports %s: the vocabulary needs nothing but the standard library", s.path, imported)
			}
			if !inside {
				continue
			}
			target := strings.TrimPrefix(strings.TrimPrefix(imported, module), "/")
			if reason := forbidden(s.dir, target, s.test); reason != "" {
				t.Errorf("%s imports %s: %s", s.path, imported, reason)
			}
		}
	}
}

// forbidden says why a package in from may not import to; "" if it may. Tests may
// also use catalog's demonstration and the rooms' own test servers.
func forbidden(from, to string, test bool) string {
	if from == to {
		return ""
	}
	allowed, fromPure := pure[from]
	if test && (to == "catalog" || to == "" || to == "internal/db/dbtest" && !fromPure) {
		return ""
	}
	if fromPure {
		if slices.Contains(allowed, to) || to == "" {
			return ""
		}
		return "a pure package knows only the vocabulary and " + strings.Join(append(allowed, "nothing else"), ", ")
	}
	if !test && strings.HasSuffix(to, "test") && !strings.HasSuffix(from, "test") && room(from) != "internal/bench" {
		return "test servers are for tests"
	}
	if _, toPure := pure[to]; toPure && room(to) != room(from) && floor(room(to)) < 0 {
		if to == "catalog" && floor(room(from)) >= floor("internal/api") {
			return ""
		}
		return to + " is only for the doors and the command"
	}
	a, b := room(from), room(to)
	if a == b {
		return ""
	}
	if slices.Contains(apart, a) && !slices.Contains(carriers, b) {
		return a + " carries what it is handed and never imports a domain room"
	}
	if slices.Contains(apart, b) && floor(a) < floor("internal/carry") {
		return b + " is reached by what carries, the doors and the command only"
	}
	if slices.Contains(ends, b) && floor(a) < floor("internal/node") {
		return "nothing below the node imports " + b
	}
	if floor(b) >= floor(a) {
		return b + " stands on the same floor or above; calls go only downwards"
	}
	return ""
}

func TestForbiddenNamesTheRule(t *testing.T) {
	cases := []struct {
		from, to string
		test     bool
		ok       bool
	}{
		{"internal/chain", "", false, true},
		{"internal/chain", "internal/journal", false, true},
		{"internal/journal", "internal/chain", false, false},
		{"internal/inventory", "internal/chain", false, true},
		{"internal/inventory", "internal/advisory", false, false},
		{"internal/inventory", "internal/partner", false, false},
		{"internal/inventory/spdx", "internal/inventory/sbom", false, true},
		{"internal/inventory/spdx", "internal/db", false, false},
		{"internal/inventory/spdx", "internal/db/dbtest", true, false},
		{"internal/chain", "internal/db/dbtest", true, true},
		{"internal/chain", "internal/db/dbtest", false, false},
		{"internal/chain", "catalog", true, true},
		{"internal/chain", "catalog", false, false},
		{"cmd/entente", "catalog", false, true},
		{"internal/notify", "internal/chain", false, false},
		{"internal/chain", "internal/notify", false, false},
		{"cmd/entente", "internal/notify", false, true},
		{"internal/advisory", "internal/web", false, false},
		{"internal/web", "internal/api", false, false},
		{"internal/web", "internal/advisory", false, true},
		{"internal/node", "internal/web", false, true},
		{"internal/web", "internal/node", false, false},
		{"internal/node", "internal/nodetest", true, false},
		{"cmd/entente", "internal/node", false, true},
	}
	for _, c := range cases {
		reason := forbidden(c.from, c.to, c.test)
		if (reason == "") != c.ok {
			t.Errorf("%s → %s (test %v): got %q", c.from, c.to, c.test, reason)
		}
	}
}

// Only internal/db opens a database, so that every query passes its snapshot, its
// one writer per organisation and its retries.
func TestOnlyDBOpensADatabase(t *testing.T) {
	drivers := []string{"database/sql", "database/sql/driver", "modernc.org/sqlite", "github.com/jackc/pgx", "github.com/pressly/goose", "github.com/ncruces/go-sqlite3"}
	for _, s := range sources(t) {
		if s.test || room(s.dir) == "internal/db" {
			continue
		}
		for _, imported := range s.imports {
			for _, driver := range drivers {
				if imported == driver || strings.HasPrefix(imported, driver+"/") {
					t.Errorf("%s imports %s: only internal/db opens a database; use db.Read, db.Write and db.ErrNoRow", s.path, imported)
				}
			}
		}
	}
}
