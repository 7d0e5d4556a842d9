package inventory

import (
	"context"
	"os"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory/sbom"
	"github.com/entente-project/entente/internal/journal"
)

// The events that this room writes; the subject of both is the product.
const (
	EventRecorded journal.Kind = "sbom.recorded" // body: Recorded
	EventRemoved  journal.Kind = "sbom.removed"  // body: Removed
)

// Recorded is the body of [EventRecorded].
type Recorded struct {
	Document   uint32 `json:"document"`
	Part       string `json:"part,omitempty"`
	File       string `json:"file,omitempty"`
	SHA256     string `json:"sha256"`
	Components int    `json:"components"`
	Assessable int    `json:"assessable"`
	// Superseded are the documents that are current no longer.
	Superseded []uint32 `json:"superseded,omitempty"`
	// The packages from FirstPackage to LastPackage are new to the dictionary of the
	// organisation; both are 0 if none is.
	FirstPackage uint32 `json:"first_package,omitempty"`
	LastPackage  uint32 `json:"last_package,omitempty"`
}

// Removed is the body of [EventRemoved].
type Removed struct {
	Document uint32 `json:"document"`
	Part     string `json:"part,omitempty"`
	// Restored is the document that is current again, 0 if none is.
	Restored uint32 `json:"restored,omitempty"`
	// Recalled says that the partner who brought it took it back.
	Recalled bool `json:"recalled,omitempty"`
	// Expired says that the time ran out for which the partner gave it.
	Expired bool `json:"expired,omitempty"`
}

// Document is a bill of materials as it was recorded for a product.
type Document struct {
	ID      uint32
	Product chain.NodeID
	// Part tells the documents of a product apart that describe different parts of
	// it, each with its own history; "" for a product with one document.
	Part        string
	File        string // what it was called when it was recorded
	Format      sbom.Format
	SpecVersion string
	Encoding    string
	Serial      string
	Revision    string
	Name        string // what the document calls itself or its subject
	Subject     string // the subject with its version: "portal 7"
	Created     time.Time
	Authors     []string
	Tools       []string
	Recorded    time.Time
	RecordedBy  string
	SHA256      string // of the bytes as they came, in hexadecimal
	Size        int64
	Counts
	Oddities     []sbom.Oddity
	MoreOddities int
	Superseded   time.Time // zero while it is current
	SupersededBy uint32
	Removed      time.Time // zero unless it was withdrawn
	From         Origin    // where a partner brought it
	Recalled     bool      // it was withdrawn because that partner took it back
	Expired      bool      // it was withdrawn because the time ran out for which that partner gave it
}

// Origin is the entry of a partner that brought a document; the zero value is none.
type Origin struct {
	Party  entente.PartyID
	Number uint64
	Name   string // of the partner; the document keeps it as who recorded it
}

// Counts says how much of a document can be assessed.
type Counts struct {
	Components int // with the subject of the document if that names a package
	Packages   int // different ones
	Assessable int // components with a package URL that can be read
	// Unversioned counts the assessable components without a version: whether an
	// advisory concerns them cannot be told.
	Unversioned     int
	Vulnerabilities int            // statements on vulnerabilities in the document
	Types           map[string]int // assessable components by type of package
}

// Current says whether the document is what is known of its product today.
func (d *Document) Current() bool { return d.Superseded.IsZero() && d.Removed.IsZero() }

// Component is one line of a document.
type Component struct {
	N        int
	Package  Package
	Role     Role
	Depth    int
	Type     string // "library", "application", "operating-system", …
	Scope    string
	Supplier string
	Licence  string
}

// Role says what a line of a document stands for.
type Role int

// The roles.
const (
	RoleComponent Role = 0
	RoleSubject   Role = 1 // what the document describes
	RoleAlso      Role = 2 // a further package URL of the component before
)

// Options are the settings of a [Service]; the zero value is right.
type Options struct {
	Limits sbom.Limits // DefaultLimits if zero
	Temp   string      // folder for uploads in progress; the system's if empty
	Now    func() time.Time
}

// Service records and reads bills of materials.
type Service struct {
	d   *db.DB
	lim sbom.Limits
	dir string
	now func() time.Time

	names dictionaries
}

