package chain

import (
	"slices"
	"strings"

	"github.com/entente-project/entente"
)

// SheetKind says what the rows of a spreadsheet are.
type SheetKind string

// The kinds of sheets.
const (
	SheetSuppliers SheetKind = "suppliers" // organisations, each with a supply
	SheetProcesses SheetKind = "processes" // with their BIA
	SheetSystems   SheetKind = "systems"
	SheetProducts  SheetKind = "products"
	SheetContacts  SheetKind = "contacts" // of organisations
)

// SheetKinds lists the kinds of sheets in the order in which a chain is best built.
func SheetKinds() []SheetKind {
	return []SheetKind{SheetSuppliers, SheetProducts, SheetSystems, SheetProcesses, SheetContacts}
}

// Valid says whether there is such a kind.
func (k SheetKind) Valid() bool { return slices.Contains(SheetKinds(), k) }

// About is the kind of the things that the rows are about.
func (k SheetKind) About() NodeKind { return sheetNodes[k] }

// One is the noun of one row.
func (k SheetKind) One() entente.Text {
	switch k {
	case SheetProcesses:
		return "process"
	case SheetSuppliers:
		return "supplier"
	case SheetSystems:
		return "system"
	case SheetProducts:
		return "product"
	case SheetContacts:
		return "contact"
	}
	return "row"
}

// SheetColumn is something that a sheet of a kind can say.
type SheetColumn struct {
	Key      string
	Label    entente.Text
	Aliases  []string // other headings that people give it
	Required bool
	Meaning  entente.Text // in a sentence, with the form that the cell takes
	Example  string
	Choices  []string // the words that the cell takes; nil for any text
}

// The words that some columns take.
var (
	natureWords      = []string{"goods", "service", "software", "cloud"}
	supplyKindWords  = []string{"commodity", "bespoke"}
	criticalityWords = []string{"critical", "high", "medium", "low"}
	systemKindWords  = []string{"application", "service", "datastore", "interface"}
)

const idMeaning entente.Text = "Its identifier in the chain: small letters, digits, dots and hyphens. Left empty, one is made from the name."

// SheetColumns lists what a sheet of a kind can say, what names a row first.
func SheetColumns(k SheetKind) []SheetColumn {
	return slices.Clone(sheetColumns[k])
}

