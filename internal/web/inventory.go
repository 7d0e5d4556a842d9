package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func inventoryRoutes() []Route {
	return []Route{
		page("/o/{org}/products", identity.InventoryRead, (*visit).products),
		choosing(act("/o/{org}/products", identity.InventoryRead, (*visit).products)),
		page("/o/{org}/products/{id}", identity.InventoryRead, (*visit).product),
		act("/o/{org}/products/{id}/documents", identity.InventoryUpload, (*visit).recordSBOM).within(uploadLimits),
		page("/o/{org}/components", identity.InventoryRead, (*visit).components),
		choosing(act("/o/{org}/components", identity.InventoryRead, (*visit).components)),
		page("/o/{org}/components/{package}", identity.InventoryRead, (*visit).component),
	}
}

// contents tells in a badge what is known of a product's contents, and why.
func (v *visit) contents(p *inventory.Product) (ui.Badge, string) {
	if len(p.Documents) == 0 {
		return ui.Badge{Text: v.T("no document"), Tone: ui.Warn}, v.T("nothing is known of its components")
	}
	if not, why := p.NotAssessable(); not {
		return ui.Badge{Text: v.T("not assessable"), Tone: ui.Warn}, v.Say(why)
	}
	return ui.Badge{Text: v.T("assessable"), Tone: ui.Good}, v.assessed(&p.Counts)
}

func (v *visit) assessed(c *inventory.Counts) string {
	words := v.N(c.Components, "%d of %d component can be compared with advisories", "%d of %d components can be compared with advisories", c.Assessable, c.Components)
	if c.Unversioned > 0 {
		return v.T("%s; %d of them without a version", words, c.Unversioned)
	}
	return words
}

// productsInRoom gives products as the room pages them, by name; other orders need
// all of them at once.
type productsInRoom struct {
	v    *visit
	list list[inventory.Product]
}

func (s productsInRoom) page(q query, offset, limit int) ([]inventory.Product, int, int, error) {
	ask := inventory.ProductQuery{Search: q.search, State: inventory.ProductState(q.filter["state"])}
	if q.sort == "name" && !q.desc {
		ask.Page = inventory.Page{Limit: limit, Offset: offset}
		found, matching, err := s.v.Inventory.Products(s.v.r.Context(), s.v.actor, ask)
		return found, matching, -1, err
	}
	var all []inventory.Product
	for {
		ask.Page = inventory.Page{Limit: inventory.MaxPage, Offset: len(all)}
		found, matching, err := s.v.Inventory.Products(s.v.r.Context(), s.v.actor, ask)
		if err != nil {
			return nil, 0, 0, err
		}
		all = append(all, found...)
		if len(found) == 0 || len(all) >= matching {
			break
		}
	}
	q.search, q.filter = "", nil // the room has done that
	found, matching, _, err := held[inventory.Product]{s.list, all}.page(q, offset, limit)
	return found, matching, -1, err
}

// products lists the products with what is known of their contents.
func (v *visit) products() error {
	type row = inventory.Product
	l := list[row]{
		id: func(p row) string { return string(p.ID) }, acts: v.chainActs(chain.KindProduct),
		name: "products", one: "product", many: "products", sort: "name",
		search: "Search by name or supplier", empty: v.noChain("No products yet", chain.KindProduct),
		columns: []column[row]{
			{key: "name", label: "Product", order: byText(func(p row) string { return p.Name }), cell: func(p row) ui.Cell {
				return linkCell(strings.TrimSpace(p.Name+" "+p.Version), v.in("products", string(p.ID)))
			}},
			{key: "supplier", label: "Supplier", order: byText(func(p row) string { return p.SupplierName }), cell: func(p row) ui.Cell {
				return linkCell(p.SupplierName, v.in("suppliers", string(p.Supplier)))
			}},
			{key: "state", label: "State", order: byText(func(p row) string { b, _ := v.contents(&p); return b.Text }), cell: func(p row) ui.Cell {
				badge, why := v.contents(&p)
				c := badgeCell(badge)
				c.Note = lang.Capital(why)
				return c
			}},
			{key: "components", label: "Components", num: true, order: by(func(p row) int { return p.Components }), cell: func(p row) ui.Cell { return plainCell(v.reader().Count(p.Components)) }},
			{key: "recorded", label: "Recorded", tight: true, order: by(func(p row) int64 { return recorded(&p).Unix() }), cell: func(p row) ui.Cell {
				if len(p.Documents) == 0 {
					return ui.Cell{}
				}
				return dateCell(v, recorded(&p))
			}},
		},
		filters: []filter[row]{{key: "state", label: "State", options: []ui.Option{
			{Label: v.T("All")}, {Value: string(inventory.AssessableOnes), Label: v.T("Assessable")}, {Value: string(inventory.NotAssessable), Label: v.T("Not assessable")}, {Value: string(inventory.WithoutDocument), Label: v.T("No document")},
		}}},
	}
	head := ui.Head{Title: v.T("Products"), Lead: v.T("What your suppliers ship, and how much is known of what it is made of.")}
	head.Actions = append(v.newLink(chain.KindProduct, v.T("New product")), v.importLinks(chain.SheetProducts)...)
	return l.show(v, productsInRoom{v, l}, func(shown ui.List) templ.Component { return listView(v.frame(head.Title), head, shown) })
}

