package advisory

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

func percentiles(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	at := func(p float64) float64 { return float64(times[int(p*float64(len(times)-1))].Microseconds()) }
	b.ReportMetric(at(.5), "p50-µs")
	b.ReportMetric(at(.95), "p95-µs")
	b.ReportMetric(at(.99), "p99-µs")
	b.ReportMetric(at(1), "max-µs")
}

// landscape is a chain of suppliers with products, systems that run them and
// processes that need the systems, a few ranks deep.
func landscape(products, suppliers, processes int) *chain.Map {
	id := func(kind string, n int) chain.NodeID { return chain.NodeID(fmt.Sprintf("%s-%d", kind, n)) }
	m := &chain.Map{Own: "us", Currency: "EUR", Organisations: []chain.Organisation{{ID: "us", Name: "Us"}}}
	for s := range suppliers {
		m.Organisations = append(m.Organisations, chain.Organisation{
			ID: id("supplier", s), Name: fmt.Sprintf("Supplier %d", s), Contacts: []chain.Contact{{Name: "Security desk", Role: "security", Phone: "+49 30 1234"}},
		})
		supply := chain.Supply{ID: id("supply", s), Name: fmt.Sprintf("Service %d", s), Supplier: id("supplier", s), Customer: "us", Kind: chain.Commodity, Nature: chain.NatureSoftware}
		if s >= suppliers/3 { // a supplier of a supplier
			supply.Customer = id("supplier", s%(suppliers/3))
		}
		system := chain.System{ID: id("system", s), Name: fmt.Sprintf("System %d", s), Kind: chain.SystemApplication, Operator: supply.Customer, Data: []chain.Class{chain.ClassPersonal}}
		for p := s; p < products; p += suppliers {
			m.Products = append(m.Products, chain.Product{ID: chain.NodeID(productName(p)), Name: fmt.Sprintf("Product %d", p), Supplier: id("supplier", s)})
			supply.Products = append(supply.Products, chain.NodeID(productName(p)))
			if p%2 == 0 {
				system.Products = append(system.Products, chain.NodeID(productName(p)))
			}
		}
		if s >= suppliers/3 {
			system.Needs = []chain.Need{{Any: []chain.NodeID{id("supply", s)}, Buffer: time.Hour}}
		}
		m.Supplies = append(m.Supplies, supply)
		m.Systems = append(m.Systems, system)
	}
	for p := range processes {
		process := chain.Process{
			ID: id("process", p), Name: fmt.Sprintf("Process %d", p), Owner: "Operations",
			BIA: chain.BIA{Criticality: chain.High, RTO: 8 * time.Hour, MTPD: 48 * time.Hour, Cost: []chain.CostRate{{PerHour: 1000}}},
		}
		for a := range 3 {
			process.Activities = append(process.Activities, chain.Activity{
				ID: id("activity", p*3+a), Name: fmt.Sprintf("Activity %d", a),
				Needs: []chain.Need{{Any: []chain.NodeID{id("system", (p*7+a*13)%suppliers)}, Buffer: time.Duration(a) * time.Hour}},
			})
		}
		m.Processes = append(m.Processes, process)
	}
	return m
}

// BenchmarkAssess joins hits with the chain, without a database: 10,000 bills of
// materials of 500 components, 500 suppliers, 500 processes.
func BenchmarkAssess(b *testing.B) {
	x := drawFleet(b, 10_000, 500).index()
	g, err := chain.Compile(landscape(10_000, 500, 500))
	if err != nil {
		b.Fatal(err)
	}
	type asked struct {
		brief Brief
		hits  []packageHit
	}
	var all []asked
	for _, m := range allMatchers(b) {
		hits := mergeHits([]*scanned{{brief: Brief{ID: m.ID}, hits: x.Match(m)}}, func(uint32) (string, string) { return "name", "1.0" })
		if c := assess(g, x, Brief{ID: m.ID}, hits, ImpactOptions{}).Counts; c.Products+c.Undecided > 0 {
			all = append(all, asked{Brief{ID: m.ID}, hits})
		}
	}
	runtime.GC()
	var times []time.Duration
	products := 0
	for b.Loop() {
		for _, a := range all {
			start := time.Now()
			out := assess(g, x, a.brief, a.hits, ImpactOptions{})
			times = append(times, time.Since(start))
			products += out.Counts.Products
		}
	}
	percentiles(b, times)
	b.ReportMetric(float64(products)/float64(len(times)), "products/advisory")
}