var sheetColumns = map[SheetKind][]SheetColumn{
	SheetSuppliers: {
		{Key: "name", Label: "Supplier", Required: true, Example: "Nordhost GmbH", Aliases: []string{"supplier name", "name", "vendor", "vendor name", "company", "company name", "organisation", "organization", "legal name", "third party", "provider", "ict third-party service provider", "lieferant", "firma", "name des lieferanten"},
			Meaning: "The name of the supplier."},
		{Key: "id", Label: "ID", Example: "nordhost", Aliases: []string{"identifier", "supplier id", "key", "slug"}, Meaning: idMeaning},
		{Key: "lei", Label: "LEI", Example: "529900T8BM49AURSDO55", Aliases: []string{"lei code", "legal entity identifier"},
			Meaning: "The legal entity identifier by ISO 17442, 20 characters."},
		{Key: "domains", Label: "Domains", Example: "nordhost.example; nordhost.test", Aliases: []string{"domain", "website", "web site", "web", "homepage", "url", "webseite"},
			Meaning: "Its internet domains; several are parted by a semicolon."},
		{Key: "country", Label: "Country", Example: "DE", Aliases: []string{"country code", "headquarters", "hq country", "land", "iso country"},
			Meaning: "Two letters by ISO 3166-1, or the English name."},
		{Key: "category", Label: "What they are", Example: "cloud host", Aliases: []string{"category", "supplier category", "type of supplier", "supplier type", "industry", "sector", "branche"},
			Meaning: "What they are to you in a word or two."},
		{Key: "parent", Label: "Owned by", Example: "", Aliases: []string{"parent", "parent company", "ultimate parent", "group", "owner", "konzern", "muttergesellschaft"},
			Meaning: "The organisation that owns it: its name, ID, LEI or domain, in the chain or in this sheet."},
		{Key: "supply", Label: "Delivers", Example: "Web hosting", Aliases: []string{"supply", "service", "service name", "product or service", "goods or services", "what they deliver", "scope", "leistung", "services provided"},
			Meaning: "What it delivers. A supplier with several supplies has a row for each."},
		{Key: "nature", Label: "Nature", Example: "cloud", Choices: natureWords, Aliases: []string{"supply nature", "type", "supply type", "type of supply", "type of service", "art"},
			Meaning: "What is delivered is goods, service, software or cloud. Needed for every row that delivers something."},
		{Key: "bespoke", Label: "Bespoke", Example: "commodity", Choices: supplyKindWords, Aliases: []string{"custom", "tailored", "commodity or bespoke", "customised", "customized"},
			Meaning: "Commodity (the same terms for everybody) or bespoke (made or negotiated for you); yes and no are taken as well."},
		{Key: "supply_category", Label: "Category of the supply", Example: "cloud hosting", Aliases: []string{"supply category", "service category", "spend category", "commodity group", "warengruppe"},
			Meaning: "The market that it belongs to, by which concentration is measured."},
		{Key: "spend", Label: "Spend a year", Example: "120000", Aliases: []string{"spend", "annual spend", "yearly spend", "annual cost", "contract value", "annual expense", "amount", "jahresumsatz", "volumen"},
			Meaning: "What you pay for it in a year, in the currency of the chain, such as 120000 or 1.2 million."},
		{Key: "customer", Label: "Delivered to", Example: "", Aliases: []string{"customer", "recipient", "buyer", "kunde"},
			Meaning: "Who gets it, if not you: for the suppliers of your suppliers."},
		{Key: "products", Label: "Products", Example: "", Aliases: []string{"product", "delivered products", "software", "produkte"},
			Meaning: "The products that come with it: their names or IDs in the chain, parted by semicolons."},
		{Key: "access", Label: "Access to systems", Example: "", Aliases: []string{"access", "system access", "logical access", "zugriff"},
			Meaning: "The systems it reaches into, with the level user, write or privileged in brackets: Portal (privileged)."},
		{Key: "contact", Label: "Contact", Example: "Service desk", Aliases: []string{"contact name", "contact person", "account manager", "ansprechpartner", "kontakt"},
			Meaning: "Whom to call there: a person or a desk."},
		{Key: "contact_role", Label: "Contact for", Example: "incident", Aliases: []string{"contact role", "role", "function", "funktion"},
			Meaning: "What the contact is for: incident, security, account, …"},
		{Key: "email", Label: "E-mail", Example: "desk@nordhost.example", Aliases: []string{"mail", "email address", "e-mail address", "contact email", "contact e-mail"},
			Meaning: "The contact's e-mail address."},
		{Key: "phone", Label: "Phone", Example: "+49 30 000000", Aliases: []string{"telephone", "phone number", "tel", "mobile", "contact phone", "telefon"},
			Meaning: "The contact's phone number."},
		{Key: "note", Label: "Note", Example: "", Aliases: []string{"notes", "comment", "comments", "remark", "remarks", "description", "bemerkung", "beschreibung"},
			Meaning: "Anything else worth knowing."},
	},
	SheetProcesses: {
		{Key: "name", Label: "Process", Required: true, Example: "Order handling", Aliases: []string{"process name", "name", "business process", "business function", "function", "prozess", "geschäftsprozess"},
			Meaning: "The name of the process."},
		{Key: "id", Label: "ID", Example: "order-handling", Aliases: []string{"identifier", "process id", "key", "slug"}, Meaning: idMeaning},
		{Key: "description", Label: "Description", Example: "From the order to the parcel", Aliases: []string{"about", "purpose", "summary", "comment", "note", "notes", "beschreibung"},
			Meaning: "What the process is."},
		{Key: "owner", Label: "Owner", Example: "Head of sales", Aliases: []string{"process owner", "business owner", "responsible", "accountable", "verantwortlich"},
			Meaning: "Who answers for it: a name or a function."},
		{Key: "criticality", Label: "Criticality", Example: "high", Choices: criticalityWords, Aliases: []string{"critical", "priority", "importance", "business criticality", "kritikalität"},
			Meaning: "How much hangs on it: critical, high, medium or low."},
		{Key: "rto", Label: "RTO", Example: "8h", Aliases: []string{"recovery time objective", "recovery time", "wiederanlaufzeit"},
			Meaning: "Until when it must run again, such as 30 min, 8h or 2 days. A plain number is taken if the heading names the unit: RTO (hours)."},
		{Key: "mtpd", Label: "MTPD", Example: "3d", Aliases: []string{"mtd", "mao", "maximum tolerable period of disruption", "maximum tolerable downtime", "maximum acceptable outage"},
			Meaning: "The longest interruption that can be borne, written as the RTO; not shorter than that."},
		{Key: "rpo", Label: "RPO", Example: "1h", Aliases: []string{"recovery point objective", "recovery point"},
			Meaning: "From how long before an interruption data may be lost, written as the RTO."},
		{Key: "cost", Label: "Cost per hour", Example: "500; from 24h 2000", Aliases: []string{"cost", "cost of interruption", "impact per hour", "hourly cost", "loss per hour", "kosten pro stunde"},
			Meaning: "What an hour of interruption costs; where it rises: 500; from 24h 2000."},
		{Key: "inputs", Label: "Inputs", Example: "Orders", Aliases: []string{"input", "eingaben"},
			Meaning: "What comes in, parted by semicolons; with whom it comes from: Green beans from Rosthof."},
		{Key: "outputs", Label: "Outputs", Example: "Parcels", Aliases: []string{"output", "ergebnisse"},
			Meaning: "What goes out, parted by semicolons; with whom it goes to: Parcels to Post."},
		{Key: "activities", Label: "Activities", Example: "Take the order; Pack; Ship", Aliases: []string{"activity", "steps", "tasks", "aktivitäten"},
			Meaning: "Its steps in order, parted by semicolons."},
		{Key: "needs", Label: "Needs", Example: "", Aliases: []string{"depends on", "dependencies", "dependency", "relies on", "systems", "applications", "needed systems", "abhängigkeiten"},
			Meaning: "What it cannot run without: names or IDs in the chain, parted by semicolons; alternatives with “or”, and how long it can do without in brackets: Portal or Paper forms (4h); Web hosting."},
	},
	SheetSystems: {
		{Key: "name", Label: "System", Required: true, Example: "Order portal", Aliases: []string{"system name", "name", "application", "application name", "asset", "asset name", "service", "anwendung"},
			Meaning: "The name of the system."},
		{Key: "id", Label: "ID", Example: "order-portal", Aliases: []string{"identifier", "system id", "application id", "asset id", "key", "slug"}, Meaning: idMeaning},
		{Key: "kind", Label: "Kind", Example: "application", Choices: systemKindWords, Aliases: []string{"type", "system type", "asset type", "art"},
			Meaning: "Application, service, datastore or interface."},
		{Key: "operator", Label: "Run by", Example: "", Aliases: []string{"operator", "operated by", "host", "hosted by", "provider", "vendor", "betreiber"},
			Meaning: "The organisation that runs it: its name, ID, LEI or domain in the chain."},
		{Key: "data", Label: "Data", Example: "personal; internal", Aliases: []string{"data class", "data classes", "classification", "data classification", "datenklasse"},
			Meaning: "The classes of data in it, parted by semicolons: public, internal, confidential, personal, secret."},
		{Key: "products", Label: "Products", Example: "", Aliases: []string{"product", "software", "runs", "technology", "produkte"},
			Meaning: "The products that it runs: names or IDs in the chain, parted by semicolons."},
		{Key: "needs", Label: "Needs", Example: "", Aliases: []string{"depends on", "dependencies", "dependency", "relies on", "abhängigkeiten"},
			Meaning: "What it cannot run without: names or IDs in the chain or in this sheet, parted by semicolons; alternatives with “or”, and how long it can do without in brackets."},
	},
	SheetProducts: {
		{Key: "name", Label: "Product", Required: true, Example: "Order portal software", Aliases: []string{"product name", "name", "software", "software name", "title", "item", "produkt"},
			Meaning: "The name of the product."},
		{Key: "id", Label: "ID", Example: "order-portal-app", Aliases: []string{"identifier", "product id", "key", "slug", "sku"}, Meaning: idMeaning},
		{Key: "supplier", Label: "Supplier", Example: "", Aliases: []string{"vendor", "manufacturer", "maker", "publisher", "provider", "hersteller", "lieferant"},
			Meaning: "Who makes or ships it: the name, ID, LEI or domain of an organisation in the chain."},
		{Key: "version", Label: "Version", Example: "1.4.2", Aliases: []string{"release", "product version", "version number"},
			Meaning: "The version in use."},
		{Key: "sboms", Label: "SBOM files", Example: "portal-*.cdx.json", Aliases: []string{"sbom", "sboms", "sbom file", "bill of materials"},
			Meaning: "Names or patterns of the files with its bill of materials, parted by semicolons."},
		{Key: "systems", Label: "Runs in", Example: "", Aliases: []string{"systems", "system", "used in", "installed on", "used by"},
			Meaning: "The systems that run it: names or IDs in the chain, parted by semicolons."},
	},
	SheetContacts: {
		{Key: "organisation", Label: "Organisation", Required: true, Example: "Nordhost GmbH", Aliases: []string{"organization", "company", "company name", "supplier", "vendor", "supplier name", "firma", "lieferant"},
			Meaning: "Where the contact works: the name, ID, LEI or domain of an organisation in the chain."},
		{Key: "name", Label: "Name", Required: true, Example: "Service desk", Aliases: []string{"contact", "contact name", "full name", "person", "contact person", "ansprechpartner"},
			Meaning: "The name of the person or the desk."},
		{Key: "role", Label: "For", Example: "incident", Aliases: []string{"role", "contact for", "contact role", "function", "job title", "position", "title", "funktion"},
			Meaning: "What to call them for: incident, security, account, …"},
		{Key: "email", Label: "E-mail", Example: "desk@nordhost.example", Aliases: []string{"mail", "email address", "e-mail address"},
			Meaning: "The e-mail address."},
		{Key: "phone", Label: "Phone", Example: "+49 30 000000", Aliases: []string{"telephone", "phone number", "tel", "mobile", "telefon"},
			Meaning: "The phone number."},
	},
}

