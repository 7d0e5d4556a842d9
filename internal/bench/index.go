package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// index measures the index of packages alone, without a database: what it costs to
// build it from package URLs, to write its compact form, to read that, and to hold.
func (b *bench) index(ctx context.Context) error {
	f, err := b.theFleet()
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(b.seed, 1))
	documents := make([][]uint32, b.sboms)
	rows := 0
	for i := range documents {
		for _, p := range f.draw(rng, b.components) {
			documents[i] = append(documents[i], uint32(p)+1)
		}
		slices.Sort(documents[i])
		rows += len(documents[i])
	}
	heap := held()
	began := time.Now()
	build := advisory.NewBuilder()
	for i, purl := range f.purls {
		c := coordinatesOf(purl)
		p := inventory.ParsePackage(&sbom.Component{Name: c.name, Version: c.version, PURL: purl}, func(entente.Text, ...any) {})
		build.AddPackage(uint32(i)+1, advisory.KeyOf(&p))
	}
	for i, packages := range documents {
		if err := ctx.Err(); err != nil {
			return err
		}
		build.AddDocument(uint32(i)+1, string(id("product", i)), packages)
	}
	x := build.Index()
	built := time.Since(began)
	build = nil
	size := x.Size()
	indexHeap := held() - heap
	var form bytes.Buffer
	began = time.Now()
	err = x.Save(&form)
	if err != nil {
		return err
	}
	saved := time.Since(began)
	var took spread
	for range 5 {
		began = time.Now()
		loaded, err := advisory.LoadIndex(bytes.NewReader(form.Bytes()))
		if err != nil {
			return err
		}
		took = append(took, time.Since(began))
		if loaded.Size() != size {
			return fmt.Errorf("the index that was loaded is another: %+v, not %+v", loaded.Size(), size)
		}
	}
	runtime.KeepAlive(x)
	runtime.KeepAlive(documents)
	what := fmt.Sprintf("index of %d rows, %d packages", rows, size.Packages)
	b.below("b", "build the "+what, built, 0, "from package URLs")
	b.below("b", "save it", saved, 0, sizeText(int64(form.Len()))+" stored")
	b.below("b", "load it", took.at(.5), 500*time.Millisecond, "middle of 5")
	b.within("b", "heap that it holds", indexHeap, 0, "by its own count "+sizeText(size.Bytes))
	return nil
}

// held is the live heap.
func held() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
