package api

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

var sbomUpload = &upload{
	types: []string{"application/octet-stream", "application/vnd.cyclonedx+json", "application/vnd.cyclonedx+xml", "application/spdx+json", "text/spdx", "application/ld+json", "application/gzip"},
	limit: sbom.DefaultLimits().Bytes + 1,
	about: "A CycloneDX document (JSON or XML, 1.2 to 1.7) or an SPDX document (2.2 and 2.3 JSON or tag-value, 3.0 JSON-LD), gzipped or not. Its content says what it is, not its content type.",
}

const aboutRecord = "Records a bill of materials as the current one of the product; the one before is superseded and kept. The same bytes a second time change nothing and are answered with 200. What was odd in the document is listed with it."

var inventoryOperations = []operation{
	{
		id: "list-products", method: http.MethodGet, path: "/products", verb: identity.InventoryRead,
		summary: "List products", about: "Products of the chain with what is known of their contents. A product without a bill of materials, or whose bill holds no package URL, cannot be assessed; that is not the same as safe.", register: answers(listProducts),
	},
	{
		id: "get-product", method: http.MethodGet, path: "/products/{id}", verb: identity.InventoryRead, kind: string(chain.KindProduct), object: "id",
		summary: "One product", about: "A product with every document that was ever recorded for it, the newest first.", register: answers(getProduct),
	},
	{
		id: "record-sbom", method: http.MethodPost, path: "/products/{id}/sboms", verb: identity.InventoryUpload, kind: string(chain.KindProduct), object: "id",
		summary: "Record an SBOM of a product", about: aboutRecord, upload: sbomUpload, created: true, register: answers(recordSBOM),
	},
	{
		id: "put-sbom", method: http.MethodPut, path: "/products/{id}/sboms", verb: identity.InventoryUpload, kind: string(chain.KindProduct), object: "id",
		summary: "Record an SBOM of a product, by PUT", about: aboutRecord, upload: sbomUpload, created: true, register: answers(recordSBOM),
	},
	{
		id: "list-documents", method: http.MethodGet, path: "/documents", verb: identity.InventoryRead,
		summary: "List documents", about: "The bills of materials of all products, the newest first, without their oddities.", register: answers(listDocuments),
	},
	{
		id: "get-document", method: http.MethodGet, path: "/documents/{document}", verb: identity.InventoryRead,
		summary: "One document", about: "A bill of materials as it was recorded: what it says of itself, its counts, and what was odd.", register: answers(getDocument),
	},
	{
		id: "remove-document", method: http.MethodDelete, path: "/documents/{document}", verb: identity.InventoryRemove,
		summary: "Withdraw a document", about: "For one that was recorded by mistake. Its head and the event stay, its components do not; the one that it superseded is current again.", register: answers(removeDocument),
	},
	{
		id: "list-components", method: http.MethodGet, path: "/documents/{document}/components", verb: identity.InventoryRead,
		summary: "List the components of a document", register: answers(listComponents),
	},
	{
		id: "search-packages", method: http.MethodGet, path: "/packages", verb: identity.InventoryRead,
		summary: "Search packages over all products", about: "Who has log4j-core? The packages that stand in current documents, with how many products and documents they stand in.", register: answers(searchPackages),
	},
	{
		id: "get-package", method: http.MethodGet, path: "/packages/{package}", verb: identity.InventoryRead,
		summary: "One package, and the products it stands in", register: answers(getPackage),
	},
}

// Product is a product of the chain with what is known of its contents.
type Product struct {
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	Version      string         `json:"version,omitempty"`
	Supplier     string         `json:"supplier,omitempty"`
	SupplierName string         `json:"supplier_name,omitempty"`
	State        string         `json:"state" enum:"no-document,not-assessable,assessable" doc:"What is known of it: no-document and not-assessable do not mean safe."`
	Counts       DocumentCounts `json:"counts" doc:"Over all current documents."`
	Documents    []Document     `json:"documents" doc:"The current ones, without their oddities."`
}

// DocumentCounts says how much of a document can be assessed.
type DocumentCounts struct {
	Components      int            `json:"components"`
	Packages        int            `json:"packages" doc:"Different ones."`
	Assessable      int            `json:"assessable" doc:"Components with a package URL that can be read."`
	Unversioned     int            `json:"unversioned" doc:"Assessable ones without a version: whether an advisory concerns them cannot be told."`
	Vulnerabilities int            `json:"vulnerabilities" doc:"Statements on vulnerabilities in the document itself."`
	Types           map[string]int `json:"types,omitempty" doc:"Assessable components by type of package."`
}

