package inventory

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

const benchSize = 50 << 20

// writeLarge writes a document of about size bytes with what real tools put into one,
// and says how many components it has.
func writeLarge(file, format string, size int) (int, error) {
	f, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriter(f)
	n, written := 0, 0
	put := func(format string, args ...any) {
		k, _ := fmt.Fprintf(w, format, args...)
		written += k
	}
	comma := func() string {
		if n == 0 {
			return ""
		}
		return ",\n"
	}
	switch format {
	case "cyclonedx":
		put(`{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79","version":1,"metadata":{"timestamp":"2026-01-01T00:00:00Z","component":{"bom-ref":"root","type":"application","name":"large","version":"1"}},"components":[`)
		for ; written < size*85/100; n++ {
			put(`%s{"bom-ref":"pkg:npm/%%40scope%d/package-%d@%d.%d.0","type":"library","group":"@scope%d","name":"package-%d","version":"%d.%d.0","description":"A package that does one thing, number %d, and does it as well as it can.","scope":"required","hashes":[{"alg":"SHA-256","content":"%064x"}],"licenses":[{"license":{"id":"MIT"}}],"purl":"pkg:npm/%%40scope%d/package-%d@%d.%d.0","externalReferences":[{"type":"vcs","url":"https://example.org/scope%d/package-%d"}],"properties":[{"name":"path","value":"node_modules/@scope%d/package-%d"}]}`,
				comma(), n%500, n, n%20, n%7, n%500, n, n%20, n%7, n, n*7919, n%500, n, n%20, n%7, n%500, n, n%500, n)
		}
		put(`],"dependencies":[{"ref":"root","dependsOn":[]}`)
		for i := 0; written < size; i++ {
			put(`,{"ref":"pkg:npm/%%40scope%d/package-%d@%d.%d.0","dependsOn":["pkg:npm/%%40scope%d/package-%d@1.0.0"]}`, i%500, i, i%20, i%7, (i+1)%500, i+1)
		}
		put("]}\n")
	case "spdx":
		put(`{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"large","documentNamespace":"https://example.org/large","creationInfo":{"created":"2026-01-01T00:00:00Z","creators":["Tool: bench"]},"packages":[`)
		for ; written < size*75/100; n++ {
			put(`%s{"SPDXID":"SPDXRef-Package-%d","name":"package-%d","versionInfo":"%d.%d.0","supplier":"Organization: Example %d","downloadLocation":"https://example.org/package-%d.tgz","filesAnalyzed":false,"licenseConcluded":"NOASSERTION","licenseDeclared":"Apache-2.0","copyrightText":"Copyright (c) the authors of package %d","checksums":[{"algorithm":"SHA256","checksumValue":"%064x"}],"externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:pypi/package-%d@%d.%d.0"},{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:example:package-%d:%d.%d.0:*:*:*:*:*:*:*"}]}`,
				comma(), n, n, n%20, n%7, n%300, n, n, n*7919, n, n%20, n%7, n, n%20, n%7)
		}
		put(`],"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-Package-0"}`)
		for i := 0; written < size; i++ {
			put(`,{"spdxElementId":"SPDXRef-Package-%d","relationshipType":"DEPENDS_ON","relatedSpdxElement":"SPDXRef-Package-%d"}`, i, i+1)
		}
		put("]}\n")
	case "cyclonedx-xml":
		put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\" version=\"1\"><components>\n")
		for ; written < size; n++ {
			put(`<component type="library" bom-ref="r%d"><group>org.example.g%d</group><name>artifact-%d</name><version>%d.%d</version><hashes><hash alg="SHA-256">%064x</hash></hashes><licenses><license><id>Apache-2.0</id></license></licenses><purl>pkg:maven/org.example.g%d/artifact-%d@%d.%d?type=jar</purl></component>`+"\n",
				n, n%500, n, n%20, n%7, n*7919, n%500, n, n%20, n%7)
		}
		put("</components></bom>\n")
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	return n, f.Close()
}

// figures is what a child process tells of an ingest.
type figures struct {
	Components int
	Seconds    float64
	CPU        float64
	Idle, Peak int64 // resident memory in bytes
}

// ingestOf names the document that this process is to ingest for a benchmark.
const ingestOf = "ENTENTE_INVENTORY_INGEST"

