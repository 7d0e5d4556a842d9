package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// coordinates are what a component's package URL says, in the words of a document.
type coordinates struct{ name, version, purl string }

func coordinatesOf(purl string) coordinates {
	rest, _, _ := strings.Cut(purl, "#")
	rest, _, _ = strings.Cut(rest, "?")
	name, version := rest, ""
	if i := strings.LastIndexByte(rest, '@'); i > 0 {
		name, version = rest[:i], rest[i+1:]
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	return coordinates{name: unescape(name), version: unescape(version), purl: purl}
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// writeCycloneDX writes a small document of the given components, as tools do.
func writeCycloneDX(w io.Writer, product string, components []coordinates) error {
	b := make([]byte, 0, 160*len(components)+400)
	b = append(b, `{"bomFormat":"CycloneDX","specVersion":"1.5","serialNumber":"urn:uuid:00000000-0000-4000-8000-`...)
	b = append(b, fmt.Sprintf("%012d", len(components))...)
	b = append(b, `","version":1,"metadata":{"timestamp":"2026-01-01T00:00:00Z","component":{"type":"application","name":`...)
	b = append(b, quoted(product)...)
	b = append(b, `}},"components":[`...)
	for i, c := range components {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":"library","name":`...)
		b = append(b, quoted(c.name)...)
		if c.version != "" {
			b = append(b, `,"version":`...)
			b = append(b, quoted(c.version)...)
		}
		b = append(b, `,"purl":`...)
		b = append(b, quoted(c.purl)...)
		b = append(b, '}')
	}
	b = append(b, "]}\n"...)
	_, err := w.Write(b)
	return err
}

// quoted writes a string as JSON.
func quoted(s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always can be written
	}
	return text
}

// counted counts what passes.
type counted struct {
	w io.Writer
	n int64
}

// Write passes on and counts.
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// writeLargeCycloneDX writes a document of about size bytes with all that real
// tools put into one: hashes, licences, properties, and the graph of dependencies.
// It says how many components it wrote.
func writeLargeCycloneDX(out io.Writer, size int64, part func(i int) coordinates) (int, error) {
	to := &counted{w: out}
	w := bufio.NewWriterSize(to, 1<<16)
	fmt.Fprintf(w, `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"timestamp":"2026-01-01T00:00:00Z","tools":{"components":[{"type":"application","name":"bench"}]},"component":{"bom-ref":"root","type":"application","name":"large","version":"1.0"}},"components":[`)
	n := 0
	for ; to.n < size*9/10; n++ {
		c := part(n)
		if n > 0 {
			w.WriteByte(',')
		}
		fmt.Fprintf(w, `{"bom-ref":"c%d","type":"library","name":%s,"version":%s,"purl":%s,"scope":"required",`, n, quoted(c.name), quoted(c.version), quoted(c.purl))
		fmt.Fprintf(w, `"hashes":[{"alg":"SHA-1","content":"%040x"},{"alg":"SHA-256","content":"%064x"}],`, n, n)
		fmt.Fprintf(w, `"licenses":[{"license":{"id":"Apache-2.0"}}],"description":"A part of the large document, number %d","externalReferences":[{"type":"vcs","url":"https://example.org/%d"}],"properties":[{"name":"found:path","value":"/usr/lib/%d"}]}`, n, n, n)
	}
	fmt.Fprint(w, `],"dependencies":[`)
	for i := 0; to.n < size && i < n; i++ {
		if i > 0 {
			w.WriteByte(',')
		}
		fmt.Fprintf(w, `{"ref":"c%d","dependsOn":["c%d","c%d","c%d","c%d","c%d","c%d"]}`, i, (i*7+1)%n, (i*13+5)%n, (i*17+3)%n, (i*19+7)%n, (i*23+11)%n, (i*29+2)%n)
	}
	fmt.Fprint(w, "]}\n")
	return n, w.Flush()
}

// writeLargeSPDX is the same as SPDX 2.3 JSON, with its files and relationships.
func writeLargeSPDX(out io.Writer, size int64, part func(i int) coordinates) (int, error) {
	to := &counted{w: out}
	w := bufio.NewWriterSize(to, 1<<16)
	fmt.Fprintf(w, `{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"large","documentNamespace":"https://example.org/large","creationInfo":{"created":"2026-01-01T00:00:00Z","creators":["Tool: bench"]},"packages":[`)
	n := 0
	for ; to.n < size*4/5; n++ {
		c := part(n)
		if n > 0 {
			w.WriteByte(',')
		}
		fmt.Fprintf(w, `{"SPDXID":"SPDXRef-p%d","name":%s,"versionInfo":%s,"downloadLocation":"NOASSERTION","filesAnalyzed":false,"licenseConcluded":"NOASSERTION","licenseDeclared":"Apache-2.0","copyrightText":"NOASSERTION","supplier":"Organization: Example",`, n, quoted(c.name), quoted(c.version))
		fmt.Fprintf(w, `"checksums":[{"algorithm":"SHA256","checksumValue":"%064x"}],"externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":%s}],"sourceInfo":"acquired package info from /usr/lib/%d"}`, n, quoted(c.purl), n)
	}
	fmt.Fprint(w, `],"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relatedSpdxElement":"SPDXRef-p0","relationshipType":"DESCRIBES"}`)
	for i := 0; to.n < size; i++ {
		fmt.Fprintf(w, `,{"spdxElementId":"SPDXRef-p%d","relatedSpdxElement":"SPDXRef-p%d","relationshipType":"DEPENDS_ON"}`, i%n, (i*7+1)%n)
	}
	fmt.Fprint(w, "]}\n")
	return n, w.Flush()
}