// Document is a bill of materials as it was recorded.
type Document struct {
	ID           uint32         `json:"id"`
	Product      string         `json:"product"`
	Part         string         `json:"part,omitempty" doc:"Tells the documents of one product apart that describe different parts of it."`
	File         string         `json:"file,omitempty"`
	Format       string         `json:"format" doc:"CycloneDX or SPDX."`
	SpecVersion  string         `json:"spec_version"`
	Encoding     string         `json:"encoding"`
	Serial       string         `json:"serial,omitempty"`
	Revision     string         `json:"revision,omitempty"`
	Name         string         `json:"name,omitempty"`
	Subject      string         `json:"subject,omitempty" doc:"What it describes, with its version."`
	Created      *time.Time     `json:"created,omitempty" doc:"By its own word."`
	Authors      []string       `json:"authors,omitempty"`
	Tools        []string       `json:"tools,omitempty"`
	Recorded     time.Time      `json:"recorded"`
	RecordedBy   string         `json:"recorded_by"`
	SHA256       string         `json:"sha256" doc:"Of the bytes as they came."`
	Size         int64          `json:"size"`
	Counts       DocumentCounts `json:"counts"`
	Current      bool           `json:"current"`
	Superseded   *time.Time     `json:"superseded,omitempty"`
	SupersededBy uint32         `json:"superseded_by,omitempty"`
	Removed      *time.Time     `json:"removed,omitempty"`
	Party        string         `json:"party,omitempty" doc:"The partner who brought it."`
	Entry        uint64         `json:"entry,omitempty" doc:"The entry of that partner."`
	Recalled     bool           `json:"recalled,omitempty" doc:"It was removed because that partner took it back."`
	Expired      bool           `json:"expired,omitempty" doc:"It was removed because the time ran out for which that partner shared it."`
	Oddities     []sbom.Oddity  `json:"oddities,omitempty" doc:"What was wrong or unusual, and how it was read."`
	MoreOddities int            `json:"more_oddities,omitempty" doc:"How many more there were."`
}

func countsOf(c inventory.Counts) DocumentCounts {
	return DocumentCounts{
		Components: c.Components, Packages: c.Packages, Assessable: c.Assessable, Unversioned: c.Unversioned,
		Vulnerabilities: c.Vulnerabilities, Types: c.Types,
	}
}

func documentOf(d inventory.Document) Document {
	return Document{
		ID: d.ID, Product: string(d.Product), Part: d.Part, File: d.File, Format: string(d.Format), SpecVersion: d.SpecVersion,
		Encoding: d.Encoding, Serial: d.Serial, Revision: d.Revision, Name: d.Name, Subject: d.Subject, Created: date(d.Created),
		Authors: d.Authors, Tools: d.Tools, Recorded: d.Recorded, RecordedBy: d.RecordedBy, SHA256: d.SHA256, Size: d.Size,
		Counts: countsOf(d.Counts), Current: d.Current(), Superseded: date(d.Superseded), SupersededBy: d.SupersededBy,
		Removed: date(d.Removed), Party: string(d.From.Party), Entry: d.From.Number, Recalled: d.Recalled, Expired: d.Expired, Oddities: d.Oddities, MoreOddities: d.MoreOddities,
	}
}

func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func productOf(p inventory.Product) Product {
	state := inventory.AssessableOnes
	switch {
	case len(p.Documents) == 0:
		state = inventory.WithoutDocument
	case p.Assessable == 0:
		state = inventory.NotAssessable
	}
	return Product{
		ID: string(p.ID), Name: p.Name, Version: p.Version, Supplier: string(p.Supplier), SupplierName: p.SupplierName,
		State: string(state), Counts: countsOf(p.Counts), Documents: orEmpty(each(p.Documents, documentOf)),
	}
}

// pageOf asks a room for the page at a cursor, and answers it.
func pageOf[A, B any](p Paging, to func(A) B, list []string, ask func(inventory.Page) ([]A, int, error)) (*listOutput[B], error) {
	pos, limit, err := p.place(list...)
	if err != nil {
		return nil, err
	}
	found, total, err := ask(inventory.Page{Limit: limit, Offset: pos.offset})
	if err != nil {
		return nil, err
	}
	out := &listOutput[B]{Body: List[B]{Items: orEmpty(each(found, to)), Total: &total}}
	if end := pos.offset + len(found); len(found) > 0 && end < total {
		out.Body.Next = cursor(position{offset: end}, list...)
	}
	return out, nil
}