// BenchmarkIngest records all advisories of the real data and matches them with the
// bills of materials of the real data, on both engines.
func BenchmarkIngest(b *testing.B) {
	data := sharedData(b)
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := newRoom(b, open(b), "us")
				files, err := os.ReadDir(filepath.Join(data, "sboms"))
				if err != nil {
					b.Fatal(err)
				}
				var ids []string
				for n := range files {
					ids = append(ids, productName(n))
				}
				r.products(ids...)
				step := func(what string, do func()) {
					start := time.Now()
					do()
					b.Logf("%s: %v", what, time.Since(start).Round(time.Millisecond))
				}
				step("record documents", func() {
					for n, f := range files {
						in, err := os.Open(filepath.Join(data, "sboms", f.Name()))
						if err != nil {
							b.Fatal(err)
						}
						if _, _, err := r.stock.Record(b.Context(), r.actor, chain.NodeID(ids[n]), f.Name(), in); err != nil {
							b.Log(err)
						}
						in.Close()
					}
				})
				step("follow", r.catchUp)
				ingest := func() {
					report, err := r.s.Ingest(b.Context(), r.actor, FromPath(filepath.Join(data, "osv")), IngestOptions{})
					if err != nil {
						b.Fatal(err)
					}
					b.Logf("read %d, new %d, changed %d, unchanged %d, older %d, wrong %d", report.Read, report.New, report.Changed, report.Unchanged, report.Older, len(report.Wrong))
				}
				step("ingest", ingest)
				step("match", r.catchUp)
				step("ingest again", ingest)
				step("one more document", func() { r.sbom(ids[0], "pkg:npm/lodash@4.17.20", "pkg:golang/stdlib@1.20.0"); r.catchUp() })
				list, total, err := r.s.List(b.Context(), r.actor, Query{Order: ByHits, Limit: 5})
				if err != nil {
					b.Fatal(err)
				}
				for _, l := range list {
					b.Logf("%s %s: %d products", l.ID, l.Summary, l.Products)
				}
				step("list by hits", func() { _, _, err = r.s.List(b.Context(), r.actor, Query{Order: ByHits, Limit: 50}) })
				step("first page", func() { _, _, err = r.s.List(b.Context(), r.actor, Query{Limit: 50}) })
				var times []time.Duration
				all, _, err := r.s.List(b.Context(), r.actor, Query{Hits: true, Limit: MaxPage})
				if err != nil {
					b.Fatal(err)
				}
				for _, l := range all {
					start := time.Now()
					if _, err := r.s.ImpactOf(b.Context(), r.actor, l.ID, ImpactOptions{}); err != nil {
						b.Fatal(err)
					}
					times = append(times, time.Since(start))
				}
				slices.SortFunc(times, cmp.Compare[time.Duration])
				b.Logf("%d advisories hit; impact p50 %v, p99 %v", total, times[len(times)/2], times[len(times)*99/100])
			}
		})
	}
}

// BenchmarkImpactOf asks the service, over a database with 10,000 bills of materials
// of 500 components, 500 suppliers and 500 processes, about every advisory that hits.
func BenchmarkImpactOf(b *testing.B) {
	fleet := drawFleet(b, 10_000, 500)
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			r := newRoom(b, open(b), "us")
			if _, err := r.chain.Import(b.Context(), r.actor, landscape(len(fleet.docs), 500, 500)); err != nil {
				b.Fatal(err)
			}
			start := time.Now()
			for n, doc := range fleet.docs {
				purls := make([]string, len(doc))
				for i, id := range doc {
					purls[i] = fleet.purls[id]
				}
				r.sbom(productName(n), purls...)
			}
			b.Logf("recorded in %v", time.Since(start).Round(time.Second))
			start = time.Now()
			if _, err := r.s.Ingest(b.Context(), r.actor, FromPath(filepath.Join(sharedData(b), "osv")), IngestOptions{}); err != nil {
				b.Fatal(err)
			}
			r.catchUp()
			b.Logf("ingested and matched in %v", time.Since(start).Round(time.Second))
			if err := r.s.SaveIndex(b.Context(), "us"); err != nil {
				b.Fatal(err)
			}
			r.restart()
			start = time.Now()
			r.with(func(x *Index) {
				b.Logf("index of %+v opened in %v", x.Size(), time.Since(start).Round(time.Millisecond))
			})
			var ids []string
			for {
				list, total, err := r.s.List(b.Context(), r.actor, Query{Hits: true, Order: ByName, Limit: MaxPage, Offset: len(ids)})
				if err != nil {
					b.Fatal(err)
				}
				for _, l := range list {
					ids = append(ids, l.ID)
				}
				if len(ids) >= total {
					break
				}
			}
			var times []time.Duration
			for b.Loop() {
				for _, id := range ids {
					start := time.Now()
					if _, err := r.s.ImpactOf(b.Context(), r.actor, id, ImpactOptions{}); err != nil {
						b.Fatal(err)
					}
					times = append(times, time.Since(start))
				}
			}
			percentiles(b, times)
			b.ReportMetric(float64(len(ids)), "advisories")
		})
	}
}
