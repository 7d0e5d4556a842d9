package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// fleet is what documents are drawn from: real bills of materials, or invented
// ones of the same skew.
type fleet struct {
	source string
	purls  []string
	sboms  [][]int32 // indexes into purls
	// advisories is a folder of OSV records.
	advisories string
}

// sharedData finds the folder of real data beside the project; "" without one.
func sharedData() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		shared := filepath.Join(dir, "shared", "data")
		if info, err := os.Stat(shared); err == nil && info.IsDir() {
			return shared
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// loadFleet reads the real fleet, or invents one in the folder temp.
func loadFleet(shared, temp string, seed uint64) (*fleet, error) {
	if shared == "" {
		return inventFleet(temp, seed)
	}
	f, err := os.Open(filepath.Join(shared, "fleet", "fleet-purls.tsv.gz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	out := &fleet{source: "fleet-purls.tsv.gz", advisories: filepath.Join(shared, "osv")}
	ids := map[string]int32{}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	sbom := ""
	for lines.Scan() {
		id, purl, found := strings.Cut(lines.Text(), "\t")
		if !found || !strings.HasPrefix(purl, "pkg:") {
			continue
		}
		if id != sbom {
			sbom = id
			out.sboms = append(out.sboms, nil)
		}
		n, known := ids[purl]
		if !known {
			n = int32(len(out.purls))
			ids[purl] = n
			out.purls = append(out.purls, purl)
		}
		last := len(out.sboms) - 1
		out.sboms[last] = append(out.sboms[last], n)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(out.sboms) == 0 {
		return nil, fmt.Errorf("%s holds no package URLs", f.Name())
	}
	return out, nil
}

// inventFleet makes bills of materials whose packages are as skewed as real ones:
// few packages are in almost every document, most in hardly any.
func inventFleet(temp string, seed uint64) (*fleet, error) {
	const packages, documents = 40_000, 3_000
	rng := rand.New(rand.NewPCG(seed, 2))
	out := &fleet{source: "an invented fleet (../shared/data is absent)", advisories: filepath.Join(temp, "osv")}
	kinds := []struct{ kind, ecosystem string }{{"golang", "Go"}, {"npm", "npm"}, {"maven", "Maven"}, {"pypi", "PyPI"}}
	err := os.MkdirAll(out.advisories, 0o755)
	if err != nil {
		return nil, err
	}
	first := make([]int32, packages)
	for p := range packages {
		k := kinds[p%len(kinds)]
		name, path := fmt.Sprintf("part-%d", p), fmt.Sprintf("part-%d", p)
		switch k.kind {
		case "golang":
			name, path = "example.org/"+name, "example.org/"+path
		case "maven":
			name, path = "org.example:"+name, "org.example/"+path
		}
		first[p] = int32(len(out.purls))
		for v := range 3 {
			out.purls = append(out.purls, fmt.Sprintf("pkg:%s/%s@1.%d.0", k.kind, path, v))
		}
		if p%20 == 0 {
			err = inventAdvisory(out.advisories, p, k.ecosystem, name)
			if err != nil {
				return nil, err
			}
		}
	}
	zipf := rand.NewZipf(rng, 1.2, 20, packages-1)
	for range documents {
		n := 20 + rng.IntN(400)
		one := make([]int32, 0, n)
		for range n {
			one = append(one, first[zipf.Uint64()]+int32(rng.IntN(3)))
		}
		out.sboms = append(out.sboms, one)
	}
	return out, nil
}

func inventAdvisory(dir string, n int, ecosystem, name string) error {
	id := fmt.Sprintf("BENCH-2026-%05d", n)
	record := map[string]any{
		"schema_version": "1.6.0", "id": id, "modified": "2026-01-02T00:00:00Z", "published": "2026-01-01T00:00:00Z",
		"summary": "An invented weakness in " + name,
		"affected": []any{map[string]any{
			"package": map[string]any{"ecosystem": ecosystem, "name": name},
			"ranges":  []any{map[string]any{"type": "ECOSYSTEM", "events": []any{map[string]any{"introduced": "0"}, map[string]any{"fixed": "1.2.0"}}}},
		}},
	}
	if ecosystem == "Go" || ecosystem == "npm" {
		record["affected"].([]any)[0].(map[string]any)["ranges"].([]any)[0].(map[string]any)["type"] = "SEMVER"
	}
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, id+".json"), text, 0o644)
}

// draw makes one document of n different components: whole bills of materials of
// the fleet, one after the other, the last one cut. So what occurs together in
// reality occurs together here.
func (f *fleet) draw(rng *rand.Rand, n int) []int32 {
	out := make([]int32, 0, n)
	seen := make(map[int32]bool, n)
	for len(out) < n {
		one := f.sboms[rng.IntN(len(f.sboms))]
		for _, i := range rng.Perm(len(one)) {
			if p := one[i]; !seen[p] {
				seen[p] = true
				out = append(out, p)
			}
			if len(out) == n {
				break
			}
		}
	}
	return out
}