func listProducts(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Listing
	State string `query:"state" enum:"no-document,not-assessable,assessable" doc:"Only products of which this is known."`
}) (*listOutput[Product], error) {
	return pageOf(in.Paging, productOf, []string{"products", in.Search, in.State}, func(page inventory.Page) ([]inventory.Product, int, error) {
		return s.Inventory.Products(ctx, actor, inventory.ProductQuery{Search: in.Search, State: inventory.ProductState(in.State), Page: page})
	})
}

func listDocuments(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Listing
	State string `query:"state" enum:"current,not-assessable,superseded,withdrawn" doc:"Only documents with which it stands so."`
}) (*listOutput[Document], error) {
	return pageOf(in.Paging, briefDocumentOf, []string{"documents", in.Search, in.State}, func(page inventory.Page) ([]inventory.Document, int, error) {
		return s.Inventory.AllDocuments(ctx, actor, inventory.DocumentQuery{Search: in.Search, State: inventory.DocumentState(in.State), Page: page})
	})
}

// briefDocumentOf is a document among many.
func briefDocumentOf(d inventory.Document) Document {
	d.Oddities = nil
	return documentOf(d)
}

// ProductDetail is one product with the history of its documents.
type ProductDetail struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Version   string     `json:"version,omitempty"`
	Supplier  string     `json:"supplier,omitempty"`
	Documents []Document `json:"documents" doc:"Every document that was ever recorded, the newest first."`
}

func getProduct(s *server, ctx context.Context, actor entente.Actor, in *ByID) (*one[ProductDetail], error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	products := g.Map().Products
	i := slices.IndexFunc(products, func(p chain.Product) bool { return string(p.ID) == in.ID })
	if i < 0 {
		return nil, entente.NotFound("there is no product %q", in.ID)
	}
	p := products[i]
	docs, err := s.Inventory.Documents(ctx, actor, p.ID)
	if err != nil {
		return nil, err
	}
	return &one[ProductDetail]{ProductDetail{
		ID: string(p.ID), Name: p.Name, Version: p.Version, Supplier: string(p.Supplier), Documents: orEmpty(each(docs, documentOf)),
	}}, nil
}

type created[T any] struct {
	Status   int
	Location string `header:"Location"`
	Body     T
}

func recordSBOM(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByID
	Upload
	File string `query:"file" maxLength:"255" doc:"What the file is called, for lists and messages."`
	Part string `query:"part" maxLength:"200" doc:"The part of the product that the document describes, where several documents describe one product. Without it the document describes the whole product."`
}) (*created[Document], error) {
	record := s.Inventory.Record
	if in.Part != "" {
		record = func(ctx context.Context, actor entente.Actor, product chain.NodeID, name string, r io.Reader) (inventory.Document, bool, error) {
			return s.Inventory.RecordPart(ctx, actor, product, in.Part, name, r)
		}
	}
	name := in.File
	if name == "" {
		name = "the document"
	}
	doc, changed, err := record(ctx, actor, chain.NodeID(in.ID), name, in.file)
	if err != nil {
		return nil, in.verdict(err)
	}
	out := &created[Document]{Status: http.StatusOK, Location: base + "/documents/" + strconv.FormatUint(uint64(doc.ID), 10), Body: documentOf(doc)}
	if changed {
		out.Status = http.StatusCreated
	}
	return out, nil
}

// ByDocument is what operations on one document take.
type ByDocument struct {
	Document uint32 `path:"document" doc:"The number of the document."`
}

func getDocument(s *server, ctx context.Context, actor entente.Actor, in *ByDocument) (*one[Document], error) {
	doc, err := s.Inventory.Document(ctx, actor, in.Document)
	if err != nil {
		return nil, err
	}
	return &one[Document]{documentOf(doc)}, nil
}

func removeDocument(s *server, ctx context.Context, actor entente.Actor, in *ByDocument) (*one[Document], error) {
	doc, err := s.Inventory.Remove(ctx, actor, in.Document)
	if err != nil {
		return nil, err
	}
	return &one[Document]{documentOf(doc)}, nil
}