// SheetSource says where the values of a column come from: a column of the sheet,
// counted from 1, or one word for every row; neither leaves the column out.
type SheetSource struct {
	Column int    `json:"column,omitempty"`
	Fixed  string `json:"fixed,omitempty"`
}

// SheetMapping says by key where the values of the columns come from.
type SheetMapping map[string]SheetSource

// GuessMapping finds the columns of a kind in the heading of a sheet. Case, spaces
// and punctuation do not matter, and neither does what stands in brackets. No
// column of the sheet is taken twice.
func GuessMapping(k SheetKind, heading []string) SheetMapping {
	whole, bare := make([]string, len(heading)), make([]string, len(heading))
	for i, h := range heading {
		whole[i] = headingWord(h)
		before, _, _ := strings.Cut(h, "(")
		before, _, _ = strings.Cut(before, "[")
		bare[i] = headingWord(before)
	}
	mapping := SheetMapping{}
	taken := make([]bool, len(heading))
	take := func(c SheetColumn, heads []string, names ...string) {
		if _, found := mapping[c.Key]; found {
			return
		}
		for _, name := range names {
			i := slices.Index(heads, headingWord(name))
			for i >= 0 && taken[i] {
				next := slices.Index(heads[i+1:], headingWord(name))
				if next < 0 {
					i = -1
					break
				}
				i += 1 + next
			}
			if i >= 0 {
				mapping[c.Key] = SheetSource{Column: i + 1}
				taken[i] = true
				return
			}
		}
	}
	// What is called exactly as the template has it goes before what may mean it.
	for _, heads := range [][]string{whole, bare} {
		for _, c := range sheetColumns[k] {
			take(c, heads, string(c.Label), c.Key)
		}
		for _, c := range sheetColumns[k] {
			take(c, heads, c.Aliases...)
		}
	}
	return mapping
}

