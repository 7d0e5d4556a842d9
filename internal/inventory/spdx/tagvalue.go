package spdx

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// section is the part of a tag-value document that a line belongs to.
type section int

const (
	inDocument section = iota
	inPackage
	inOther // a file, a snippet, an extracted licence
)

type tagReader struct {
	*sink
	in    *bufio.Reader
	line  int
	at    section
	pkg   sbom.Component
	by    string // originator of the package
	marks int
	seen  map[string]bool // unknown tags that were noted
}

func readTagValue(in io.Reader, s *sink) error {
	r := &tagReader{sink: s, in: bufio.NewReaderSize(in, 32<<10), seen: make(map[string]bool)}
	for {
		line, err := r.readLine()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := r.take(line); err != nil {
			return err
		}
	}
	if err := r.finish(); err != nil {
		return err
	}
	if r.marks == 0 {
		return entente.Invalid("this text is no SPDX document: none of the tags SPDXVersion, SPDXID, Creator and PackageName is in it")
	}
	if s.doc.SpecVersion == "" {
		s.notes.At("the document", "no SPDXVersion; it was read like 2.3")
	}
	return nil
}

func (r *tagReader) where() string { return fmt.Sprintf("line %d", r.line) }

// readLine gives the next line without its end.
func (r *tagReader) readLine() (string, error) {
	var long []byte
	for {
		part, err := r.in.ReadSlice('\n')
		if len(long)+len(part) > r.lim.Text {
			return "", entente.TooLarge("line %d is longer than %d bytes", r.line+1, r.lim.Text)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		if len(long)+len(part) == 0 {
			return "", io.EOF
		}
		r.line++
		if long != nil {
			part = append(long, part...)
		}
		return r.clean(bytes.TrimRight(part, "\r\n")), nil
	}
}

func (r *tagReader) clean(line []byte) string {
	s := string(line)
	if clean := strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", " "), "\uFFFD"); clean != s {
		r.notes.Add(r.where, "text that is not UTF-8; the wrong bytes were replaced")
		return clean
	}
	return s
}

func (r *tagReader) take(line string) error {
	line = strings.TrimSpace(line)
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	tag, value, ok := strings.Cut(line, ":")
	tag = strings.TrimSpace(tag)
	if !ok || strings.ContainsAny(tag, " \t<>") {
		r.notes.Add(r.where, "a line that is no tag with a value: %q", sbom.Clip(line))
		return nil
	}
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, "<text>") {
		text, err := r.multiline(value[len("<text>"):])
		if err != nil {
			return err
		}
		value = text
	}
	return r.tag(tag, value)
}

// multiline reads on to </text>.
func (r *tagReader) multiline(first string) (string, error) {
	begin := r.line
	var b strings.Builder
	for line := first; ; {
		text, after, done := strings.Cut(line, "</text>")
		if b.Len()+len(text) > r.lim.Text {
			return "", entente.TooLarge("the text that begins on line %d is longer than %d bytes", begin, r.lim.Text)
		}
		b.WriteString(text)
		if done {
			if strings.TrimSpace(after) != "" {
				r.notes.Add(r.where, "something after </text>; it was not read")
			}
			return strings.TrimSpace(b.String()), nil
		}
		b.WriteByte('\n')
		next, err := r.readLine()
		if errors.Is(err, io.EOF) {
			return "", entente.Invalid("the text that begins on line %d has no </text>: the document ends too early, at line %d; it was probably cut off: fetch or export it again", begin, r.line)
		}
		if err != nil {
			return "", err
		}
		line = next
	}
}

// finish emits the package that was being read.
func (r *tagReader) finish() error {
	if r.at != inPackage {
		return nil
	}
	c := r.pkg
	if c.Supplier == "" {
		c.Supplier = r.by
	}
	r.pkg, r.by, r.at = sbom.Component{}, "", inDocument
	return r.component(c, r.where)
}

func (r *tagReader) begin(s section) error {
	if err := r.finish(); err != nil {
		return err
	}
	r.at = s
	return nil
}

func (r *tagReader) tag(tag, value string) error {
	switch tag {
	case "SPDXVersion":
		r.marks++
		r.version(value, r.where)
	case "SPDXID":
		r.marks++
		r.id(value)
	case "DocumentName":
		r.doc.Name = value
	case "DocumentNamespace":
		r.doc.Serial = value
	case "Creator":
		r.marks++
		r.creator(value, r.where)
	case "Created":
		r.created(value, r.where)
	case "PackageName":
		r.marks++
		if err := r.begin(inPackage); err != nil {
			return err
		}
		r.pkg.Name = value
	case "FileName", "SnippetSPDXID", "LicenseID":
		return r.begin(inOther)
	case "Relationship":
		if f := strings.Fields(value); len(f) == 3 {
			r.relate(f[0], f[1], f[2])
		}
	default:
		if r.at == inPackage && r.packageTag(tag, value) {
			return nil
		}
		r.unknown(tag)
	}
	return nil
}