// Package is one package, as documents name it.
type Package struct {
	ID         uint32 `json:"id"`
	Title      string `json:"title" doc:"Its name with namespace, as people of its ecosystem write it."`
	Type       string `json:"type,omitempty" doc:"The type of the package URL; absent when there is none that can be read."`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	Version    string `json:"version,omitempty"`
	Qualifiers string `json:"qualifiers,omitempty"`
	Subpath    string `json:"subpath,omitempty"`
	PURL       string `json:"purl,omitempty" doc:"As written."`
	CPE        string `json:"cpe,omitempty" doc:"As written."`
}

func packageOf(p inventory.Package) Package {
	return Package{
		ID: p.ID, Title: p.Title(), Type: p.Type, Namespace: p.Namespace, Name: p.Name, Version: p.Version,
		Qualifiers: p.Qualifiers, Subpath: p.Subpath, PURL: p.PURL, CPE: p.CPE,
	}
}

// Component is one line of a document.
type Component struct {
	N        int     `json:"n" doc:"Its place in the document."`
	Role     string  `json:"role" enum:"component,subject,also" doc:"A component; the subject of the document; or a further package URL of the component before."`
	Depth    int     `json:"depth" doc:"How deep it is nested."`
	Type     string  `json:"type,omitempty"`
	Scope    string  `json:"scope,omitempty"`
	Supplier string  `json:"supplier,omitempty"`
	Licence  string  `json:"licence,omitempty"`
	Package  Package `json:"package"`
}

var roleNames = map[inventory.Role]string{
	inventory.RoleComponent: "component", inventory.RoleSubject: "subject", inventory.RoleAlso: "also",
}

func componentOf(c inventory.Component) Component {
	return Component{
		N: c.N, Role: roleNames[c.Role], Depth: c.Depth, Type: c.Type, Scope: c.Scope, Supplier: c.Supplier,
		Licence: c.Licence, Package: packageOf(c.Package),
	}
}

func listComponents(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByDocument
	Listing
	Type        string `query:"type" maxLength:"50" doc:"Only packages of this type: npm, maven, …; none for those without a package URL."`
	Unversioned bool   `query:"unversioned" doc:"Only those with a package URL but no version."`
	Order       string `query:"order" enum:"name,type,supplier" doc:"In this order; without it in that of the document."`
}) (*listOutput[Component], error) {
	list := []string{"components", strconv.FormatUint(uint64(in.Document), 10), in.Search, in.Type, strconv.FormatBool(in.Unversioned), in.Order}
	return pageOf(in.Paging, componentOf, list, func(page inventory.Page) ([]inventory.Component, int, error) {
		return s.Inventory.Components(ctx, actor, in.Document, inventory.ComponentQuery{
			Search: in.Search, Type: in.Type, Unversioned: in.Unversioned, Order: inventory.ComponentOrder(in.Order), Page: page,
		})
	})
}

// PackageUse is a package with where it is found.
type PackageUse struct {
	Package
	Products  int `json:"products" doc:"How many products list it."`
	Documents int `json:"documents"`
}

func searchPackages(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Listing
	Type string `query:"type" maxLength:"50" doc:"Only packages of this type; none for those without a package URL."`
}) (*listOutput[PackageUse], error) {
	return pageOf(in.Paging, func(u inventory.PackageUse) PackageUse {
		return PackageUse{Package: packageOf(u.Package), Products: u.Products, Documents: u.Documents}
	}, []string{"packages", in.Search, in.Type}, func(page inventory.Page) ([]inventory.PackageUse, int, error) {
		return s.Inventory.Packages(ctx, actor, inventory.PackageQuery{Search: in.Search, Type: in.Type, Page: page})
	})
}

// PackageDetail is one package with the products whose current documents list it.
type PackageDetail struct {
	Package
	Uses []Use `json:"uses"`
}

// Use is one product that a package stands in.
type Use struct {
	Product  string `json:"product"`
	Document uint32 `json:"document"`
	Part     string `json:"part,omitempty"`
}

func getPackage(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Package uint32 `path:"package" doc:"The number of the package."`
}) (*one[PackageDetail], error) {
	p, uses, err := s.Inventory.Package(ctx, actor, in.Package)
	if err != nil {
		return nil, err
	}
	return &one[PackageDetail]{PackageDetail{Package: packageOf(p), Uses: orEmpty(each(uses, func(u inventory.Use) Use {
		return Use{Product: string(u.Product), Document: u.Document, Part: u.Part}
	}))}}, nil
}