// headingWord folds a heading to what is compared of it.
func headingWord(s string) string {
	return strings.NewReplacer("-", "", ".", "").Replace(entente.Slug(s))
}

// checkMapping refuses a mapping that no row could be read by.
func checkMapping(k SheetKind, mapping SheetMapping, width int) error {
	var found []entente.FieldError
	say := func(c SheetColumn, text entente.Text, args ...any) {
		found = append(found, entente.FieldError{Field: c.Key, Message: entente.Say(text, args...)})
	}
	byColumn := map[int]entente.Text{}
	for _, c := range sheetColumns[k] {
		from := mapping[c.Key]
		switch {
		case from.Column < 0 || from.Column > width:
			say(c, "the sheet does not have such a column")
		case from.Fixed != "" && !slices.Contains(c.Choices, from.Fixed):
			say(c, "this cannot be the same for every row")
		case from == SheetSource{} && c.Required:
			say(c, "choose the column that holds it: no row can be imported without")
		case from.Column > 0 && byColumn[from.Column] != "":
			say(c, "this column of the sheet is taken for “%s” already", byColumn[from.Column])
		}
		if from.Column > 0 {
			byColumn[from.Column] = c.Label
		}
	}
	if len(found) == 0 {
		return nil
	}
	wrong := entente.Invalid("the columns of the sheet are not assigned yet")
	wrong.Fields = found
	return wrong
}
