package inventory

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

const small = `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"type":"library","name":"é","purl":"pkg:npm/x@1"}]}`

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func inUTF16(text string, order binary.ByteOrder, mark bool) string {
	var b bytes.Buffer
	if mark {
		text = "\uFEFF" + text
	}
	for _, u := range utf16.Encode([]rune(text)) {
		binary.Write(&b, order, u)
	}
	return b.String()
}

func TestReadSBOMRecognises(t *testing.T) {
	xml := `<?xml version="1.0" encoding="UTF-8"?><!-- > --><!DOCTYPE bom><bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components><component type="library"><name>é</name></component></components></bom>`
	latin := strings.NewReplacer("UTF-8", "ISO-8859-1", "é", "\xe9").Replace(xml)
	tv := "# comment\n\nSPDXVersion: SPDX-2.3\nPackageName: é\n"
	for _, c := range []struct{ name, text, want string }{
		{"CycloneDX JSON", small, "CycloneDX json"},
		{"white space first", "\n\t " + small, "CycloneDX json"},
		{"UTF-8 mark", "\xEF\xBB\xBF" + small, "CycloneDX json"},
		{"UTF-16, little end first", inUTF16(small, binary.LittleEndian, true), "CycloneDX json"},
		{"UTF-16, big end first", inUTF16(small, binary.BigEndian, true), "CycloneDX json"},
		{"UTF-16 without a mark", inUTF16(small, binary.LittleEndian, false), "CycloneDX json"},
		{"gzip", zipped(small), "CycloneDX json"},
		{"gzip of UTF-8 with a mark", zipped("\xEF\xBB\xBF" + small), "CycloneDX json"},
		{"components first and no bomFormat", `{"components":[{"name":"é"}],"specVersion":"1.4"}`, "CycloneDX json"},
		{"components first, bomFormat far away", `{"components":[{"name":"é","description":"` + strings.Repeat("x", 2*sniffSize) + `"}],"bomFormat":"CycloneDX","specVersion":"1.4"}`, "CycloneDX json"},
		{"CycloneDX XML", xml, "CycloneDX xml"},
		{"CycloneDX XML in Latin-1", latin, "CycloneDX xml"},
		{"SPDX JSON", `{"packages":[{"name":"é"}],"spdxVersion":"SPDX-2.3"}`, "SPDX json"},
		{"GitHub's export", `{"sbom":{"SPDXID":"SPDXRef-DOCUMENT","spdxVersion":"SPDX-2.3","packages":[{"name":"é"}]}}`, "SPDX json"},
		{"an attestation", `{"_type":"x","predicate":` + small + `}`, "CycloneDX json"},
		{"SPDX tag-value", tv, "SPDX tag-value"},
		{"SPDX tag-value with a mark and CRLF", "\xEF\xBB\xBF" + strings.ReplaceAll(tv, "\n", "\r\n"), "SPDX tag-value"},
		{"SPDX 3", `{"@context":["https://spdx.org/rdf/3.0.1/spdx-context.jsonld"],"@graph":[{"type":"software_Package","spdxId":"x","name":"é"}]}`, "SPDX json-ld"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text)), iotest.DataErrReader(strings.NewReader(c.text))} {
				var names []string
				doc, err := ReadSBOM(in, "a.json", sbom.DefaultLimits(), func(c sbom.Component) error {
					names = append(names, c.Name)
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := string(doc.Format) + " " + doc.Encoding; got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				if strings.Join(names, ",") != "é" {
					t.Errorf("components %q", names)
				}
			}
		})
	}
}

