package db_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

type item struct {
	org string
	n   int64
	s   string
	b   []byte
}

func scanItem(s db.Scanner) (item, error) {
	var i item
	err := s.Scan(&i.org, &i.n, &i.s, &i.b)
	return i, err
}

const itemTable = "CREATE TABLE test_item (org TEXT NOT NULL, n INTEGER NOT NULL, s TEXT NOT NULL, b BLOB, PRIMARY KEY (org, n)) STRICT, WITHOUT ROWID;"

func withItems(t *testing.T, f func(t *testing.T, d *db.DB)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := db.MakeTable(t.Context(), d, itemTable); err != nil {
			t.Fatal(err)
		}
		f(t, d)
	})
}

// items gives rows in a slice that is used again, as callers may do.
func items(from, to int) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		row := make([]any, 4)
		buf := make([]byte, 2)
		for n := from; n < to; n++ {
			buf[0], buf[1] = byte(n), byte(n>>8)
			row[0], row[1], row[2], row[3] = "acme", n, fmt.Sprintf("item %d", n), buf
			if n%5 == 0 {
				row[3] = nil
			}
			if !yield(row) {
				return
			}
		}
	}
}

func TestInsert(t *testing.T) {
	withItems(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		const rows = 5003
		err := d.Write(ctx, "acme", func(tx *db.Tx) error {
			n, err := tx.Insert(ctx, "INSERT INTO test_item (org, n, s, b) VALUES", "", items(0, rows))
			if err != nil || n != rows {
				t.Errorf("%d rows written, %v", n, err)
			}
			n, err = tx.Insert(ctx, "INSERT INTO test_item (org, n, s, b) VALUES", "ON CONFLICT (org, n) DO NOTHING", items(rows-10, rows+5000))
			if err != nil || n != 5000 {
				t.Errorf("%d more rows written, %v", n, err)
			}
			n, err = tx.Insert(ctx, "INSERT INTO test_item (org, n, s, b) VALUES", "ON CONFLICT (org, n) DO UPDATE SET s = 'again'", items(0, 3))
			if err != nil || n != 3 {
				t.Errorf("%d rows changed, %v", n, err)
			}
			n, err = tx.Insert(ctx, "INSERT INTO test_item (org, n, s, b) VALUES", "", items(0, 0))
			if err != nil || n != 0 {
				t.Errorf("%d rows of none written, %v", n, err)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Read(ctx, func(tx *db.Tx) error {
			all, err := db.All(ctx, tx, scanItem, "SELECT org, n, s, b FROM test_item WHERE org = $1 ORDER BY n", "acme")
			if err != nil {
				return err
			}
			if len(all) != rows+5000 {
				t.Fatalf("%d rows are there", len(all))
			}
			for n, i := range all {
				want := item{"acme", int64(n), fmt.Sprintf("item %d", n), []byte{byte(n), byte(n >> 8)}}
				if n < 3 {
					want.s = "again"
				}
				if n%5 == 0 {
					want.b = nil
				}
				if i.org != want.org || i.n != want.n || i.s != want.s || !slices.Equal(i.b, want.b) || (i.b == nil) != (want.b == nil) {
					t.Fatalf("row %d is %+v, want %+v", n, i, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestInsertRefuses(t *testing.T) {
	withItems(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		for name, row := range map[string][]any{
			"too few values": {"acme", 1, "s"},
			"wrong type":     {"acme", "one", "s", nil},
			"NUL":            {"acme", 1, "a\x00", nil},
			"missing":        {"acme", 1, nil, nil},
		} {
			for _, suffix := range []string{"", "update"} {
				err := d.Write(ctx, "acme", func(tx *db.Tx) error {
					rows := slices.Values([][]any{{"acme", 0, "good", nil}, row})
					if suffix == "" {
						_, err := tx.Insert(ctx, "INSERT INTO test_item (org, n, s, b) VALUES", "", rows)
						return err
					}
					_, err := tx.Insert(ctx, "INSERT INTO test_item (org, n, s, b) VALUES", "ON CONFLICT (org, n) DO NOTHING", rows)
					return err
				})
				if err == nil {
					t.Errorf("%s, suffix %q: taken", name, suffix)
				}
			}
		}
		err := d.Read(ctx, func(tx *db.Tx) error {
			n, err := db.One(ctx, tx, db.Value[int], "SELECT COUNT(*) FROM test_item")
			if n != 0 {
				t.Errorf("%d rows were kept", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestQuery(t *testing.T) {
	withItems(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		err := d.Write(ctx, "acme", func(tx *db.Tx) error {
			_, err := tx.Insert(ctx, "INSERT INTO test_item (org, n, s, b) VALUES", "", items(0, 30))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		const all = "SELECT n FROM test_item"
		for name, c := range map[string]struct {
			q    *db.Query
			want []int
		}{
			"all filters":     {db.Select(all).And("org = $1", "acme").AndIf(true, "n >= $1 AND n < $2", 3, 9).AndIf(false, "n = $1", 4711).Order("n").Page(3, 2), []int{5, 6, 7}},
			"or is bracketed": {db.Select(all).And("n = $1 OR n = $2", 1, 2).And("n > $1 OR n < $1", 1).Order("n"), []int{2}},
			"own where":       {db.Select("SELECT n FROM test_item WHERE n < $1", 5).And("n > $1", 3).Order("n"), []int{4}},
			"where inside":    {db.Select("SELECT n FROM (SELECT n FROM test_item WHERE n < $1) x", 5).And("n > $1", 3).Order("n"), []int{4}},
			"quoted dollar":   {db.Select(all).And("n = $1", 7).And("'$1' <> $1", "x").Order("n"), []int{7}},
			"twice":           {db.Select(all).And("n >= $1", 28).And("n <> $1 AND n <> $1 - 1", 5).Order("n DESC"), []int{29, 28}},
			"group":           {db.Select("SELECT n / 10 FROM test_item").And("n < $1", 25).Group("n / 10 HAVING COUNT(*) > $1", 5).Order("n / 10").Page(10, 0), []int{0, 1}},
			"none":            {db.Select(all).And("n > $1", 100), nil},
		} {
			err := d.Read(ctx, func(tx *db.Tx) error {
				got, err := db.AllOf(ctx, tx, db.Value[int], c.q)
				if err == nil && !slices.Equal(got, c.want) {
					t.Errorf("%s: %v, want %v", name, got, c.want)
				}
				return err
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		err = d.Read(ctx, func(tx *db.Tx) error {
			sum := 0
			err := db.Each(ctx, tx, "SELECT n FROM test_item WHERE n < $1", func(s db.Scanner) error {
				n, err := db.Value[int](s)
				sum += n
				return err
			}, 4)
			if err != nil || sum != 6 {
				t.Errorf("each: %d, %v", sum, err)
			}
			errRow := errors.New("enough")
			err = db.Each(ctx, tx, "SELECT n FROM test_item", func(db.Scanner) error { return errRow })
			if !errors.Is(err, errRow) {
				t.Errorf("each: %v", err)
			}
			if _, err := db.One(ctx, tx, db.Value[int], "SELECT n FROM test_item WHERE n = -1"); !errors.Is(err, db.ErrNoRow) {
				t.Errorf("one of none: %v", err)
			}
			// Neither of these is a failure of the transaction.
			_, err = db.One(ctx, tx, db.Value[int], "SELECT n FROM test_item ORDER BY n")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// SQL is a constant, or it does not compile.
func TestVariableSQLDoesNotCompile(t *testing.T) {
	list, err := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(list)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	files := token.NewFileSet()
	packages := importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	check := func(call string) error {
		src := `package p
import (
	"context"
	"github.com/entente-project/entente/internal/db"
)
const where = " WHERE org = $1"
type named string
func f(ctx context.Context, tx *db.Tx, s string, n named) {
	` + call + `
}`
		f, err := parser.ParseFile(files, "p.go", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		c := types.Config{Importer: packages}
		_, err = c.Check("p", files, []*ast.File{f}, nil)
		return err
	}
	for _, call := range []string{
		`tx.Exec(ctx, "DELETE FROM t")`,
		`tx.Exec(ctx, "DELETE FROM t" + where, s)`,
		`db.Select("SELECT a FROM t").And("a = $1", s)`,
	} {
		if err := check(call); err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
	for _, call := range []string{
		`tx.Exec(ctx, s)`,
		`tx.Exec(ctx, "DELETE FROM t WHERE a = '" + s + "'")`,
		`tx.Exec(ctx, n)`,
		`tx.Insert(ctx, s, "", nil)`,
		`tx.Insert(ctx, "INSERT INTO t (a) VALUES", s, nil)`,
		`db.All(ctx, tx, db.Value[int], s)`,
		`db.One(ctx, tx, db.Value[int], "SELECT " + s)`,
		`db.Each(ctx, tx, s, nil)`,
		`db.Select(s)`,
		`db.Select("SELECT a FROM t").And(s)`,
		`db.Select("SELECT a FROM t").AndIf(true, s)`,
		`db.Select("SELECT a FROM t").Order(s)`,
	} {
		err := check(call)
		if err == nil || !strings.Contains(err.Error(), "text") {
			t.Errorf("%s: %v", call, err)
		}
	}
}