func (r *tagReader) id(value string) {
	switch r.at {
	case inPackage:
		r.pkg.Ref = value
	case inDocument:
		if value != "SPDXRef-DOCUMENT" {
			r.notes.Add(r.where, "the document calls itself %q, not \"SPDXRef-DOCUMENT\"", sbom.Clip(value))
		}
		return
	default:
		return
	}
	if !strings.HasPrefix(value, "SPDXRef-") {
		r.notes.Add(r.where, "the identifier %q does not begin with SPDXRef-", sbom.Clip(value))
	}
}

func (r *tagReader) packageTag(tag, value string) bool {
	c := &r.pkg
	switch tag {
	case "PackageVersion":
		c.Version = present(value)
	case "PackageSupplier":
		c.Supplier = r.agent(value, "the supplier", r.where)
	case "PackageOriginator":
		r.by = r.agent(value, "the originator", r.where)
	case "PrimaryPackagePurpose":
		c.Type = purpose(value)
	case "PackageLicenseDeclared":
		takeLicence(c, value, true)
	case "PackageLicenseConcluded":
		takeLicence(c, value, false)
	case "PackageChecksum":
		algorithm, sum, _ := strings.Cut(value, ":")
		addHash(c, strings.TrimSpace(algorithm), strings.TrimSpace(sum))
	case "ExternalRef":
		r.externalRef(value)
	default:
		return false
	}
	return true
}

// externalRef reads "PACKAGE-MANAGER purl pkg:npm/x@1".
func (r *tagReader) externalRef(value string) {
	f := strings.Fields(value)
	switch {
	case len(f) >= 3:
		r.reference(&r.pkg, f[1], strings.Join(f[2:], " "), r.where)
	case len(f) > 0 && strings.HasPrefix(f[len(f)-1], "pkg:"):
		r.notes.Add(r.where, "an external reference without its category or type: %q", sbom.Clip(value))
		addPURL(&r.pkg, f[len(f)-1])
	default:
		r.notes.Add(r.where, "an external reference that is not category, type and locator: %q", sbom.Clip(value))
	}
}

// readOver are the tags of the specification that say nothing of components.
var readOver = map[string]bool{
	"DataLicense": true, "DocumentComment": true, "ExternalDocumentRef": true, "LicenseListVersion": true, "CreatorComment": true,
	"PackageFileName": true, "PackageDownloadLocation": true, "FilesAnalyzed": true, "PackageVerificationCode": true,
	"PackageHomePage": true, "PackageSourceInfo": true, "PackageLicenseInfoFromFiles": true, "PackageLicenseComments": true,
	"PackageCopyrightText": true, "PackageSummary": true, "PackageDescription": true, "PackageComment": true,
	"ExternalRefComment": true, "PackageAttributionText": true, "BuiltDate": true, "ReleaseDate": true, "ValidUntilDate": true,
	"FileType": true, "FileChecksum": true, "LicenseConcluded": true, "LicenseInfoInFile": true, "LicenseComments": true,
	"FileCopyrightText": true, "FileComment": true, "FileNotice": true, "FileContributor": true, "FileDependency": true,
	"FileAttributionText": true, "ArtifactOfProjectName": true, "ArtifactOfProjectHomePage": true, "ArtifactOfProjectURI": true,
	"SnippetFromFileSPDXID": true, "SnippetByteRange": true, "SnippetLineRange": true, "SnippetLicenseConcluded": true,
	"LicenseInfoInSnippet": true, "SnippetLicenseComments": true, "SnippetCopyrightText": true, "SnippetComment": true,
	"SnippetName": true, "SnippetAttributionText": true, "ExtractedText": true, "LicenseName": true, "LicenseCrossReference": true,
	"LicenseComment": true, "RelationshipComment": true, "Annotator": true, "AnnotationDate": true, "AnnotationComment": true,
	"AnnotationType": true, "SPDXREF": true, "Reviewer": true, "ReviewDate": true, "ReviewComment": true,
	"PackageVersion": true, "PackageSupplier": true, "PackageOriginator": true, "PrimaryPackagePurpose": true,
	"PackageLicenseDeclared": true, "PackageLicenseConcluded": true, "PackageChecksum": true, "ExternalRef": true,
}

// maxUnknown bounds how many different unknown tags are told.
const maxUnknown = 100

func (r *tagReader) unknown(tag string) {
	if readOver[tag] {
		if r.at != inPackage && (strings.HasPrefix(tag, "Package") && tag != "PackageAttributionText" || tag == "ExternalRef") {
			r.notes.Add(r.where, "%s outside of a package; it was left out", tag)
		}
		return
	}
	if r.seen[tag] || len(r.seen) >= maxUnknown {
		return
	}
	r.seen[tag] = true
	r.notes.Add(r.where, "the tag %q is not known; it was read over", sbom.Clip(tag))
}