func recorded(p *inventory.Product) (latest time.Time) {
	for i := range p.Documents {
		if p.Documents[i].Recorded.After(latest) {
			latest = p.Documents[i].Recorded
		}
	}
	return latest
}

func dateCell(v *visit, t time.Time) ui.Cell {
	return ui.Cell{Text: v.reader().Day(t), View: ui.Date(t)}
}

func momentCell(v *visit, t time.Time) ui.Cell {
	return ui.Cell{Text: v.reader().Moment(t), View: ui.Time(t)}
}

// productRow is one line of the products of a supplier.
func (v *visit) productRow(p *chain.Product) ui.Row {
	return ui.Row{Cells: []ui.Cell{linkCell(p.Name, v.in("products", string(p.ID))), plainCell(p.Version)}}
}

// productOf finds a product of the chain.
func (p *picture) productOf(id chain.NodeID) (*chain.Product, error) {
	m := p.g.Map()
	i := slices.IndexFunc(m.Products, func(one chain.Product) bool { return one.ID == id })
	if i < 0 {
		return nil, entente.NotFound("There is no product %q in the map. It may have been renamed or removed by a later import.", id)
	}
	return &m.Products[i], nil
}

// product shows one product with its documents.
func (v *visit) product() error {
	shown, err := v.productShown(chain.NodeID(v.r.PathValue("id")))
	if err != nil {
		return err
	}
	shown.Notice = v.done()
	return v.show(http.StatusOK, productView(shown))
}

func (v *visit) productShown(id chain.NodeID) (productPage, error) {
	p, err := v.picture()
	if err != nil {
		return productPage{}, err
	}
	product, err := p.productOf(id)
	if err != nil {
		return productPage{}, err
	}
	documents, err := v.Inventory.Documents(v.r.Context(), v.actor, id)
	if err != nil {
		return productPage{}, err
	}
	whole := inventory.Product{Product: *product}
	for _, d := range documents {
		if d.Current() {
			whole.Documents = append(whole.Documents, d)
			whole.Components += d.Components
			whole.Assessable += d.Assessable
			whole.Unversioned += d.Unversioned
			whole.Vulnerabilities += d.Vulnerabilities
		}
	}
	badge, why := v.contents(&whole)
	supplier := p.named(product.Supplier)
	shown := productPage{
		Frame: v.frame(product.Name),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Products"), Href: v.in("products")}}, Title: strings.TrimSpace(product.Name + " " + product.Version),
			Badges: []ui.Badge{badge}, Lead: v.T("%s.", lang.Capital(why)), Actions: v.editLinks(chain.KindProduct, id),
		},
		Facts: []ui.Fact{
			{Name: v.T("Supplier"), Value: supplier.Text, Href: supplier.Href, Note: v.Say(sayRank(p.g.Rank(product.Supplier)))},
			{Name: v.T("Components"), Value: v.reader().Count(whole.Components), Note: v.T("%d assessable", whole.Assessable)},
		},
		NoDocuments: ui.Empty{Title: v.T("No document yet"), Text: v.T("Without a bill of materials nobody can tell whether an advisory concerns this product. Ask %s for one.", supplier.Text)},
	}
	err = v.addProductHits(&shown, id, product.Supplier == p.own())
	if err != nil {
		return productPage{}, err
	}
	if v.may(identity.AdvisoryRead) {
		spoken, err := v.Advisory.SpokenOf(v.r.Context(), v.actor, id, nil)
		if err != nil {
			return productPage{}, err
		}
		shown.Spoken = p.spokenRows(spoken)
	}
	if product.Supplier == p.own() && v.may(identity.ExchangeShare) {
		shown.Say = v.in("products", string(id), "vex")
	}
	if v.mayOn(identity.InventoryUpload, string(chain.KindProduct), string(id)) {
		shown.Upload = v.in("products", string(id), "documents")
		shown.NoDocuments.Next = ui.Link{Text: v.T("Record an SBOM"), Href: "#upload"}
	}
	for i := range documents {
		shown.Documents = append(shown.Documents, v.documentRow(&documents[i]))
	}
	for _, n := range p.g.UsedBy(id) {
		shown.UsedBy = append(shown.UsedBy, p.link(n))
	}
	return shown, nil
}