// New makes the service on an open database.
func New(d *db.DB, o Options) *Service {
	if o.Limits == (sbom.Limits{}) {
		o.Limits = sbom.DefaultLimits()
	}
	if o.Temp == "" {
		o.Temp = os.TempDir()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{d: d, lim: o.Limits, dir: o.Temp, now: o.Now}
}

// Limits says what the service takes.
func (s *Service) Limits() sbom.Limits { return s.lim }

func onProduct(actor entente.Actor, product chain.NodeID) identity.Object {
	return identity.Object{Kind: string(chain.KindProduct), Org: actor.Org, ID: string(product)}
}

// Document gives one document with its oddities.
func (s *Service) Document(ctx context.Context, actor entente.Actor, id uint32) (Document, error) {
	if err := identity.Require(actor, identity.InventoryRead, identity.In(actor.Org)); err != nil {
		return Document{}, err
	}
	var doc Document
	err := s.d.Read(ctx, func(tx *db.Tx) error {
		var err error
		doc, err = documentByID(ctx, tx, actor.Org, id)
		return err
	})
	return doc, err
}

// Documents gives every document that was ever recorded for a product, the newest
// first; those that were removed too.
func (s *Service) Documents(ctx context.Context, actor entente.Actor, product chain.NodeID) ([]Document, error) {
	if err := identity.Require(actor, identity.InventoryRead, onProduct(actor, product)); err != nil {
		return nil, err
	}
	var docs []Document
	err := s.d.Read(ctx, func(tx *db.Tx) error {
		var err error
		docs, err = documentsOf(ctx, tx, actor.Org, product)
		return err
	})
	return docs, err
}

// MaxPage is the most rows that one page holds.
const MaxPage = 1000

// Page is a part of a list.
type Page struct {
	Limit  int // 100 if 0, at most MaxPage
	Offset int
}

func (p Page) limit() int {
	switch {
	case p.Limit <= 0:
		return 100
	case p.Limit > MaxPage:
		return MaxPage
	}
	return p.Limit
}

// ComponentOrder is the order of a list of components.
type ComponentOrder string

// The orders; the zero value is that of the document.
const (
	InDocumentOrder ComponentOrder = ""
	ByName          ComponentOrder = "name"
	ByPackageType   ComponentOrder = "type"
	BySupplier      ComponentOrder = "supplier"
)

// ComponentQuery chooses components of a document.
type ComponentQuery struct {
	Search string // part of the name, in any case
	Type   string // type of package URL; "none" for those without one; "" for all
	// Unversioned chooses those with a package URL but no version.
	Unversioned bool
	Order       ComponentOrder
	Page
}

// Components gives a page of a document's components, and how many there are in all
// pages.
func (s *Service) Components(ctx context.Context, actor entente.Actor, document uint32, q ComponentQuery) (list []Component, total int, err error) {
	if err := identity.Require(actor, identity.InventoryRead, identity.In(actor.Org)); err != nil {
		return nil, 0, err
	}
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		if _, err := documentByID(ctx, tx, actor.Org, document); err != nil {
			return err
		}
		list, total, err = componentsOf(ctx, tx, actor.Org, document, q)
		return err
	})
	return list, total, err
}

// PackageUse is a package with where it is found.
type PackageUse struct {
	Package
	Products  int // whose current documents list it
	Documents int
}

// PackageQuery chooses packages of the organisation.
type PackageQuery struct {
	Search string // part of the name, in any case
	Type   string // type of package URL; "none" for those without one; "" for all
	Page
}

// MaxCounted is where [Service.Packages] stops to count.
const MaxCounted = 10_000

// Packages searches the packages that stand in current documents: "who has
// log4j-core?" It gives a page and how many there are in all pages, MaxCounted if
// there are that many or more.
func (s *Service) Packages(ctx context.Context, actor entente.Actor, q PackageQuery) (list []PackageUse, total int, err error) {
	if err := identity.Require(actor, identity.InventoryRead, identity.In(actor.Org)); err != nil {
		return nil, 0, err
	}
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		list, total, err = packagesOf(ctx, tx, actor.Org, q)
		return err
	})
	return list, total, err
}

// Use is one product that a package stands in.
type Use struct {
	Product  chain.NodeID
	Document uint32
	Part     string
}

// Package gives one package with the products whose current documents list it.
func (s *Service) Package(ctx context.Context, actor entente.Actor, id uint32) (Package, []Use, error) {
	if err := identity.Require(actor, identity.InventoryRead, identity.In(actor.Org)); err != nil {
		return Package{}, nil, err
	}
	var p Package
	var uses []Use
	err := s.d.Read(ctx, func(tx *db.Tx) error {
		var err error
		p, err = packageByID(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		uses, err = usesOf(ctx, tx, actor.Org, id)
		return err
	})
	return p, uses, err
}

// Product is a product of the chain with what is known of its contents.
type Product struct {
	chain.Product
	SupplierName string
	Documents    []Document // the current ones, without their oddities
	Counts                  // over all current documents
}

// ProductState chooses products by what is known of them.
type ProductState string

// The states; the zero value chooses all.
const (
	AnyProduct      ProductState = ""
	WithoutDocument ProductState = "no-document"
	NotAssessable   ProductState = "not-assessable"
	AssessableOnes  ProductState = "assessable"
)

// ProductQuery chooses products.
type ProductQuery struct {
	Search string // part of the name, the id or the supplier's name, in any case
	State  ProductState
	Page
}

// Products gives a page of the chain's products with their current documents, and
// how many there are in all pages.
func (s *Service) Products(ctx context.Context, actor entente.Actor, q ProductQuery) (list []Product, total int, err error) {
	if err := identity.Require(actor, identity.InventoryRead, identity.In(actor.Org)); err != nil {
		return nil, 0, err
	}
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		list, total, err = productsOf(ctx, tx, actor.Org, q)
		return err
	})
	return list, total, err
}
