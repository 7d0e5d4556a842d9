package advisory

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// drawn is a fleet of bills of materials drawn from real ones with a fixed seed:
// each begins with the packages of one real document and goes on with others until
// it has as many as asked for.
type drawn struct {
	purls []string // by id of the package, from 1
	docs  [][]uint32
}

func drawFleet(t testing.TB, documents, components int) *drawn {
	t.Helper()
	f, err := os.Open(filepath.Join(sharedData(t), "fleet", "fleet-purls.tsv.gz"))
	if err != nil {
		t.Skipf("the fleet is absent: %v", err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	d := &drawn{purls: []string{""}}
	known := map[string]uint32{}
	var real [][]uint32
	last := ""
	lines := bufio.NewScanner(unpacked)
	for lines.Scan() {
		doc, purl, _ := strings.Cut(lines.Text(), "\t")
		if doc != last {
			real = append(real, nil)
			last = doc
		}
		id, ok := known[purl]
		if !ok {
			id = uint32(len(d.purls))
			d.purls = append(d.purls, purl)
			known[purl] = id
		}
		real[len(real)-1] = append(real[len(real)-1], id)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(2026, 11))
	for range documents {
		doc := make([]uint32, 0, components)
		for len(doc) < components {
			doc = append(doc, real[r.IntN(len(real))]...)
		}
		d.docs = append(d.docs, doc[:components])
	}
	return d
}

func (d *drawn) index() *Index {
	b := NewBuilder()
	for id := 1; id < len(d.purls); id++ {
		b.AddPackage(uint32(id), namesOf(d.purls[id]))
	}
	for n, doc := range d.docs {
		b.AddDocument(uint32(n+1), productName(n), doc)
	}
	return b.Index()
}

func productName(n int) string {
	const digits = "0123456789"
	return "product-" + string([]byte{digits[n/10000%10], digits[n/1000%10], digits[n/100%10], digits[n/10%10], digits[n%10]})
}

// allMatchers compiles every advisory of the real data, each once.
func allMatchers(t testing.TB) []*Matcher {
	t.Helper()
	db := readDatabase(t, filepath.Join(sharedData(t), "osv"))
	seen := map[*Matcher]bool{}
	var all []*Matcher
	for _, list := range db.byKey {
		for _, m := range list {
			if !seen[m] {
				seen[m] = true
				all = append(all, m)
			}
		}
	}
	slices.SortFunc(all, func(a, b *Matcher) int { return strings.Compare(a.ID, b.ID) })
	return all
}

func BenchmarkIndex(b *testing.B) {
	d := drawFleet(b, 10_000, 500)
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x := d.index()
	runtime.GC()
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	size := x.Size()
	b.Logf("%d packages, %d documents, %d postings; heap %.1f MiB, counted %.1f MiB",
		size.Packages, size.Documents, size.Postings, float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), float64(size.Bytes)/(1<<20))
	var form bytes.Buffer
	if err := x.Save(&form); err != nil {
		b.Fatal(err)
	}
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			d.index()
		}
	})
	b.Run("save", func(b *testing.B) {
		b.SetBytes(int64(form.Len()))
		for b.Loop() {
			var out bytes.Buffer
			out.Grow(form.Len())
			if err := x.Save(&out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		b.SetBytes(int64(form.Len()))
		for b.Loop() {
			if _, err := LoadIndex(bytes.NewReader(form.Bytes())); err != nil {
				b.Fatal(err)
			}
		}
	})
	all := allMatchers(b)
	b.Run("query", func(b *testing.B) {
		var times []time.Duration
		hits, hit := 0, 0
		for b.Loop() {
			for _, m := range all {
				start := time.Now()
				found := x.Match(m)
				products := 0
				for _, h := range found {
					x.numbers(h.Package, func(uint32) { products++ })
				}
				if products > 0 {
					times = append(times, time.Since(start))
					hits += products
					hit++
				}
			}
		}
		slices.Sort(times)
		at := func(p float64) float64 { return float64(times[int(p*float64(len(times)-1))].Microseconds()) }
		b.ReportMetric(at(.5), "p50-µs")
		b.ReportMetric(at(.95), "p95-µs")
		b.ReportMetric(at(.99), "p99-µs")
		b.ReportMetric(at(1), "max-µs")
		b.ReportMetric(float64(hits)/float64(hit), "postings/advisory")
		b.ReportMetric(float64(hit)/float64(b.N), "advisories")
	})
}