// formatWords names the format of a document: "SPDX 2.3, tag-value".
func formatWords(d *inventory.Document, between string) string {
	return strings.TrimSpace(string(d.Format)+" "+strings.TrimPrefix(d.SpecVersion, "SPDX-")) + between + d.Encoding
}

func (v *visit) documentBadges(d *inventory.Document) []ui.Badge {
	var badges []ui.Badge
	switch {
	case d.Expired:
		badges = append(badges, ui.Badge{Text: v.T("expired"), Tone: ui.Warn})
	case d.Recalled:
		badges = append(badges, ui.Badge{Text: v.T("taken back"), Tone: ui.Warn})
	case !d.Removed.IsZero():
		badges = append(badges, ui.Badge{Text: v.T("withdrawn")})
	case !d.Superseded.IsZero():
		badges = append(badges, ui.Badge{Text: v.T("superseded")})
	default:
		badges = append(badges, ui.Badge{Text: v.T("current"), Tone: ui.Accent})
	}
	if not, _ := d.NotAssessable(); not {
		badges = append(badges, ui.Badge{Text: v.T("not assessable"), Tone: ui.Warn})
	}
	if odd := len(d.Oddities) + d.MoreOddities; odd > 0 {
		badges = append(badges, ui.Badge{Text: v.N(odd, "%d oddity", "%d oddities")})
	}
	return badges
}

// documentNumber names a document that has no other name.
func (v *visit) documentNumber(id uint32) string {
	return v.T("Document %s", strconv.FormatUint(uint64(id), 10))
}

func (v *visit) documentPath(id uint32) string {
	return v.in("documents", strconv.FormatUint(uint64(id), 10))
}

func (v *visit) componentPath(id uint32) string {
	return v.in("components", strconv.FormatUint(uint64(id), 10))
}

