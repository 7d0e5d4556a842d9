package inventory

import (
	"fmt"
	"testing"

	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// A first large document tells PostgreSQL how large the dictionary has become, so that
// the next one is looked up by its keys.
func TestALargeImportIsSurveyed(t *testing.T) {
	d := dbtest.Postgres(t)
	s := stage(t, d)
	components := make([]string, firstSurvey)
	for i := range components {
		components[i] = lib(fmt.Sprintf("lib-%d", i), "1.0")
	}
	record(t, s, "portal", cyclone(components[:100]...))
	rows := func() (n float64) {
		err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
			n, err = db.One(t.Context(), tx, db.Value[float64], "SELECT reltuples FROM pg_class WHERE relname = 'inventory_package'")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := rows(); n >= firstSurvey {
		t.Errorf("%v rows are known of 100", n)
	}
	record(t, s, "portal", cyclone(components...))
	if n := rows(); n < firstSurvey {
		t.Errorf("%v rows are known of %d", n, firstSurvey)
	}
}

func TestSurveysAreFew(t *testing.T) {
	for _, c := range []struct {
		before, now uint32
		want        bool
	}{
		{0, 0, false}, {0, 4095, false}, {4000, 4096, true}, {4096, 16383, false}, {0, 1_000_000, true},
		{16_383, 16_384, true}, {16_384, 65_535, false}, {1<<32 - 2, 1<<32 - 1, false},
	} {
		if got := grown(c.before, c.now); got != c.want {
			t.Errorf("from %d to %d: %v", c.before, c.now, got)
		}
	}
}