func status(field string) int64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(raw), "\n") {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// ingest reads one document, into a database or, without one, with the codec alone.
func ingest(file, database string) error {
	ctx := context.Background()
	var out figures
	var s *Service
	if database != "" {
		d, err := db.Open(ctx, db.Config{SQLite: database})
		if err != nil {
			return err
		}
		defer d.Close()
		s = New(d, Options{Temp: filepath.Dir(database)})
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	runtime.GC()
	out.Idle = status("VmRSS")
	begin, cpu := time.Now(), processorTime()
	if s != nil {
		doc, _, err := s.Record(ctx, analyst, "portal", "large", in)
		if err != nil {
			return err
		}
		out.Components = doc.Components
	} else {
		_, err := ReadSBOM(in, "large", sbom.DefaultLimits(), func(sbom.Component) error { out.Components++; return nil })
		if err != nil {
			return err
		}
	}
	out.Seconds, out.CPU = time.Since(begin).Seconds(), (processorTime() - cpu).Seconds()
	out.Peak = status("VmHWM")
	return json.NewEncoder(os.Stdout).Encode(out)
}

// BenchmarkIngest reads documents of 50 MB in a process of its own, so that the peak
// of its memory is known. Metrics: MB of peak memory above idle, seconds of CPU,
// components a second.
func BenchmarkIngest(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("the peak of memory is read from /proc/self/status")
	}
	dir := b.TempDir()
	for _, format := range []string{"cyclonedx", "spdx", "cyclonedx-xml"} {
		file := filepath.Join(dir, format)
		components, err := writeLarge(file, format, benchSize)
		if err != nil {
			b.Fatal(err)
		}
		for _, into := range []string{"codec", "sqlite"} {
			b.Run(format+"/"+into, func(b *testing.B) {
				var sum figures
				for b.Loop() {
					f := ingestInChild(b, file, into == "sqlite")
					if f.Components != components {
						b.Fatalf("%d components, want %d", f.Components, components)
					}
					sum.CPU += f.CPU
					sum.Seconds += f.Seconds
					sum.Peak = max(sum.Peak, f.Peak-f.Idle)
				}
				b.ReportMetric(float64(sum.Peak)/(1<<20), "MB-above-idle")
				b.ReportMetric(sum.CPU/float64(b.N), "cpu-s/op")
				b.ReportMetric(float64(components*b.N)/sum.Seconds, "components/s")
				b.ReportMetric(float64(components*b.N)/sum.CPU, "components/cpu-s")
			})
		}
	}
}

func ingestInChild(b *testing.B, file string, store bool) (f figures) {
	b.Helper()
	database := ""
	if store {
		c := dbtest.SQLiteConfig(b)
		d, err := db.Open(b.Context(), c)
		if err != nil {
			b.Fatal(err)
		}
		stage(b, d)
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
		database = c.SQLite
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), ingestOf+"="+file, childOf+"="+database)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(out, &f); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return f
}

// BenchmarkDump reads five million pairs of documents and packages, as the matcher
// does when it builds its index.
func BenchmarkDump(b *testing.B) {
	d := dbtest.SQLite(b)
	const documents, each, dictionary = 10_000, 500, 200_000
	err := d.Write(b.Context(), org, func(tx *db.Tx) error {
		seed := uint32(1)
		for i := range uint32(documents) {
			ids := make([]uint32, 0, each)
			at := uint32(0)
			for range each {
				seed = seed*1664525 + 1013904223
				at += 1 + seed>>8%(2*dictionary/each-1)
				ids = append(ids, at)
			}
			doc := Document{ID: i + 1, Product: chain.NodeID("p" + strconv.Itoa(int(i)))}
			if err := insertDocument(b.Context(), tx, org, &doc); err != nil {
				return err
			}
			if err := insertContent(b.Context(), tx, org, doc.ID, encodeIDs(ids)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	count := func(b *testing.B, read func(tx *db.Tx, n *int) error) {
		for b.Loop() {
			n := 0
			if err := d.Read(b.Context(), func(tx *db.Tx) error { n = 0; return read(tx, &n) }); err != nil {
				b.Fatal(err)
			}
			if n != documents*each {
				b.Fatalf("%d pairs", n)
			}
		}
	}
	b.Run("EachContent", func(b *testing.B) {
		count(b, func(tx *db.Tx, n *int) error {
			return EachContent(b.Context(), tx, org, func(_ uint32, packages []uint32) error { *n += len(packages); return nil })
		})
	})
	b.Run("EachComponent", func(b *testing.B) {
		count(b, func(tx *db.Tx, n *int) error {
			return EachComponent(b.Context(), tx, org, func(_, _ uint32) error { *n++; return nil })
		})
	})
}
