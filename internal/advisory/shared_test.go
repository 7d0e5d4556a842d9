package advisory

import (
	"os"
	"path/filepath"
	"testing"
)

// sharedData gives the folder with the real data, which lies beside the project.
func sharedData(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		data := filepath.Join(dir, "shared", "data")
		if info, err := os.Stat(data); err == nil && info.IsDir() {
			return data
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Skip("../shared/data is absent: this test needs the real data beside the project")
		}
		dir = up
	}
}
