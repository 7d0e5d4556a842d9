package inventory

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/cyclonedx"
	"github.com/entente-project/entente/internal/inventory/jsonstream"
	"github.com/entente-project/entente/internal/inventory/sbom"
	"github.com/entente-project/entente/internal/inventory/spdx"
)

// kind is a format in one of its encodings.
type kind struct {
	format   sbom.Format
	encoding string
}

const readable = "CycloneDX (JSON or XML) and SPDX (JSON, tag-value or JSON-LD) are read"

// sniff tells the format of a document from its beginning, whatever its file is
// called.
func sniff(head []byte) (kind, error) {
	trimmed := bytes.TrimLeft(head, " \t\r\n\x00")
	if len(trimmed) == 0 {
		return kind{}, entente.Invalid("the document is empty; %s", readable)
	}
	if what := otherFile(trimmed); what != "" {
		return kind{}, entente.Invalid("this is %s, not a bill of materials; %s", what, readable)
	}
	switch trimmed[0] {
	case '{', '[':
		return sniffJSON(head)
	case '<':
		return sniffXML(trimmed)
	}
	return sniffText(trimmed)
}

// otherFile names files that people send by mistake.
func otherFile(head []byte) string {
	for _, f := range []struct{ magic, what string }{
		{"PK\x03\x04", "a zip archive: unpack it and send the document in it"},
		{"\x28\xB5\x2F\xFD", "a zstd archive: unpack it and send the document in it"},
		{"\xFD7zXZ", "an xz archive: unpack it and send the document in it"},
		{"BZh", "a bzip2 archive: unpack it and send the document in it"},
		{"%PDF", "a PDF"},
		{"SQLite format 3\x00", "an SQLite database"},
		{"\x7FELF", "a program"},
		{"MZ", "a program"},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.what
		}
	}
	return ""
}

// enough ends the reading of a document's beginning.
const enough = sniffed("enough was read")

type sniffed string

func (s sniffed) Error() string { return string(s) }

// vote is what the names at the top of a JSON document speak for.
type vote struct {
	cyclonedx, spdx, spdx3 int
	other                  string
}

// sniffJSON reads the names at the top until one decides. A beginning that breaks
// off is no fault here; the codec reads the whole.
func sniffJSON(head []byte) (kind, error) {
	d := jsonstream.New(bytes.NewReader(head), jsonstream.Limits{Depth: 64, Text: sniffSize}, nil)
	v := vote{}
	err := v.value(d)
	switch {
	case v.cyclonedx > 0 && v.cyclonedx >= v.spdx && v.spdx3 == 0:
		return kind{sbom.CycloneDX, cyclonedx.JSON}, nil
	case v.spdx3 > 0:
		return kind{sbom.SPDX, spdx.JSONLD}, nil
	case v.spdx > 0:
		return kind{sbom.SPDX, spdx.JSON}, nil
	case v.other != "":
		return kind{}, entente.Invalid("this is %s, not a bill of materials; %s", v.other, readable)
	case err != nil && err != enough && len(head) < sniffSize:
		return kind{}, err
	}
	return kind{}, entente.Invalid("this is JSON, but no bill of materials: none of bomFormat, spdxVersion and an SPDX 3 @context is at its top; %s", readable)
}

func (v *vote) value(d *jsonstream.Decoder) error {
	k, err := d.Kind()
	if err != nil {
		return err
	}
	switch k {
	case jsonstream.Object:
		return d.Object(func(key string) error { return v.key(d, key) })
	case jsonstream.Array:
		return d.Array(func(int) error { return v.value(d) })
	}
	return d.Skip()
}

func (v *vote) key(d *jsonstream.Decoder, key string) error {
	switch key {
	case "bomFormat":
		v.cyclonedx += 10
		return enough
	case "spdxVersion":
		v.spdx += 10
		return enough
	case "@graph":
		v.spdx3 += 2
		return d.Skip()
	case "@context":
		return v.context(d)
	case "csaf_version", "document":
		v.other = "a CSAF advisory"
	case "payloadType":
		v.other = "a signed envelope (DSSE): take its payload out of base64 first"
	case "components", "specVersion", "services", "serialNumber":
		v.cyclonedx++
	case "packages", "SPDXID", "creationInfo", "documentNamespace", "documentDescribes":
		v.spdx++
	case "sbom", "predicate", "bom", "Document":
		if d.Depth() == 1 {
			return v.value(d)
		}
	}
	return d.Skip()
}

// context reads a JSON-LD context: an address, or a list or object that holds one.
func (v *vote) context(d *jsonstream.Decoder) error {
	k, err := d.Kind()
	if err != nil {
		return err
	}
	switch k {
	case jsonstream.Array:
		return d.Array(func(int) error { return v.context(d) })
	case jsonstream.Object:
		return d.Object(func(string) error { return v.context(d) })
	}
	s, _, err := d.Text()
	if err != nil {
		return err
	}
	switch {
	case strings.Contains(s, "spdx.org"):
		v.spdx3 += 10
		return enough
	case strings.Contains(s, "openvex"):
		v.other = "an OpenVEX document"
		return enough
	}
	return nil
}

// sniffXML looks at the first element.
func sniffXML(head []byte) (kind, error) {
	rest := head
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		var end string
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			end = "-->"
		case bytes.HasPrefix(rest, []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(rest, []byte("<!")):
			end = ">"
		default:
			return sniffElement(rest)
		}
		at := bytes.Index(rest, []byte(end))
		if at < 0 {
			return kind{}, entente.Invalid("this XML breaks off before its first element; %s", readable)
		}
		rest = rest[at+len(end):]
	}
}

func sniffElement(rest []byte) (kind, error) {
	name := strings.TrimPrefix(string(rest[:min(len(rest), 200)]), "<")
	if cut := strings.IndexAny(name, " \t\r\n/>"); cut >= 0 {
		name = name[:cut]
	}
	if cut := strings.IndexByte(name, ':'); cut >= 0 {
		name = name[cut+1:]
	}
	switch strings.ToLower(name) {
	case "bom":
		return kind{sbom.CycloneDX, cyclonedx.XML}, nil
	case "html":
		return kind{}, entente.Invalid("this is a web page, not a bill of materials: perhaps a sign-in page was saved in its place; %s", readable)
	case "rdf":
		return kind{}, entente.Invalid("this is SPDX as RDF, which is not read; convert it to SPDX JSON, for example with the SPDX tools")
	}
	return kind{}, entente.Invalid("this XML begins with <%s>, so it is no bill of materials; %s", sbom.Clip(name), readable)
}

// sniffText looks for the tags of SPDX.
func sniffText(head []byte) (kind, error) {
	lines := strings.Split(string(head), "\n")
	for _, line := range lines {
		tag, _, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		switch strings.TrimSpace(tag) {
		case "SPDXVersion", "PackageName", "DocumentNamespace", "DocumentName", "SPDXID", "Creator":
			return kind{sbom.SPDX, spdx.TagValue}, nil
		case "spdxVersion", `"spdxVersion"`, "bomFormat":
			return kind{}, entente.Invalid("this is a bill of materials as YAML, which is not read; convert it to JSON")
		}
	}
	if !utf8.Valid(head[:len(head)-min(len(head), utf8.UTFMax)]) || bytes.IndexByte(head, 0) >= 0 {
		return kind{}, entente.Invalid("this is a binary file, not a bill of materials; %s", readable)
	}
	return kind{}, entente.Invalid("this is text, but no bill of materials; %s", readable)
}
