package db_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

var update = flag.Bool("update", false, "write schema.txt anew from the migrations")

// nodeWide are the tables whose rows belong to no organisation: people, what is
// theirs alone, and the node's own settings.
var nodeWide = []string{
	"goose_db_version", // the version of the schema
	"identity_person",
	"identity_credential",
	"identity_session",
	"identity_challenge", // of a sign-in that has begun
	"identity_rate",      // of sign-ins that failed
	"identity_preference",
	"identity_node_setting",
}

type column struct {
	name, class string
	notNull     bool
}

type table struct {
	columns []column
	key     []string
	indexes []string
}

// The final schema is the same on both engines, and as schema.txt pictures it.
func TestSchema(t *testing.T) {
	lite := picture(sqliteSchema(t))
	if *update {
		if err := os.WriteFile("schema.txt", []byte(lite), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("schema.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), lite); diff != "" {
		t.Errorf("the schema is not the one of schema.txt (-schema.txt +migrations); if that is meant, run: go test ./internal/db -run TestSchema -update\n%s", diff)
	}
	if diff := cmp.Diff(lite, picture(postgresSchema(t))); diff != "" {
		t.Errorf("the engines differ (-SQLite +PostgreSQL):\n%s", diff)
	}
}

// What was said before there was a column for its label gets it from its marking.
func TestLabelsOfStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, labels := t.Context(), entente.TLPs()
		for _, l := range labels {
			marking, err := json.Marshal(entente.Marking{TLP: l, Purpose: "TLP:RED"})
			if err != nil {
				t.Fatal(err)
			}
			err = db.Run(ctx, d, `INSERT INTO exchange_statement (org, id, kind, subject, title, marking, body, blobs, originator, withheld, basis, decisions, state, why, at, person, by, recalled_at)
				VALUES ('beanline', $1, '', '', '', $2, $3, '', '', 0, '', '', '', '', 0, '', '', 0)`, l.String(), string(marking), []byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := db.RunMigration(ctx, d, "0029_exchange_statement_tlp.sql", "UPDATE"); err != nil {
			t.Fatal(err)
		}
		var got []string
		err := d.Read(ctx, func(tx *db.Tx) error {
			return db.Each(ctx, tx, "SELECT id FROM exchange_statement WHERE tlp > 0 ORDER BY tlp", func(row db.Scanner) error {
				var id string
				err := row.Scan(&id)
				got = append(got, id)
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, l := range labels {
			want = append(want, l.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("in the order of their labels: %v, want %v", got, want)
		}
	})
}

// What expired before its rooms said so is told apart from what was taken back, by the
// entry that brought it.
func TestWhatHadExpired(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		run := func(q string, args ...any) {
			t.Helper()
			if err := db.Run(ctx, d, q, args...); err != nil {
				t.Fatal(err)
			}
		}
		for number, state := range map[int64]string{1: "recalled", 2: "expired"} {
			run(`INSERT INTO exchange_entry (org, party, way, number, hash, envelope, kind, subject, originator, marking, statement, state, why, said_at, stored_at, delivered_at, read_at, read_by, answered_at, outcome, outcome_why, expires_at)
				VALUES ('beanline', 'p', 'in', $1, $2, NULL, '', '', '', '{}', '', $3, '', 0, 0, 0, 0, '', 0, '', '', 500)`, number, []byte{}, state)
			run(`INSERT INTO threat_object (org, party, number, id, type, title, by, tlp, at, raw, ended_at) VALUES ('beanline', 'p', $1, 'x', '', '', '', '', 0, $2, 900)`, number, []byte{})
			run(`INSERT INTO advisory_record (org, id, member_of, digest, modified, published, withdrawn, recorded, source, summary, level, score, vector, ecosystems, party, number, ended_at)
				VALUES ('beanline', $1, '', $2, 0, 0, 0, 0, '', '', 0, 0, '', '', 'p', $3, 900)`, state, []byte{}, number)
			run(`INSERT INTO advisory_vex (org, product, vulnerability, party, number, n, name, by, status, justification, text, action, packages, at, state, ended_at) VALUES ('beanline', 'x', 'x', 'p', $1, 0, '', '', '', '', '', '', '[]', 0, 'recalled', 900)`, number)
			run(`INSERT INTO chain_disclosed (org, party, number, supplier, name, tlp, at, state, ended_at, body) VALUES ('beanline', 'p', $1, '', '', '', 0, 'recalled', 900, '{}')`, number)
			run(`INSERT INTO inventory_document (org, id, product, part, file, format, spec_version, encoding, serial, revision, name, subject, created_at, recorded_at, recorded_by, sha256, size, components, packages, assessable, unversioned, vulnerabilities, types, authors, tools, oddities, more_oddities, superseded_at, superseded_by, removed_at, party, number, recalled)
				VALUES ('beanline', $1, '', '', '', '', '', '', '', '', '', '', 0, 0, '', '', 0, 0, 0, 0, 0, 0, '{}', '[]', '[]', '[]', 0, 0, 0, 900, 'p', $1, 1)`, number)
		}
		if err := db.RunMigration(ctx, d, "0030_expired.sql", "UPDATE"); err != nil {
			t.Fatal(err)
		}
		got := map[string][]string{}
		err := d.Read(ctx, func(tx *db.Tx) error {
			return db.Each(ctx, tx, `SELECT 'exchange_entry', number, state, ended_at FROM exchange_entry
				UNION ALL SELECT 'threat_object', number, CASE WHEN expired = 1 THEN 'expired' ELSE 'recalled' END, ended_at FROM threat_object
				UNION ALL SELECT 'advisory_record', number, CASE WHEN expired = 1 THEN 'expired' ELSE 'recalled' END, ended_at FROM advisory_record
				UNION ALL SELECT 'advisory_vex', number, state, ended_at FROM advisory_vex
				UNION ALL SELECT 'chain_disclosed', number, state, ended_at FROM chain_disclosed
				UNION ALL SELECT 'inventory_document', number, CASE WHEN expired = recalled THEN 'both' WHEN expired = 1 THEN 'expired' ELSE 'recalled' END, removed_at FROM inventory_document
				ORDER BY 1, 2`, func(row db.Scanner) error {
				var table, state string
				var number, at int64
				err := row.Scan(&table, &number, &state, &at)
				got[table] = append(got[table], fmt.Sprint(state, " ", at))
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		both := []string{"recalled 900", "expired 500"}
		want := map[string][]string{
			"exchange_entry": {"recalled 0", "expired 500"}, // when the first was taken back, nobody wrote down
			"threat_object":  both, "advisory_record": both, "advisory_vex": both, "chain_disclosed": both, "inventory_document": both,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what is written of how it went (-want +got):\n%s", diff)
		}
	})
}

// Rows belong to one organisation, and their keys begin with it.
func TestKeysBeginWithTheOrganisation(t *testing.T) {
	check := func(t *testing.T, schema map[string]table) {
		for name, tab := range schema {
			if slices.Contains(nodeWide, name) {
				continue
			}
			if len(tab.key) == 0 || tab.key[0] != "org" {
				t.Errorf("the primary key of %s is (%s); it must begin with org, or the table must be node-wide by the list in this test", name, strings.Join(tab.key, ", "))
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) { check(t, sqliteSchema(t)) })
	t.Run("postgres", func(t *testing.T) { check(t, postgresSchema(t)) })
}

func picture(schema map[string]table) string {
	names := make([]string, 0, len(schema))
	for name := range schema {
		if name != "goose_db_version" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		tab := schema[name]
		fmt.Fprintf(&b, "%s (%s)\n", name, strings.Join(tab.key, ", "))
		for _, c := range tab.columns {
			null := ""
			if !c.notNull {
				null = " null"
			}
			fmt.Fprintf(&b, "  %s %s%s\n", c.name, c.class, null)
		}
		slices.Sort(tab.indexes)
		for _, i := range tab.indexes {
			fmt.Fprintf(&b, "  index %s\n", i)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func rowsOf[T any](t *testing.T, d *db.DB, scan func(db.Scanner) (T, error), query func(ctx context.Context, tx *db.Tx) ([]T, error)) []T {
	t.Helper()
	var out []T
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		var err error
		out, err = query(t.Context(), tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

type columnRow struct {
	table string
	column
	key int // place in the primary key, from 1
}

func scanColumn(s db.Scanner) (columnRow, error) {
	var r columnRow
	err := s.Scan(&r.table, &r.name, &r.class, &r.notNull, &r.key)
	return r, err
}

type indexRow struct{ table, name, columns, unique string }

func scanIndex(s db.Scanner) (indexRow, error) {
	var r indexRow
	err := s.Scan(&r.table, &r.name, &r.columns, &r.unique)
	return r, err
}

func assemble(columns []columnRow, indexes []indexRow) map[string]table {
	out := map[string]table{}
	keys := map[string]map[int]string{}
	for _, r := range columns {
		tab := out[r.table]
		tab.columns = append(tab.columns, r.column)
		out[r.table] = tab
		if r.key > 0 {
			if keys[r.table] == nil {
				keys[r.table] = map[int]string{}
			}
			keys[r.table][r.key] = r.name
		}
	}
	for name, key := range keys {
		tab := out[name]
		for i := 1; i <= len(key); i++ {
			tab.key = append(tab.key, key[i])
		}
		out[name] = tab
	}
	for _, i := range indexes {
		tab := out[i.table]
		tab.indexes = append(tab.indexes, fmt.Sprintf("%s (%s)%s", i.name, i.columns, i.unique))
		out[i.table] = tab
	}
	return out
}

func sqliteSchema(t *testing.T) map[string]table {
	d := dbtest.SQLite(t)
	loose := rowsOf(t, d, db.Value[string], func(ctx context.Context, tx *db.Tx) ([]string, error) {
		return db.All(ctx, tx, db.Value[string], "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'")
	})
	for _, name := range loose {
		t.Errorf("table %s is not STRICT", name)
	}
	columns := rowsOf(t, d, scanColumn, func(ctx context.Context, tx *db.Tx) ([]columnRow, error) {
		return db.All(ctx, tx, scanColumn, `SELECT m.name, c.name,
			CASE c.type WHEN 'INTEGER' THEN 'integer' WHEN 'TEXT' THEN 'text' WHEN 'BLOB' THEN 'blob' WHEN 'REAL' THEN 'real' ELSE c.type END,
			c."notnull" OR c.pk > 0, c.pk
			FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`)
	})
	indexes := rowsOf(t, d, scanIndex, func(ctx context.Context, tx *db.Tx) ([]indexRow, error) {
		return db.All(ctx, tx, scanIndex, `SELECT m.name, CASE l.origin WHEN 'c' THEN l.name ELSE 'unique' END,
			(SELECT group_concat(COALESCE(name, 'expression'), ', ') FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno)),
			CASE WHEN l."unique" = 1 THEN ' unique' ELSE '' END || CASE WHEN l.partial = 1 THEN ' partial' ELSE '' END
			FROM sqlite_schema m JOIN pragma_index_list(m.name) l WHERE m.type = 'table' AND l.origin <> 'pk'`)
	})
	return assemble(columns, indexes)
}

func postgresSchema(t *testing.T) map[string]table {
	d := dbtest.Postgres(t)
	uncollated := rowsOf(t, d, db.Value[string], func(ctx context.Context, tx *db.Tx) ([]string, error) {
		return db.All(ctx, tx, db.Value[string], `SELECT table_name || '.' || column_name FROM information_schema.columns
			WHERE table_schema = 'public' AND data_type = 'text' AND COALESCE(collation_name, '') <> 'C'`)
	})
	for _, name := range uncollated {
		t.Errorf("column %s is not COLLATE \"C\"", name)
	}
	columns := rowsOf(t, d, scanColumn, func(ctx context.Context, tx *db.Tx) ([]columnRow, error) {
		return db.All(ctx, tx, scanColumn, `SELECT c.relname, a.attname,
			CASE format_type(a.atttypid, -1) WHEN 'bigint' THEN 'integer' WHEN 'text' THEN 'text' WHEN 'bytea' THEN 'blob'
				WHEN 'double precision' THEN 'real' ELSE format_type(a.atttypid, -1) END,
			a.attnotnull, COALESCE(array_position(i.indkey::int[], a.attnum::int) + 1, 0)
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
			WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname, a.attnum`)
	})
	indexes := rowsOf(t, d, scanIndex, func(ctx context.Context, tx *db.Tx) ([]indexRow, error) {
		return db.All(ctx, tx, scanIndex, `SELECT c.relname, CASE WHEN k.oid IS NULL THEN x.relname ELSE 'unique' END,
			(SELECT string_agg(COALESCE(a.attname, 'expression'), ', ' ORDER BY n.place) FROM unnest(i.indkey::int[]) WITH ORDINALITY n(attnum, place)
				LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.attnum),
			CASE WHEN i.indisunique THEN ' unique' ELSE '' END || CASE WHEN i.indpred IS NULL THEN '' ELSE ' partial' END
			FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
			LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.contype = 'u'
			WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT i.indisprimary`)
	})
	return assemble(columns, indexes)
}