func TestReadSBOMRefusesWithAReason(t *testing.T) {
	lim := sbom.Limits{Bytes: 100_000, Depth: 30, Components: 3, Text: 1000, Ratio: 10, Oddities: 5}
	deep := strings.Repeat(`{"components":[`, 40)
	four := strings.Repeat(`{"name":"x"},`, 3) + `{"name":"x"}`
	damaged := []byte(zipped(small))
	damaged[len(damaged)-6] ^= 0xFF
	for _, c := range []struct {
		name, text, want string
		kind             entente.Kind
	}{
		{"nothing", "", "the document is empty", entente.KindInvalid},
		{"white space", " \n", "the document is empty", entente.KindInvalid},
		{"a zip archive", "PK\x03\x04xxxx", "a zip archive: unpack it", entente.KindInvalid},
		{"a PDF", "%PDF-1.7", "this is a PDF", entente.KindInvalid},
		{"a web page", "<!DOCTYPE html>\n<html><body>Sign in</body></html>", "this is a web page", entente.KindInvalid},
		{"another XML", "<project></project>", "begins with <project>", entente.KindInvalid},
		{"RDF", "<?xml version='1.0'?><rdf:RDF></rdf:RDF>", "SPDX as RDF", entente.KindInvalid},
		{"YAML", "spdxVersion: SPDX-2.3\npackages: []\n", "as YAML", entente.KindInvalid},
		{"text", "dear supplier,\nplease\n", "this is text, but no bill of materials", entente.KindInvalid},
		{"binary", "\x01\x02\x03\x00\x05", "this is a binary file", entente.KindInvalid},
		{"other JSON", `{"name":"x"}`, "none of bomFormat, spdxVersion", entente.KindInvalid},
		{"a JSON list", `[1,2]`, "no bill of materials", entente.KindInvalid},
		{"a list of documents", "[" + small + "]", "begins with an object, this one with a list", entente.KindInvalid},
		{"OpenVEX", `{"@context":"https://openvex.dev/ns/v0.2.0","statements":[]}`, "an OpenVEX document", entente.KindInvalid},
		{"CSAF", `{"document":{"csaf_version":"2.0"}}`, "a CSAF advisory", entente.KindInvalid},
		{"an envelope", `{"payloadType":"application/vnd.in-toto+json","payload":"e30="}`, "a signed envelope (DSSE)", entente.KindInvalid},
		{"cut off", small[:len(small)-20], "ends too early, at byte 92 (line 1), in components[0];", entente.KindInvalid},
		{"broken", `{"bomFormat":"CycloneDX",` + "\n" + `"components":[{"name":x}]}`, "broken at byte 48 (line 2), in components[0].name", entente.KindInvalid},
		{"XML cut off", `<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components>`, "ends too early", entente.KindInvalid},
		{"XML not closed right", "<bom>\n<components></bom>", "line 2: <components> is closed by </bom>", entente.KindInvalid},
		{"tag-value cut off", "SPDXVersion: SPDX-2.3\nPackageComment: <text>abc", "begins on line 2 has no </text>", entente.KindInvalid},
		{"gzip cut off", zipped(small)[:60], "cut off", entente.KindInvalid},
		{"gzip damaged", string(damaged), "damaged", entente.KindInvalid},
		{"too large", `{"bomFormat":"CycloneDX","x":"` + strings.Repeat("x", 100_000) + `"}`, "larger than 100000 bytes", entente.KindTooLarge},
		{"a gzip bomb", zipped(`{"bomFormat":"CycloneDX","x":"` + strings.Repeat("x", 3<<20) + `"}`), "larger than 100000 bytes", entente.KindTooLarge},
		{"too deep", `{"bomFormat":"CycloneDX","components":[` + deep, "more than 30 levels deep", entente.KindTooLarge},
		{"too deep in what is skipped", `{"bomFormat":"CycloneDX","x":` + strings.Repeat("[", 50), "more than 30 levels deep", entente.KindTooLarge},
		{"XML too deep", `<bom xmlns="http://cyclonedx.org/schema/bom/1.5">` + strings.Repeat("<a>", 50), "more than 30 levels deep", entente.KindTooLarge},
		{"too many components", `{"bomFormat":"CycloneDX","components":[` + four + `]}`, "more than 3 components", entente.KindTooLarge},
		{"too many packages", `{"spdxVersion":"SPDX-2.3","packages":[` + four + `]}`, "more than 3 packages", entente.KindTooLarge},
		{"too long a text", `{"bomFormat":"CycloneDX","components":[{"name":"` + strings.Repeat("x", 1001) + `"}]}`, "longer than 1000 bytes", entente.KindTooLarge},
		{"too long a text in XML", `<bom><components><component><name>` + strings.Repeat("x", 1001) + `</name></component></components></bom>`, "longer than 1000 bytes", entente.KindTooLarge},
		{"too long a line", "SPDXVersion: SPDX-2.3\nPackageName: " + strings.Repeat("x", 1001), "line 2 is longer than 1000 bytes", entente.KindTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadSBOM(strings.NewReader(c.text), "portal.json", lim, func(sbom.Component) error { return nil })
			if err == nil {
				t.Fatal("no error")
			}
			if entente.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "portal.json: ") {
				t.Errorf("got %s %q\nwant %s %q", entente.KindOf(err), err, c.kind, c.want)
			}
		})
	}
}

func TestAGzipBombWithinTheSizeIsStopped(t *testing.T) {
	lim := sbom.DefaultLimits()
	bomb := zipped(`{"bomFormat":"CycloneDX","x":"` + strings.Repeat("x", 20<<20) + `"}`)
	_, err := ReadSBOM(strings.NewReader(bomb), "", lim, func(sbom.Component) error { return nil })
	if entente.KindOf(err) != entente.KindTooLarge || !strings.Contains(err.Error(), "more than 200 times") {
		t.Errorf("got %v", err)
	}
}

func TestErrorsOfReaderAndReceiverPass(t *testing.T) {
	stop := errors.New("stop")
	_, err := ReadSBOM(strings.NewReader(small), "x", sbom.DefaultLimits(), func(sbom.Component) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	for _, head := range []string{"", small[:50], "<bom><components>", "SPDXVersion: SPDX-2.3\n"} {
		_, err = ReadSBOM(io.MultiReader(strings.NewReader(head), iotest.ErrReader(stop)), "x", sbom.DefaultLimits(), func(sbom.Component) error { return nil })
		if !errors.Is(err, stop) {
			t.Errorf("%q: got %v", head, err)
		}
	}
}

func FuzzReadSBOM(f *testing.F) {
	for _, s := range []string{small, zipped(small), inUTF16(small, binary.BigEndian, true), "SPDXVersion: SPDX-2.3\nPackageName: x\n", "<bom/>", `{"sbom":{"spdxVersion":1}}`, `{"@graph":[]}`} {
		f.Add(s)
	}
	lim := sbom.Limits{Bytes: 1 << 20, Depth: 20, Components: 50, Text: 500, Ratio: 10, Oddities: 10}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := ReadSBOM(strings.NewReader(text), "x", lim, func(c sbom.Component) error {
			ParsePackage(&c, func(entente.Text, ...any) {})
			return nil
		})
		if err != nil && entente.KindOf(err) == entente.KindInternal {
			t.Errorf("an error that is no message for people: %v", err)
		}
	})
}