// recordSBOM takes an SBOM for a product.
func (v *visit) recordSBOM() error {
	product := chain.NodeID(v.r.PathValue("id"))
	file, name, err := v.upload("sbom")
	if err != nil {
		return err
	}
	defer file.Close()
	document, changed, err := v.Inventory.Record(v.r.Context(), v.actor, product, name, file)
	if err == nil {
		done := "recorded"
		if !changed {
			done = "known"
		}
		return v.redirect(v.documentPath(document.ID) + "?done=" + done)
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	shown, err := v.productShown(product)
	if err != nil {
		return err
	}
	shown.Notice = ui.Notice{Tone: ui.Bad, Text: v.T("The document was not recorded and nothing was changed. %s", v.sentence(wrong))}
	for _, f := range wrong.Fields {
		shown.Notice.Items = append(shown.Notice.Items, v.place(f))
	}
	status, _ := statusOf(wrong.Kind)
	return v.show(status, productView(shown))
}

// number reads a number of the path; what is none names nothing.
func (v *visit) number(name string, missing entente.Text) (uint32, error) {
	n, err := strconv.ParseUint(v.r.PathValue(name), 10, 32)
	if err != nil {
		return 0, entente.NotFound("%s", v.T(missing, v.r.PathValue(name)))
	}
	return uint32(n), nil
}

// backwards pages a room's order from its end.
func backwards[T any](offset, limit int, ask func(offset, limit int) ([]T, int, error)) ([]T, int, error) {
	_, matching, err := ask(0, 1)
	if err != nil {
		return nil, 0, err
	}
	to := matching - offset
	if to <= 0 {
		return nil, matching, nil
	}
	from := max(to-limit, 0)
	found, matching, err := ask(from, to-from)
	found = slices.Clone(found) // what is kept for other visits stays as it is
	slices.Reverse(found)
	return found, matching, err
}

// componentsOf is a document's components as the room pages them.
type componentsOf struct {
	v        *visit
	document inventory.Document
}

func (s componentsOf) page(q query, offset, limit int) ([]inventory.Component, int, int, error) {
	ask := inventory.ComponentQuery{Search: q.search, Type: q.filter["type"]}
	if ask.Type == unversioned {
		ask.Type, ask.Unversioned = "", true
	}
	switch q.sort {
	case "name":
		ask.Order = inventory.ByName
	case "type":
		ask.Order = inventory.ByPackageType
	case "supplier":
		ask.Order = inventory.BySupplier
	}
	get := func(offset, limit int) ([]inventory.Component, int, error) {
		ask.Page = inventory.Page{Limit: limit, Offset: offset}
		return s.v.Inventory.Components(s.v.r.Context(), s.v.actor, s.document.ID, ask)
	}
	var found []inventory.Component
	var matching int
	var err error
	if q.desc {
		found, matching, err = backwards(offset, limit, get)
	} else {
		found, matching, err = get(offset, limit)
	}
	return found, matching, -1, err
}

const unversioned = "-unversioned"

func (v *visit) typeOptions(types []string) []ui.Option {
	options := []ui.Option{{Label: v.T("All")}}
	for _, t := range types {
		options = append(options, ui.Option{Value: t, Label: t})
	}
	return append(options, ui.Option{Value: "none", Label: v.T("No package URL")})
}

// document shows one bill of materials.
func (v *visit) document() error {
	id, err := v.number("document", "There is no document %q.")
	if err != nil {
		return err
	}
	d, err := v.Inventory.Document(v.r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	p, err := v.picture()
	if err != nil {
		return err
	}
	types := make([]string, 0, len(d.Types))
	for t := range d.Types {
		types = append(types, t)
	}
	slices.Sort(types)
	l := list[inventory.Component]{
		name: "components", one: "component", many: "components", search: "Search by name",
		columns: []column[inventory.Component]{
			{key: "name", label: "Component", cell: func(c inventory.Component) ui.Cell {
				cell := linkCell(c.Package.Title(), v.componentPath(c.Package.ID))
				if c.Role == inventory.RoleSubject {
					cell.Note = v.T("the subject of the document")
				}
				return cell
			}},
			{label: "Version", cell: func(c inventory.Component) ui.Cell { return v.versionCell(&c.Package) }},
			{key: "type", label: "Type", cell: func(c inventory.Component) ui.Cell { return v.typeCell(&c.Package) }},
			{key: "supplier", label: "Supplier", cell: func(c inventory.Component) ui.Cell { return plainCell(c.Supplier) }},
			{label: "Licence", cell: func(c inventory.Component) ui.Cell { return plainCell(c.Licence) }},
		},
		filters: []filter[inventory.Component]{{key: "type", label: "Type", options: append(v.typeOptions(types), ui.Option{Value: unversioned, Label: v.T("No version")})}},
		empty:   ui.Empty{Title: v.T("The document lists no components"), Text: v.T("Ask the supplier for one that does.")},
	}
	return l.show(v, componentsOf{v, d}, func(shown ui.List) templ.Component { return documentView(v.documentShown(p, &d, shown)) })
}

func (v *visit) versionCell(p *inventory.Package) ui.Cell {
	if p.Version == "" {
		return badgeCell(ui.Badge{Text: v.T("unknown"), Tone: ui.Warn})
	}
	return plainCell(p.Version)
}

func (v *visit) typeCell(p *inventory.Package) ui.Cell {
	if !p.Assessable() {
		return badgeCell(ui.Badge{Text: v.T("no package URL"), Tone: ui.Warn})
	}
	return plainCell(p.Type)
}

func (v *visit) documentShown(p *picture, d *inventory.Document, components ui.List) documentPage {
	product := p.named(d.Product)
	shown := documentPage{
		Frame: v.frame(cmp.Or(d.File, v.T("Document"))),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Products"), Href: v.in("products")}, {Text: product.Text, Href: product.Href}},
			Title:  v.documentName(d), Badges: v.documentBadges(d),
		},
		Notice: v.done(),
		Facts: []ui.Fact{
			{Name: v.T("Components"), Value: v.reader().Count(d.Components), Note: v.N(d.Packages, "%d different package", "%d different packages")},
			{Name: v.T("Assessable"), Value: v.reader().Count(d.Assessable), Note: v.T("have a package URL")},
			{Name: v.T("Without a version"), Value: v.reader().Count(d.Unversioned), Note: v.T("of those: cannot be decided")},
		},
		Components: components,
		Defs: []ui.Def{
			{Term: v.T("Product"), View: ui.LinkTo(product)}, {Term: v.T("Part"), Text: d.Part}, {Term: v.T("Describes"), Text: cmp.Or(d.Subject, d.Name)},
			{Term: v.T("Format"), Text: formatWords(d, ", ")},
			{Term: v.T("Serial"), Text: d.Serial}, {Term: v.T("Revision"), Text: d.Revision},
			{Term: v.T("Made"), View: orNothing(!d.Created.IsZero(), ui.Time(d.Created))}, {Term: v.T("Made by"), Text: strings.Join(d.Authors, ", ")}, {Term: v.T("Made with"), Text: strings.Join(d.Tools, ", ")},
			{Term: v.T("Recorded"), View: ui.Time(d.Recorded)}, {Term: v.T("Recorded by"), Text: d.RecordedBy},
			{Term: v.T("Withdrawn"), View: orNothing(!d.Removed.IsZero() && !d.Recalled && !d.Expired, ui.Time(d.Removed))},
			{Term: v.T("Taken back"), View: orNothing(d.Recalled, ui.Phrase(entente.Say("by %s, %s", d.From.Name, ui.Time(d.Removed))))},
			{Term: v.T("Expired"), View: orNothing(d.Expired, ui.Time(d.Removed))},
			{Term: v.T("Size"), Text: v.reader().Bytes(d.Size)}, {Term: v.T("SHA-256"), View: code(d.SHA256)},
		},
	}
	if not, why := d.NotAssessable(); not {
		shown.Head.Lead = v.T("Not assessable: %s. Nothing is known of advisories for it; that is not the same as safe.", why)
	}
	switch {
	case d.Expired:
		shown.Notice = ui.Notice{Tone: ui.Warn, Text: v.T("The time for which %s shared it ran out on %s. Its components are deleted here, and it counts no more.", d.From.Name, v.reader().Day(d.Removed))}
	case d.Recalled:
		shown.Notice = ui.Notice{Tone: ui.Warn, Text: v.T("%s took it back on %s. Its components are deleted here, and it counts no more.", d.From.Name, v.reader().Day(d.Removed))}
	}
	if of, err := p.productOf(d.Product); err == nil && of.Supplier == p.g.Map().Own && d.Removed.IsZero() && v.may(identity.ExchangeShare) {
		shown.Head.Actions = append(shown.Head.Actions, ui.Link{Text: v.T("Share with partners"), Href: v.in("say") + "?kind=sbom&document=" + strconv.FormatUint(uint64(d.ID), 10)})
	}
	if d.Removed.IsZero() && v.may(identity.InventoryRemove) {
		shown.Withdraw = v.documentPath(d.ID) + "/withdraw"
	}
	if d.SupersededBy != 0 {
		shown.Defs = append(shown.Defs, ui.Def{Term: v.T("Superseded by"), View: ui.LinkTo(ui.Link{Text: v.T("a newer document"), Href: v.documentPath(d.SupersededBy)})})
	}
	for _, o := range d.Oddities {
		shown.Oddities = append(shown.Oddities, ui.Row{Cells: []ui.Cell{plainCell(lang.Capital(v.Say(inventory.Odd(o.Where)))), plainCell(lang.Capital(v.Say(inventory.Odd(o.What))))}})
	}
	if d.MoreOddities > 0 {
		shown.MoreOddities = v.N(d.MoreOddities, "And %d more of the kind.", "And %d more of the kind.")
	}
	return shown
}

// packages is the organisation's packages as the room pages them.
type packages struct{ v *visit }

func (s packages) page(q query, offset, limit int) ([]inventory.PackageUse, int, int, error) {
	get := func(offset, limit int) ([]inventory.PackageUse, int, error) {
		ask := inventory.PackageQuery{Search: q.search, Type: q.filter["type"], Page: inventory.Page{Limit: limit, Offset: offset}}
		return listAtHead(s.v, asked{"packages", ask, []string{fromInventory}}, func() ([]inventory.PackageUse, int, error) {
			return s.v.Inventory.Packages(s.v.r.Context(), s.v.actor, ask)
		})
	}
	var found []inventory.PackageUse
	var matching int
	var err error
	if q.desc {
		found, matching, err = backwards(offset, limit, get)
	} else {
		found, matching, err = get(offset, limit)
	}
	return found, matching, -1, err
}

// packageTypes are the types of package URLs that the list of components offers.
var packageTypes = []string{"apk", "bitnami", "cargo", "composer", "conan", "cran", "deb", "gem", "generic", "github", "golang", "hackage", "hex", "maven", "npm", "nuget", "oci", "pub", "pypi", "rpm", "swift"}

// components searches what current documents list: who has log4j-core?
func (v *visit) components() error {
	type row = inventory.PackageUse
	l := list[row]{
		id:   func(p row) string { return strconv.FormatInt(int64(p.ID), 10) },
		name: "components", one: "component", many: "components", sort: "name", search: "Who has …? Search by name",
		columns: []column[row]{
			{key: "name", label: "Component", cell: func(p row) ui.Cell { return linkCell(p.Title(), v.componentPath(p.ID)) }},
			{label: "Version", cell: func(p row) ui.Cell { return v.versionCell(&p.Package) }},
			{label: "Type", cell: func(p row) ui.Cell { return v.typeCell(&p.Package) }},
			{label: "Products", num: true, cell: func(p row) ui.Cell { return plainCell(v.reader().Count(p.Products)) }},
			{label: "Documents", num: true, cell: func(p row) ui.Cell { return plainCell(v.reader().Count(p.Documents)) }},
		},
		filters: []filter[row]{{key: "type", label: "Type", options: v.typeOptions(packageTypes)}},
		empty: ui.Empty{
			Title: v.T("No components yet"), Text: v.T("They come from the bills of materials of your products."),
			Next: ui.Link{Text: v.T("Go to the products"), Href: v.in("products")},
		},
	}
	head := ui.Head{Title: v.T("Components"), Lead: v.T("What the products of your suppliers are made of, over all current documents.")}
	return l.show(v, packages{v}, func(shown ui.List) templ.Component { return listView(v.frame(head.Title), head, shown) })
}

// component shows one package at one version, wherever it is a component.
func (v *visit) component() error {
	id, err := v.number("package", "There is no component %q.")
	if err != nil {
		return err
	}
	p, err := v.picture()
	if err != nil {
		return err
	}
	found, uses, err := v.Inventory.Package(v.r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	shown := packagePage{
		Frame: v.frame(found.Title()),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Components"), Href: v.in("components")}}, Title: strings.TrimSpace(found.Title() + " " + found.Version),
			Lead: v.N(len(uses), "In %d current document.", "In %d current documents."),
		},
		Defs: []ui.Def{
			{Term: v.T("Type"), Text: cmp.Or(found.Type, v.T("no package URL that can be read: advisories cannot be looked up"))},
			{Term: v.T("Version"), Text: cmp.Or(found.Version, v.T("unknown: whether an advisory concerns it cannot be decided"))},
			{Term: v.T("Package URL"), View: orNothing(found.PURL != "", code(found.PURL))}, {Term: v.T("CPE"), View: orNothing(found.CPE != "", code(found.CPE))},
		},
	}
	for _, u := range uses {
		product := p.named(u.Product)
		document := linkCell(v.documentNumber(u.Document), v.documentPath(u.Document))
		document.Note = u.Part
		shown.Documents = append(shown.Documents, ui.Row{Cells: []ui.Cell{linkCell(product.Text, product.Href), document, p.supplierOf(u.Product)}})
	}
	holder := chain.NodeID("")
	if len(uses) > 0 {
		holder = uses[0].Product
	}
	shown.Hits, err = v.packageHits(id, holder)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, packageView(shown))
}

func (p *picture) supplierOf(product chain.NodeID) ui.Cell {
	n, ok := p.g.Node(product)
	if !ok || n.Organisation == "" {
		return ui.Cell{}
	}
	l := p.named(n.Organisation)
	return linkCell(l.Text, l.Href)
}
