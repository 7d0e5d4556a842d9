package vex

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/entente-project/entente"
)

const open = `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://a.example/vex-1","author":"Rösthof","timestamp":"2026-05-12T10:00:00Z","version":1,"statements":[
 {"vulnerability":{"name":"CVE-2026-1","aliases":["GHSA-aaaa-bbbb-cccc"]},"products":[{"@id":"pkg:oci/roaster@3.0?arch=x","subcomponents":[{"@id":"pkg:npm/left-pad@1.3.0"}]}],"status":"not_affected","justification":"vulnerable_code_not_present","impact_statement":"never shipped"}]}`

const cdx = `{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"metadata":{"timestamp":"2026-05-12T10:00:00Z","component":{"bom-ref":"p","name":"Roaster 3","version":"3.0"}},"components":[{"bom-ref":"c","name":"left-pad","purl":"pkg:npm/left-pad@1.3.0"}],
 "vulnerabilities":[{"id":"CVE-2026-1","analysis":{"state":"resolved","detail":"in 3.1"},"affects":[{"ref":"p"},{"ref":"c"}]},{"id":"CVE-2026-2"}]}`

func TestRead(t *testing.T) {
	all, err := Read([]byte(open))
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	s := all[0]
	if s.Vulnerability != "CVE-2026-1" || len(s.Aliases) != 1 || s.Status != NotAffected || s.Text != "never shipped" || s.At.Format(time.DateOnly) != "2026-05-12" ||
		len(s.Products) != 1 || s.Products[0].Name != "roaster" || s.Products[0].Version != "3.0" || len(s.Products[0].Packages) != 1 {
		t.Errorf("%+v", s)
	}
	all, err = Read([]byte(cdx))
	if err != nil || len(all) != 1 || all[0].Status != Fixed || len(all[0].Products) != 2 || all[0].Products[0].Name != "Roaster 3" || len(all[0].Products[0].Packages) != 0 || all[0].Products[1].Packages[0] != "pkg:npm/left-pad@1.3.0" {
		t.Errorf("%+v %v", all, err)
	}
	for _, text := range []string{"", "7", "{}", `{"bomFormat":"CycloneDX"}`, `{"statements":[{"status":"maybe","vulnerability":"CVE-1"}]}`, `{"statements":[{"status":"fixed"}]}`} {
		if _, err := Read([]byte(text)); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Read(make([]byte, MaxBytes+1)); entente.KindOf(err) != entente.KindTooLarge {
		t.Error(err)
	}
}

func TestWriteIsRead(t *testing.T) {
	said := Statement{Vulnerability: "CVE-2026-1", Products: []Product{{Name: "Roaster 3"}}, Status: Affected, Action: "update", At: time.Date(2026, 5, 12, 10, 0, 0, 0, time.UTC)}
	text, err := Write("Rösthof", "urn:x", said)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Read(text)
	if err != nil || len(all) != 1 || all[0].Action != "update" || all[0].Products[0].Name != "Roaster 3" || !all[0].At.Equal(said.At) {
		t.Errorf("%+v %v", all, err)
	}
}

// Real documents are read, or refused with a reason.
func TestRealDocuments(t *testing.T) {
	files, _ := filepath.Glob("../../../../shared/data/vex/*.json")
	if len(files) == 0 {
		t.Skip("the shared data is not there: no real VEX document is read")
	}
	read := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all, err := Read(data)
		if err == nil {
			read++
			continue
		}
		if kind := entente.KindOf(err); kind != entente.KindInvalid && kind != entente.KindTooLarge {
			t.Errorf("%s: %v %v", name, all, err)
		}
	}
	if read < 20 {
		t.Errorf("only %d of %d were read", read, len(files))
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(open))
	f.Add([]byte(cdx))
	f.Add([]byte(`{"statements":[{"vulnerability":"CVE-1","products":["pkg:a/b@1"],"subcomponents":["x"],"status":"fixed"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := Read(data)
		if err != nil {
			return
		}
		for _, s := range all {
			if s.Vulnerability == "" || !json.Valid([]byte(`"`+string(s.Status)+`"`)) {
				t.Errorf("%+v", s)
			}
		}
	})
}
